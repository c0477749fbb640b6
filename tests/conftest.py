"""Registers the profile of `make quick`: `pytest --hypothesis-profile quick` draws few examples for each property."""

from hypothesis import settings

settings.register_profile("quick", derandomize=True, database=None, deadline=None, max_examples=20)
