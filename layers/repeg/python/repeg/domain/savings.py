"""What the policy saves against market orders at arrival, from orders that were drawn for one or the other.

Orders count as drawn, whatever became of them: what was not filled counts at the mid at the end of its run. An order
weighs as much as its arm was unlikely for it (inverse probability), so that runs with other shares may be taken
together. A saving is positive where the treated orders were cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from repeg.domain.arm import Arm
from repeg.domain.clustered import Mean, Sample, difference_of, mean_of
from repeg.domain.crossing import CrossingCost, Taking, crossing_cost, taking_of
from repeg.domain.frozen import Frozen
from repeg.domain.observed import ObservedOrder

_NOTHING = Decimal(0)

# Spreads at arrival in ticks: the first and the last of each bucket.
BUCKETS: tuple[tuple[str, int, int], ...] = (
    ("1 tick", 0, 1),
    ("2 to 4 ticks", 2, 4),
    ("5 to 9 ticks", 5, 9),
    ("10 ticks and more", 10, 1_000_000_000),
)

# The smallest difference that the page reckons with where none is known yet, in half-spreads.
QUARTER = Decimal("0.25")


class Counts(Frozen):
    """Orders by what becomes of them in the comparison.

    `observed` have a measurement; of these `previews` were never sent, `off_session` traded outside of the core
    session, `unpriced` have no price for their cost, `apart` took no part, and `certain` were drawn with a chance of 1.
    """

    observed: int
    previews: int
    off_session: int
    unpriced: int
    apart: int
    certain: int
    control: int
    treated: int


class Compared(Frozen):
    """The saving of treated against control orders: in half-spreads and basis points with every order alike, and in
    basis points by dollars. None where one of the arms has no order."""

    half_spreads: Mean | None
    bps: Mean | None
    bps_by_dollars: Mean | None


class ArmCost(Frozen):
    """What one arm has cost, and how much of its target shares it has filled."""

    half_spreads: Mean | None
    bps: Mean | None
    filled: Decimal | None


class Slice(Frozen):
    """The comparison of a part of the orders: up to a day, or in a bucket of spreads."""

    name: str
    control: int
    treated: int
    half_spreads: Mean | None


class Savings(Frozen):
    """Everything that is said of a set of orders.

    `for_verdict` is how many further orders would tell the sign of a saving of the size seen so far, in four cases of
    five at 95 % confidence; `for_quarter` how many in all would tell one of a quarter of a half-spread. None: unknown.
    """

    counts: Counts
    runs: int
    feeds: tuple[str, ...]
    control: Taking
    takes: Taking
    crossing: CrossingCost
    arms: dict[str, ArmCost]
    saved: Compared
    over_time: tuple[Slice, ...]
    by_spread: tuple[Slice, ...]
    for_verdict: int | None
    for_quarter: int | None


class _Arms(NamedTuple):
    control: list[ObservedOrder]
    treated: list[ObservedOrder]

    def where(self, holds: Callable[[ObservedOrder], bool]) -> _Arms:
        """Those of the orders for which it holds."""
        return _Arms([o for o in self.control if holds(o)], [o for o in self.treated if holds(o)])


def savings_of(orders: Iterable[ObservedOrder]) -> Savings:
    """The analysis of all orders that have been measured."""
    every = list(orders)
    traded = [order for order in every if not order.is_preview and order.off_session == 0]
    arms = _arms(traded)
    feeds = tuple(sorted({order.feed or "an unnamed feed" for order in traded if order.takes}))
    control = taking_of(traded, is_control=True)
    saved = _compared(arms)
    return Savings(
        counts=_counts(every, traded, arms),
        runs=len({order.run_id for order in every}),
        feeds=feeds,
        control=control,
        takes=taking_of(traded, is_control=False),
        crossing=crossing_cost(control, feeds),
        arms={Arm.CONTROL: _cost_of(arms.control), Arm.TREATED: _cost_of(arms.treated)},
        saved=saved,
        over_time=tuple(_over_time(arms)),
        by_spread=tuple(_slice(name, arms.where(_between(low, high))) for name, low, high in BUCKETS),
        for_verdict=_further(saved.half_spreads),
        for_quarter=None if saved.half_spreads is None else saved.half_spreads.orders_for(QUARTER),
    )


def _arms(traded: Sequence[ObservedOrder]) -> _Arms:
    """The orders that can be compared: drawn with a chance that leaves both arms open, and with a known cost."""
    known = [o for o in traded if o.cost is not None and o.half_spread > 0 and 0 < o.share < 1]
    return _Arms([o for o in known if o.arm is Arm.CONTROL], [o for o in known if o.arm is Arm.TREATED])


def _counts(every: Sequence[ObservedOrder], traded: Sequence[ObservedOrder], arms: _Arms) -> Counts:
    previews = sum(order.is_preview for order in every)
    drawn = [order for order in traded if order.arm is not None]
    certain = [order for order in drawn if order.share >= 1]
    return Counts(
        observed=len(every),
        previews=previews,
        off_session=len(every) - previews - len(traded),
        unpriced=len(drawn) - len(certain) - len(arms.control) - len(arms.treated),
        apart=len(traded) - len(drawn),
        certain=len(certain),
        control=len(arms.control),
        treated=len(arms.treated),
    )


def _compared(arms: _Arms) -> Compared:
    return Compared(
        half_spreads=_saving(arms, _half_spreads, _alike),
        bps=_saving(arms, _bps, _alike),
        bps_by_dollars=_saving(arms, _bps, _dollars),
    )


def _saving(
    arms: _Arms, value: Callable[[ObservedOrder], Decimal], size: Callable[[ObservedOrder], Decimal]
) -> Mean | None:
    return difference_of(_samples(arms.control, value, size), _samples(arms.treated, value, size))


def _samples(
    orders: Sequence[ObservedOrder],
    value: Callable[[ObservedOrder], Decimal],
    size: Callable[[ObservedOrder], Decimal],
) -> list[Sample]:
    return [Sample(o.run_id, value(o), size(o) / _chance(o)) for o in orders]


def _chance(order: ObservedOrder) -> Decimal:
    """The chance with which the order was drawn for the arm that it is in."""
    return order.share if order.arm is Arm.CONTROL else 1 - order.share


def _cost_of(orders: Sequence[ObservedOrder]) -> ArmCost:
    target = sum((order.target for order in orders), _NOTHING)
    return ArmCost(
        half_spreads=mean_of(_samples(orders, _half_spreads, _alike)),
        bps=mean_of(_samples(orders, _bps, _alike)),
        filled=sum((order.filled for order in orders), _NOTHING) / target if target else None,
    )


def _over_time(arms: _Arms) -> Iterable[Slice]:
    """The saving of all orders up to each day."""
    days: list[date] = sorted({order.day for order in (*arms.control, *arms.treated)})
    for day in days:
        yield _slice(day.isoformat(), arms.where(_until(day)))


def _slice(name: str, arms: _Arms) -> Slice:
    saved = _saving(arms, _half_spreads, _alike)
    return Slice(name=name, control=len(arms.control), treated=len(arms.treated), half_spreads=saved)


def _until(day: date) -> Callable[[ObservedOrder], bool]:
    return lambda order: order.day <= day


def _between(low: int, high: int) -> Callable[[ObservedOrder], bool]:
    return lambda order: low <= order.spread_ticks <= high


def _further(saved: Mean | None) -> int | None:
    if saved is None:
        return None
    if saved.is_certain:
        return 0
    needed = saved.orders_for(saved.value)
    return None if needed is None else max(0, needed - saved.orders)


def _half_spreads(order: ObservedOrder) -> Decimal:
    return order.cost_half_spreads or _NOTHING


def _bps(order: ObservedOrder) -> Decimal:
    return order.cost_bps or _NOTHING


def _alike(_: ObservedOrder) -> Decimal:
    return Decimal(1)


def _dollars(order: ObservedOrder) -> Decimal:
    return order.notional
