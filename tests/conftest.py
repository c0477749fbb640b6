"""Registers the profiles of hypothesis: no check depends on how fast a machine is.

`make quick` draws few examples for each property: `pytest --hypothesis-profile quick`.
"""

from hypothesis import HealthCheck, settings

UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("untimed", UNTIMED)
settings.register_profile("quick", UNTIMED, derandomize=True, database=None, max_examples=20)
settings.load_profile("untimed")
