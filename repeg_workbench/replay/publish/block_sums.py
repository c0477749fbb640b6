"""One symbol-day's results, small enough to keep: sums over quarters of an hour, from which every error follows."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from repeg_workbench.replay.figures import BLOCK, Estimate, Floats
from repeg_workbench.replay.outcomes import Orders, Outcome
from repeg_workbench.replay.publish.protocol import CROSSING_COSTS
from repeg_workbench.replay.state import SECOND

_DIGITS: Final = 6


@dataclass(frozen=True)
class Line:
    """A strategy under a fill model. Costs in mean half-spreads at arrival, at a crossing cost of 1.

    cost, saved: by block, the sum of the costs, and of what they would be lower if taking cost nothing. bps, saved_bps:
    the same in basis points. sd, p95: by crossing cost.
    """

    cost: list[float]
    saved: list[float]
    bps: list[float]
    saved_bps: list[float]
    sd: list[float]
    p95: list[float]
    passive: float
    seconds: float
    sent: float

    def sums(self, crossing_cost: float) -> Floats:
        """The sum of the costs in each block at a crossing cost."""
        return np.array(self.cost) - (1 - crossing_cost) * np.array(self.saved)

    def bps_sums(self, crossing_cost: float) -> Floats:
        """The same in basis points."""
        return np.array(self.bps) - (1 - crossing_cost) * np.array(self.saved_bps)


@dataclass(frozen=True)
class DayResult:
    """A symbol-day: orders in each block, and a line by fill model and strategy."""

    symbol: str
    day: str
    counts: list[int]
    lines: dict[str, dict[str, Line]]

    @property
    def orders(self) -> int:
        """How many orders were replayed."""
        return sum(self.counts)

    def document(self) -> dict[str, Any]:
        """The result as JSON has it."""
        return asdict(self)

    @classmethod
    def read(cls, document: dict[str, Any]) -> "DayResult":
        """The result that a document has."""
        lines = {
            model: {strategy: Line(**line) for strategy, line in by_name.items()}
            for model, by_name in document["lines"].items()
        }
        return cls(document["symbol"], document["day"], document["counts"], lines)


def day_result(orders: Orders, outcomes: Iterable[Outcome]) -> DayResult:
    """The result of a day's outcomes."""
    _, block = np.unique(orders.arrivals // BLOCK, return_inverse=True)
    lines: dict[str, dict[str, Line]] = {}
    for outcome in outcomes:
        lines.setdefault(outcome.model.name.lower(), {})[outcome.strategy] = _line(orders, outcome, block)
    return DayResult(orders.symbol, orders.day, np.bincount(block).tolist(), lines)


def estimate_of(counts: list[int], sums: Floats) -> Estimate:
    """The mean of the orders' values from their sums by block, and its error clustered by block."""
    total, blocks = sum(counts), len(counts)
    mean = float(sums.sum()) / total
    away = sums - mean * np.array(counts)
    correction = blocks / (blocks - 1) if blocks > 1 else 1.0
    return Estimate(mean, float(np.sqrt(correction * (away**2).sum())) / total)


def _line(orders: Orders, outcome: Outcome, block: np.ndarray) -> Line:
    unit, mid = float(orders.half_spread.mean()), np.abs(orders.mid)
    cost, free = outcome.cost(orders, 1.0), outcome.cost(orders, 0.0)
    saved = cost - free
    each = [(free + part * saved) / unit for part in CROSSING_COSTS]
    return Line(
        cost=_rounded(np.bincount(block, cost / unit)),
        saved=_rounded(np.bincount(block, saved / unit)),
        bps=_rounded(np.bincount(block, cost / mid * 10_000)),
        saved_bps=_rounded(np.bincount(block, saved / mid * 10_000)),
        sd=_rounded(values.std() for values in each),
        p95=_rounded(np.percentile(values, 95) for values in each),
        passive=_round(float(outcome.column("rested").mean()) / orders.shares),
        seconds=_round(float((outcome.column("at") - orders.arrivals).mean()) / SECOND),
        sent=_round(float(outcome.column("sent").mean())),
    )


def _rounded(values: Iterable[float]) -> list[float]:
    return [_round(float(value)) for value in values]


def _round(value: float) -> float:
    return round(value, _DIGITS)
