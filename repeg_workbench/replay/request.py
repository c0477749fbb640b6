"""The options of `repeg replay`, read and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from repeg.domain.errors import InvalidInput
from repeg_workbench.command_options import read_date
from repeg_workbench.replay.arrivals import Draw
from repeg_workbench.replay.filling import ONE_LOT, Model
from repeg_workbench.replay.outcomes import Setting
from repeg_workbench.replay.plans import LONGEST_PATIENCE, Plan, strategies
from repeg_workbench.replay.sources import Source, open_source

T = TypeVar("T")

MILLISECOND = 1_000_000
CROSSING = 60
"""Seconds of tape that an order needs after its patience: what it still crosses for is a matter of a few looks."""


@dataclass(frozen=True)
class Options:
    """The options as they were typed."""

    recordings: str
    strategies: str
    fill_models: str
    symbols: str
    days: int
    date: str
    arrivals: int
    horizon: int
    size: int
    latency_ms: int
    crossing_cost: tuple[float, ...]
    tuned_on: tuple[str, ...]
    seed: int


@dataclass(frozen=True)
class Request:
    """A replay to run."""

    source: Source
    plans: Mapping[str, Plan]
    models: Sequence[Model]
    setting: Setting
    crossing_costs: tuple[float, ...]
    tuned_on: frozenset[date]


def read_request(options: Options) -> Request:
    """Check the options. Raises InvalidInput for the first wrong one."""
    _require("arrivals", options.arrivals, 1, 1_000_000)
    _require("horizon", options.horizon, 5, 14_400)
    _require("size", options.size, 1, 1_000_000)
    _require("latency-ms", options.latency_ms, 0, 60_000)
    _require("days", options.days, 1, 1_000)
    for cost in options.crossing_cost:
        if not 0 <= cost <= 2:
            raise InvalidInput("crossing-cost", str(cost), "half-spreads from 0 to 2")
    plans = _chosen("strategies", options.strategies, strategies(options.horizon))
    models = _chosen("fill-models", options.fill_models, {model.name.lower(): model for model in Model})
    longest = [LONGEST_PATIENCE] if options.size > ONE_LOT and any(plan.sliced for plan in plans.values()) else []
    seconds = max([*longest, *(plan.patience for plan in plans.values())]) + CROSSING
    symbols = [symbol.strip().upper() for symbol in options.symbols.split(",") if symbol.strip()]
    return Request(
        source=open_source(options.recordings, symbols, options.seed, read_date(options.date), options.days),
        plans=plans,
        models=list(models.values()),
        setting=Setting(options.size, options.latency_ms * MILLISECOND, Draw(options.arrivals, seconds, options.seed)),
        crossing_costs=options.crossing_cost,
        tuned_on=frozenset(read_date(day) for day in options.tuned_on),
    )


def _require(name: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InvalidInput(name, str(value), f"a whole number from {low} to {high}")


def _chosen(name: str, names: str, known: Mapping[str, T]) -> dict[str, T]:
    if not names:
        return dict(known)
    wanted = [each.strip() for each in names.split(",") if each.strip()]
    for each in wanted:
        if each not in known:
            raise InvalidInput(name, each, f"one or more of {', '.join(known)}")
    return {each: known[each] for each in wanted}
