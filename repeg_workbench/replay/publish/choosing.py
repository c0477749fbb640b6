"""Chooses the policy's numbers on tuning days and judges them on others: a name left out, and by crossing cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np

from repeg_workbench.replay.figures import Floats, equal_weight
from repeg_workbench.replay.filling import Model
from repeg_workbench.replay.plans import RULES, Plan, ours
from repeg_workbench.replay.publish.block_sums import DayResult, estimate_of
from repeg_workbench.replay.publish.measuring import measured
from repeg_workbench.replay.publish.protocol import CROSSING_COSTS, HORIZON, SIZE, Case, Days, generated_dates
from repeg_workbench.replay.sources import GENERATED_SYMBOLS

TAKE_FROM: Final = (600, 700, 800)
FOLLOW_AFTER: Final = (15, 30, 60)
TIGHT_SHARE: Final = (0, 250, 334, 500)
"""The settings that are tried: imbalance and tight share in permille, seconds before following."""

DEFAULT: Final = f"{RULES.take_from} {RULES.follow_after} {RULES.tight_share}"
TUNING_DATES, JUDGING_DATES = 2, 4
_ARRIVALS: Final = 100
_DIGITS: Final = 4

Progress = Callable[[int, int, Case], None]


@dataclass(frozen=True)
class Choice:
    """Numbers that were chosen on tuning days, and what they cost on judging days: half-spreads, against the defaults.

    `name` is the stock that was left out and judged on, or empty where all were used and all are judged.
    """

    name: str
    crossing_cost: float
    take_from: int
    follow_after: int
    tight_share: int
    cost: float
    error: float
    default: float
    versus_default: float
    versus_default_t: float


def candidates() -> dict[str, Plan]:
    """The policy under each of the settings, by a name that has them."""
    return {
        f"{take} {follow} {tight}": ours(
            HORIZON, rules=RULES._replace(take_from=take, back_to=1_000 - take, follow_after=follow, tight_share=tight)
        )
        for take, follow, tight in product(TAKE_FROM, FOLLOW_AFTER, TIGHT_SHARE)
    }


def choices(tuning: Days, judging: Days, folder: Path, progress: Progress) -> list[Choice]:
    """With each name left out at a crossing cost of 1, and with all names at each crossing cost."""
    tuned = _results("tuning", TUNING_DATES, tuning, folder, progress, candidates())
    chosen = {cheapest(_without(tuned, name), 1.0) for name in tuned} | {
        cheapest(tuned, cost) for cost in CROSSING_COSTS
    }
    plans = {name: plan for name, plan in candidates().items() if name in {*chosen, DEFAULT}}
    judged = _results("judging", JUDGING_DATES, judging, folder, progress, plans)
    alone = [choice_of(name, 1.0, _without(tuned, name), {name: judged[name]}) for name in judged]
    return [*alone, *(choice_of("", cost, tuned, judged) for cost in CROSSING_COSTS)]


def cheapest(tuned: Mapping[str, Sequence[DayResult]], crossing_cost: float) -> str:
    """The settings with the lowest cost on these days, every name with the same weight."""
    named = tuned[next(iter(tuned))][0].lines["queue"]
    return min(named, key=lambda each: np.mean([_mean(days, each, crossing_cost) for days in tuned.values()]))


def _results(
    group: str, dates: int, days: Days, folder: Path, progress: Progress, plans: Mapping[str, Plan]
) -> dict[str, list[DayResult]]:  # fmt: skip
    cases = [
        Case(group, symbol, day, SIZE, HORIZON, (Model.QUEUE,), _ARRIVALS)
        for symbol in GENERATED_SYMBOLS
        for day in generated_dates(dates)
    ]
    found: dict[str, list[DayResult]] = {}
    for case, result in measured(cases, days, folder, progress, plans):
        found.setdefault(case.symbol, []).append(result)
    return found


def choice_of(
    name: str, cost: float, tuned: Mapping[str, Sequence[DayResult]], judged: Mapping[str, Sequence[DayResult]]
) -> Choice:  # fmt: skip
    """The settings that are cheapest on the tuning days, and what they cost on the judging days."""
    chosen, days = cheapest(tuned, cost), [day for each in judged.values() for day in each]
    own = equal_weight([estimate_of(day.counts, _sums(day, chosen, cost)) for day in days])
    usual = equal_weight([estimate_of(day.counts, _sums(day, DEFAULT, cost)) for day in days])
    versus = equal_weight(
        [estimate_of(day.counts, _sums(day, chosen, cost) - _sums(day, DEFAULT, cost)) for day in days]
    )
    numbers = own.mean, own.error, usual.mean, versus.mean, versus.t
    return Choice(name, cost, *map(int, chosen.split()), *(round(number, _DIGITS) + 0.0 for number in numbers))


def _without(tuned: Mapping[str, Sequence[DayResult]], name: str) -> dict[str, Sequence[DayResult]]:
    return {other: days for other, days in tuned.items() if other != name}


def _mean(days: Sequence[DayResult], settings: str, crossing_cost: float) -> float:
    return float(np.mean([_sums(day, settings, crossing_cost).sum() / day.orders for day in days]))


def _sums(day: DayResult, settings: str, crossing_cost: float) -> Floats:
    return day.lines["queue"][settings].sums(crossing_cost)
