"""Replays the protocol's cases one after the other, and keeps each result, so that a broken run can be resumed."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from repeg_workbench.calibration.measure import STOCKS, instrument
from repeg_workbench.exchange.market.generated import GeneratedMarket
from repeg_workbench.exchange.market.venue_view import presence_of, venue_view
from repeg_workbench.replay.arrivals import Draw
from repeg_workbench.replay.cleaning import clean
from repeg_workbench.replay.filling import ONE_LOT, Model
from repeg_workbench.replay.outcomes import Setting, replay_day
from repeg_workbench.replay.plans import LONGEST_PATIENCE, Plan, strategies
from repeg_workbench.replay.publish.block_sums import DayResult, day_result
from repeg_workbench.replay.publish.protocol import Case, Days
from repeg_workbench.replay.publish.variants import plans_on_iex
from repeg_workbench.replay.request import CROSSING, MILLISECOND

VENUE_SEED: Final = 1
LATENCY: Final = 100 * MILLISECOND
_ARRIVAL_SEED: Final = 1
_KEPT_DIGITS: Final = 16

Progress = Callable[[int, int, Case], None]


def measure(case: Case, days: Days, plans: Mapping[str, Plan] | None = None) -> DayResult:
    """Replay every strategy, or the given ones, on the case's orders."""
    if plans is None:
        plans = plans_on_iex(case.horizon) if case.is_of_one_venue else strategies(case.horizon)
    longest = [plan.patience for plan in plans.values()] + ([LONGEST_PATIENCE] if case.size > ONE_LOT else [])
    setting = Setting(case.size, LATENCY, Draw(case.arrivals, max(longest) + CROSSING, _ARRIVAL_SEED))
    day = clean(days.load(case))
    shown = venue_view(day.day, presence_of(day.day), VENUE_SEED) if case.is_of_one_venue else None
    return day_result(*replay_day(day, plans, case.models, setting, shown))


def measured(
    cases: Iterable[Case],
    days: Days,
    folder: Path,
    progress: Progress,
    plans: Mapping[str, Plan] | None = None,
) -> Iterator[tuple[Case, DayResult]]:  # fmt: skip
    """Each case with its result: from the folder if it is there, or else measured and kept there."""
    folder.mkdir(parents=True, exist_ok=True)
    todo = list(cases)
    for number, case in enumerate(todo, 1):
        path = folder / f"{case.name}.json"
        if not path.exists():
            _keep(path, measure(case, days, plans))
        progress(number, len(todo), case)
        yield case, DayResult.read(json.loads(path.read_text(encoding="utf-8")))


def fingerprint() -> str:
    """A hash of the regimes' numbers, and of what every strategy does on small days of two of them.

    It changes with the market, the rules and the fills.
    """
    regimes = repr([instrument(name) for name in STOCKS])
    market, digest = GeneratedMarket(5, activity=0.1), hashlib.sha256(regimes.encode())
    for symbol, sees_one_venue in (("AIG", False), ("JNJ", False), ("JNJ", True)):
        day = market.day(symbol, date(2026, 11, 23))
        if day is None:
            raise ValueError(f"{symbol} is not listed")
        setting = Setting(300, LATENCY, Draw(4, LONGEST_PATIENCE + CROSSING, _ARRIVAL_SEED))
        plans = plans_on_iex(300) if sees_one_venue else strategies(300)
        shown = venue_view(day, presence_of(day), VENUE_SEED) if sees_one_venue else None
        _, outcomes = replay_day(clean(day), plans, list(Model), setting, shown)
        for outcome in outcomes:
            digest.update(f"{outcome.strategy} {outcome.model} {outcome.kept.tolist()}".encode())
    return digest.hexdigest()[:_KEPT_DIGITS]


def _keep(path: Path, result: DayResult) -> None:
    """Written at once, so that a result is there completely or not at all."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(result.document()), encoding="utf-8")
    part.replace(path)
