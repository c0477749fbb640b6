"""How close a generated cell has to come to the recorded one."""

from typing import Final

from repeg_workbench.calibration.recorded import Cell

COST: Final = 0.12
"""Half-spreads, unless two standard errors of the recorded cost are more."""

PASSIVE: Final = 0.1
TIMES: Final = 1.5
_AT_ONCE: Final = 2.0
"""Seconds below which two times count as equal."""


def misses(generated: Cell, recorded: Cell) -> tuple[str, ...]:
    """What is out of bounds: a cost, a passive share or a time."""
    found = []
    if abs(generated.cost - recorded.cost) > max(COST, 2 * recorded.error):
        found.append("cost")
    if abs(generated.passive - recorded.passive) > PASSIVE:
        found.append("share")
    slower, faster = max(generated.seconds, recorded.seconds), min(generated.seconds, recorded.seconds)
    if slower > _AT_ONCE and slower > TIMES * faster:
        found.append("time")
    return tuple(found)
