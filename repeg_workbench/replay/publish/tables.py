"""The published tables: results of many symbol-days, each with the same weight, by fill model and crossing cost."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from repeg_workbench.replay.figures import Estimate, equal_weight
from repeg_workbench.replay.plans import PEERS
from repeg_workbench.replay.publish.block_sums import DayResult, estimate_of
from repeg_workbench.replay.publish.protocol import CROSSING_COSTS
from repeg_workbench.replay.publish.variants import names

_DIGITS: Final = 4


@dataclass(frozen=True)
class Figures:
    """One strategy's figures. Costs, sd and p95 in half-spreads; differences are paired, order by order."""

    cost: float
    error: float
    bps: float
    sd: float
    p95: float
    passive: float
    seconds: float
    sent: float
    versus_best: float
    versus_best_t: float
    versus_market: float
    versus_market_t: float


@dataclass(frozen=True)
class Table:
    """Every strategy on some symbol-days; `best` is the simple rule with the lowest mean cost on these same orders."""

    group: str
    size: int
    horizon: int
    model: str
    crossing_cost: float
    days: int
    orders: int
    best: str
    rows: dict[str, Figures]

    def document(self) -> dict[str, Any]:
        """The table as JSON has it, a list of numbers for each strategy."""
        return asdict(self) | {"rows": {name: list(asdict(row).values()) for name, row in self.rows.items()}}

    @classmethod
    def read(cls, document: dict[str, Any]) -> "Table":
        """The table that a document has."""
        rows = {name: Figures(*numbers) for name, numbers in document["rows"].items()}
        return cls(**{**document, "rows": rows})


def tables(group: str, size: int, horizon: int, days: Sequence[DayResult]) -> Iterator[Table]:
    """A table for each fill model and crossing cost."""
    for model in days[0].lines:
        for number, crossing_cost in enumerate(CROSSING_COSTS):
            best = min(PEERS, key=lambda name: _cost(days, model, name, crossing_cost).mean)
            shown = [name for name in days[0].lines[model] if name not in names()]
            rows = {name: _figures(days, model, name, best, number) for name in shown}
            orders = sum(day.orders for day in days)
            yield Table(group, size, horizon, model, crossing_cost, len(days), orders, best, rows)


def _figures(days: Sequence[DayResult], model: str, name: str, best: str, number: int) -> Figures:
    crossing_cost, lines = CROSSING_COSTS[number], [day.lines[model][name] for day in days]
    own, versus = _cost(days, model, name, crossing_cost), _difference(days, model, name, best, crossing_cost)
    market = _difference(days, model, name, "market", crossing_cost)
    numbers = (
        own.mean,
        own.error,
        _mean(float(line.bps_sums(crossing_cost).sum()) / day.orders for day, line in zip(days, lines, strict=True)),
        _mean(line.sd[number] for line in lines),
        _mean(line.p95[number] for line in lines),
        _mean(line.passive for line in lines),
        _mean(line.seconds for line in lines),
        _mean(line.sent for line in lines),
        versus.mean,
        versus.t,
        market.mean,
        market.t,
    )
    return Figures(*(round(number, _DIGITS) + 0.0 for number in numbers))


def _cost(days: Sequence[DayResult], model: str, name: str, crossing_cost: float) -> Estimate:
    return equal_weight([estimate_of(day.counts, day.lines[model][name].sums(crossing_cost)) for day in days])


def _difference(days: Sequence[DayResult], model: str, name: str, other: str, crossing_cost: float) -> Estimate:
    return equal_weight(
        [
            estimate_of(
                day.counts, day.lines[model][name].sums(crossing_cost) - day.lines[model][other].sums(crossing_cost)
            )
            for day in days
        ]
    )  # fmt: skip


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
