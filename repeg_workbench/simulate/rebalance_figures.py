"""Figures of many whole rebalances: what each cost against its decision prices, and against market orders then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from statistics import fmean, stdev
from typing import Any

from repeg.domain.amount import counted
from repeg.domain.shortfall import PARTS


@dataclass(frozen=True)
class Rebalance:
    """One day's rebalance: dollars of its plan, of its shortfall and its parts, and of market orders at the decision by
    crossing cost, all as text. `dollars` is None, and `missing` says why, where the shortfall is not known."""

    seed: int
    worth: str
    dollars: str | None
    parts: Mapping[str, str | None]
    market: Mapping[str, str]
    missing: str = ""

    @property
    def bps(self) -> float:
        """The shortfall in basis points of the plan. Raises ValueError where it is not known."""
        return self._in_bps(self._known)

    def market_bps(self, crossing_cost: str) -> float:
        """The cost of market orders in basis points of the plan."""
        return self._in_bps(Decimal(self.market[crossing_cost]))

    def saved_bps(self, crossing_cost: str) -> float:
        """What the run saved against market orders, in basis points of the plan."""
        return self._in_bps(Decimal(self.market[crossing_cost]) - self._known)

    @property
    def _known(self) -> Decimal:
        if self.dollars is None:
            raise ValueError(f"the shortfall of seed {self.seed} is not known: {self.missing}")
        return Decimal(self.dollars)

    def _in_bps(self, dollars: Decimal) -> float:
        return float(dollars / Decimal(self.worth) * 10_000)

    def document(self) -> dict[str, Any]:
        """The day as JSON values."""
        return asdict(self)


def rebalance_of(seed: int, costs: Mapping[str, Any]) -> Rebalance:
    """The day of a report's costs. Raises ValueError for a run of which no order has a decision price."""
    found = costs["shortfall"]
    if found is None or not Decimal(found["worth"]):
        raise ValueError(f"seed {seed}: no order has a decision price ({costs['missing']})")
    return Rebalance(
        seed=seed, worth=found["worth"], dollars=found["dollars"], parts={name: found[name] for name in PARTS},
        market={each["crossing_cost"]: each["dollars"] for each in costs["market"]}, missing=costs["missing"],
    )  # fmt: skip


@dataclass(frozen=True)
class Mean:
    """A mean over days with its standard error; None for fewer than two days."""

    mean: float
    error: float | None

    @property
    def t(self) -> float | None:
        """The mean in standard errors; None where that says nothing."""
        return self.mean / self.error if self.error else None


def mean_of(values: Sequence[float]) -> Mean:
    """The mean of some days. Raises ValueError without any."""
    if not values:
        raise ValueError("there is no day with a known shortfall")
    return Mean(fmean(values), stdev(values) / len(values) ** 0.5 if len(values) > 1 else None)


@dataclass(frozen=True)
class Comparison:
    """The rebalances against market orders at one crossing cost: basis points, and the share of days that were
    cheaper."""

    crossing_cost: str
    market: Mean
    saved: Mean
    cheaper: float


def compared(days: Sequence[Rebalance], crossing_cost: str) -> Comparison:
    """The comparison at a crossing cost, paired by day."""
    saved = [day.saved_bps(crossing_cost) for day in days]
    return Comparison(
        crossing_cost, mean_of([day.market_bps(crossing_cost) for day in days]), mean_of(saved),
        sum(each > 0 for each in saved) / len(saved),
    )  # fmt: skip


def lines(all_days: Sequence[Rebalance]) -> list[str]:
    """The figures in words, a line each. Days whose shortfall is not known are named, and are in no mean."""
    days = [day for day in all_days if day.dollars is not None]
    unknown = [f"seed {day.seed} is in no mean: {day.missing}" for day in all_days if day.dollars is None]
    if not days:
        return [*unknown, "no day has a known shortfall"]
    worst, cost = max(days, key=lambda day: day.bps), mean_of([day.bps for day in days])
    dollars = fmean(float(Decimal(day.dollars or 0)) for day in days)
    means = ", ".join(f"{name} {fmean(part_bps(day, name) for day in days):+.2f}" for name in PARTS)
    each = [compared(days, crossing_cost) for crossing_cost in days[0].market]
    return [
        f"{counted(len(days), 'day')}, a plan of {fmean(float(day.worth) for day in days):,.0f} dollars on average",
        f"cost against the decision prices: {shown(cost)} bps, {dollars:+,.2f} dollars; in bps: {means}",
        *(
            f"market orders at the decision, at {one.crossing_cost} half-spreads: {shown(one.market)} bps; saved "
            f"{shown(one.saved)}{with_t(one.saved)}; cheaper on {one.cheaper:.0%} of the days"
            for one in each
        ),
        f"worst day: seed {worst.seed}, {worst.bps:+.2f} bps, {Decimal(worst.dollars or 0):+,} dollars: "
        + ", ".join(f"{name} {Decimal(worst.parts[name] or 0):+,}" for name in PARTS),
        *unknown,
    ]


def part_bps(day: Rebalance, name: str) -> float:
    """One part of a day's shortfall, in basis points of the plan."""
    return float(Decimal(day.parts[name] or 0) / Decimal(day.worth) * 10_000)


def shown(mean: Mean) -> str:
    """A mean with its standard error, if it has one."""
    return f"{mean.mean:+.2f}" if mean.error is None else f"{mean.mean:+.2f} (standard error {mean.error:.2f})"


def with_t(mean: Mean) -> str:
    """A mean's t, as the end of a sentence; empty where it says nothing."""
    return "" if mean.t is None else f", t {mean.t:.1f}"
