"""What the policy would cost on the iex feed under other rules than those it has there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from repeg.domain.policy import rules_of
from repeg_workbench.replay.figures import equal_weight
from repeg_workbench.replay.plans import ONE_VENUE, RULES, Plan, ours, strategies
from repeg_workbench.replay.publish.block_sums import DayResult, estimate_of
from repeg_workbench.replay.publish.protocol import CROSSING_COSTS, IEX, Case

_OURS: Final = "repeg"
_RULES: Final = rules_of(ONE_VENUE)
_NEVER: Final = 1_000_000
_DIGITS: Final = 4

_RULES_TRIED: Final = {
    "takes by imbalance": _RULES._replace(take_from=RULES.take_from),
    "steps back by imbalance": _RULES._replace(back_to=RULES.back_to),
    "retreats at once": _RULES._replace(slack_share=0),
    "never retreats from others that are seen": _RULES._replace(slack_share=_NEVER),
}
_WIDEST_TRIED: Final = {"`max_spread_pct` 0.5": 5_000, "`max_spread_pct` 1": 10_000, "`max_spread_pct` 2": 20_000}
"""Millionths of the mid."""


@dataclass(frozen=True)
class Variant:
    """A variant's cost on the iex feed in half-spreads, and its difference to the policy's, each with its error."""

    name: str
    crossing_cost: float
    cost: float
    error: float
    difference: float
    difference_error: float
    p95: float
    sent: float


def plans_on_iex(horizon: int) -> dict[str, Plan]:
    """Every strategy as it is on the feed of one venue, and the variants of ours."""
    oldest = ONE_VENUE.oldest_quote_seconds
    ruled = {name: ours(horizon, rules=rules, oldest=oldest) for name, rules in _RULES_TRIED.items()}
    wide = {name: ours(horizon, rules=_RULES, oldest=oldest, widest=most) for name, most in _WIDEST_TRIED.items()}
    return strategies(horizon, ONE_VENUE) | ruled | wide


def names() -> tuple[str, ...]:
    """The variants, which are no strategies of their own."""
    return (*_RULES_TRIED, *_WIDEST_TRIED)


def variants(results: Sequence[tuple[Case, DayResult]]) -> Iterator[Variant]:
    """Each variant at each crossing cost, from the days on the iex feed."""
    days = [day for case, day in results if case.group == IEX]
    tried = set(names()).intersection(days[0].lines["queue"]) if days else set()
    for name in (each for each in names() if each in tried):
        for number, cost in enumerate(CROSSING_COSTS):
            lines = [(day, day.lines["queue"][name], day.lines["queue"][_OURS]) for day in days]
            own = equal_weight([estimate_of(day.counts, line.sums(cost)) for day, line, _ in lines])
            less = equal_weight(
                [estimate_of(day.counts, line.sums(cost) - usual.sums(cost)) for day, line, usual in lines]
            )
            p95 = sum(line.p95[number] for _, line, _ in lines) / len(lines)
            sent = sum(line.sent for _, line, _ in lines) / len(lines)
            numbers = (own.mean, own.error, less.mean, less.error, p95, sent)
            yield Variant(name, cost, *(round(number, _DIGITS) + 0.0 for number in numbers))
