"""The turnover from which the consolidated feed pays for itself: what the policy pays more on the iex feed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from repeg_workbench.replay.figures import Floats, equal_weight
from repeg_workbench.replay.publish.block_sums import DayResult, estimate_of
from repeg_workbench.replay.publish.protocol import CROSSING_COSTS, GENERATED, HORIZON, IEX, SIZE, Case

SUBSCRIPTION: Final = 99
"""Dollars a month for the consolidated feed."""

_OURS: Final = "repeg"
_DIGITS: Final = 4


@dataclass(frozen=True)
class BreakEven:
    """At a crossing cost, what the iex feed costs more on the same orders: basis points and their standard error."""

    crossing_cost: float
    days: int
    bps: float
    error: float

    def turnover(self, errors: float = 0) -> float | None:
        """Dollars a month, so many standard errors up in the difference; None where that is no saving."""
        more = self.bps + errors * self.error
        return SUBSCRIPTION / more * 10_000 if more > 0 else None


def break_evens(results: Sequence[tuple[Case, DayResult]]) -> Iterator[BreakEven]:
    """One for each crossing cost, from the days that were replayed with both feeds."""
    pairs = _pairs(results)
    for cost in CROSSING_COSTS if pairs else ():
        more = equal_weight([estimate_of(one.counts, _bps(one, cost) - _bps(other, cost)) for one, other in pairs])
        yield BreakEven(cost, len(pairs), round(more.mean, _DIGITS), round(more.error, _DIGITS))


def _pairs(results: Sequence[tuple[Case, DayResult]]) -> list[tuple[DayResult, DayResult]]:
    """Each day on the iex feed with the same day on the consolidated one."""
    usual = {
        (case.symbol, case.day): day
        for case, day in results
        if (case.group, case.size, case.horizon) == (GENERATED, SIZE, HORIZON)
    }
    return [(day, usual[case.symbol, case.day]) for case, day in results if case.group == IEX]


def _bps(day: DayResult, crossing_cost: float) -> Floats:
    return day.lines["queue"][_OURS].bps_sums(crossing_cost)
