"""What taking really costs on the account: effective over quoted half-spread, of control orders and of other takes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from repeg.domain.amount import counted
from repeg.domain.clustered import Mean, Sample, mean_of
from repeg.domain.frozen import Frozen
from repeg.domain.observed import ObservedOrder, Take

# A measured crossing cost takes the place of the assumed one from so many control orders on, if its interval is at most
# a quarter of a half-spread wide: about 25 small orders in a name of five ticks, 350 in a name of one.
FEWEST_ORDERS = 20
WIDEST = Decimal("0.25")


class Taking(Frozen):
    """Effective over quoted half-spread: 1 is the displayed far side, 0 the mid.

    `each` weighs every order alike, `by_dollars` by the dollars of quoted half-spread, so that it says what is really
    paid of what is displayed.
    """

    each: Mean | None
    by_dollars: Mean | None


class CrossingCost(Frozen):
    """The half-spreads that taking is to be counted with: measured, or None while there is not enough; and why."""

    value: Decimal | None
    because: str


def taking_of(orders: Iterable[ObservedOrder], *, is_control: bool) -> Taking:
    """What the control orders, or all other takes, have paid."""
    found = [(order.run_id, take) for order in orders for take in order.takes if take.is_control is is_control]
    return Taking(
        each=mean_of([Sample(run, _ratio(take)) for run, take in found]),
        by_dollars=mean_of([Sample(run, _ratio(take), take.qty * take.half_spread) for run, take in found]),
    )


def crossing_cost(control: Taking, feeds: Sequence[str]) -> CrossingCost:
    """The crossing cost to reckon with, from control orders alone: the program's own takes choose their moments.

    `feeds` are those whose quotes the orders were measured with.
    """
    found = control.by_dollars
    if found is None:
        return CrossingCost(value=None, because="no control order has traded")
    if len(feeds) > 1:
        return CrossingCost(value=None, because=f"quotes of {' and '.join(feeds)} are mixed: take the runs of one feed")
    if found.orders < FEWEST_ORDERS:
        return CrossingCost(
            value=None, because=f"{found.orders} control orders have traded; {FEWEST_ORDERS} are needed"
        )
    if found.low is None or found.high is None:
        return CrossingCost(
            value=None, because=f"control orders of {counted(found.runs, 'run')} are too few for an interval"
        )
    width = found.high - found.low
    if width > WIDEST:
        more = int(found.orders * (width / WIDEST) ** 2) - found.orders
        return CrossingCost(
            value=None,
            because=f"the interval is {width:.2f} half-spreads wide, and {WIDEST} is needed: about {more} more",
        )
    return CrossingCost(value=max(Decimal(0), found.value), because=f"measured with {found.orders} control orders")


def _ratio(take: Take) -> Decimal:
    return take.paid / take.half_spread
