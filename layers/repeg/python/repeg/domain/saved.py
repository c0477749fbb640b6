"""What all runs together have saved against market orders at arrival, in dollars, with its uncertainty.

Each order's saving is what its whole target would have cost at so many half-spreads of its arrival quote, less what it
has cost. Orders of one run share its market, so the runs are what is drawn: the error of a sum over them is that of the
sums of the runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from repeg.domain.clustered import FEWEST_RUNS, Mean, Sample, mean_of, student
from repeg.domain.frozen import Frozen
from repeg.domain.observed import ObservedOrder
from repeg.domain.savings import BUCKETS

_NOTHING = Decimal(0)
_CENT = Decimal("0.01")


class Sum(Frozen):
    """Dollars over so many runs, with a 95 % confidence interval; None with too few runs."""

    dollars: Decimal
    runs: int
    low: Decimal | None = None
    high: Decimal | None = None


class SavedBy(Frozen):
    """What was saved up to a day, with a symbol, or in a bucket of spreads. `cost` is the mean in basis points, by
    dollars."""

    name: str
    orders: int
    notional: Decimal
    cost: Mean | None
    saved: Sum


class Saved(Frozen):
    """The savings of a set of runs against market orders that pay `half_spreads`.

    `left_out` counts measured orders without a known cost, of previews, and that traded outside of the core session.
    """

    half_spreads: Decimal
    total: SavedBy
    left_out: int
    by_day: tuple[SavedBy, ...]
    by_symbol: tuple[SavedBy, ...]
    by_spread: tuple[SavedBy, ...]


def saved_by(orders: Iterable[ObservedOrder], half_spreads: Decimal) -> Saved:
    """The savings of measured orders. Control orders count as well: they are part of what the account has paid."""
    every = list(orders)
    known = [o for o in every if not o.is_preview and not o.off_session and o.cost is not None and o.notional > 0]

    def part(name: str, holds: Callable[[ObservedOrder], bool]) -> SavedBy:
        return _part(name, [order for order in known if holds(order)], half_spreads)

    return Saved(
        half_spreads=half_spreads,
        total=_part("all", known, half_spreads),
        left_out=len(every) - len(known),
        by_day=tuple(part(day.isoformat(), _until(day)) for day in sorted({order.day for order in known})),
        by_symbol=tuple(part(name, _of(name)) for name in sorted({order.symbol for order in known})),
        by_spread=tuple(_buckets(known, half_spreads)),
    )


def _buckets(orders: Sequence[ObservedOrder], half_spreads: Decimal) -> Iterator[SavedBy]:
    for name, low, high in BUCKETS:
        yield _part(name, [order for order in orders if low <= order.spread_ticks <= high], half_spreads)


def _part(name: str, orders: Sequence[ObservedOrder], half_spreads: Decimal) -> SavedBy:
    sums = defaultdict[str, Decimal](Decimal)
    for order in orders:
        sums[order.run_id] += half_spreads * order.half_spread * order.target - (order.cost or _NOTHING)
    samples = [Sample(order.run_id, order.cost_bps or _NOTHING, order.notional) for order in orders]
    return SavedBy(
        name=name,
        orders=len(orders),
        notional=sum((order.notional for order in orders), _NOTHING).quantize(_CENT),
        cost=mean_of(samples),
        saved=_sum(list(sums.values())),
    )


def _sum(of_runs: Sequence[Decimal]) -> Sum:
    """A sum over runs, and where it lies if the runs are a sample of such runs."""
    total, runs = sum(of_runs, _NOTHING), len(of_runs)
    if runs < FEWEST_RUNS:
        return Sum(dollars=total.quantize(_CENT), runs=runs)
    mean = total / runs
    scatter = sum(((each - mean) ** 2 for each in of_runs), _NOTHING)
    reach = student(runs - 1) * (scatter * runs / (runs - 1)).sqrt()
    low, high = ((total + side * reach).quantize(_CENT) for side in (-1, 1))
    return Sum(dollars=total.quantize(_CENT), runs=runs, low=low, high=high)


def _until(day: date) -> Callable[[ObservedOrder], bool]:
    return lambda order: order.day <= day


def _of(symbol: str) -> Callable[[ObservedOrder], bool]:
    return lambda order: order.symbol == symbol
