"""What the broker's balance may not show yet of its orders: dollars that were just spent, and dollars just freed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from repeg.domain.child_order import Child, ChildState
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from repeg.domain.time_limits import BALANCE_LAG


def spent(orders: Iterable[ParentOrder], now: datetime) -> Decimal:
    """Dollars of buys that the broker's balance may not show yet: of the children that may have arrived within
    BALANCE_LAG.

    A balance that lags shows an older child as open, at the dollars that its fills cost. But it may be of the moment
    between the end of one child and the sending of the next, and show neither: only a child that an older one was
    replaced by, in one request, needs no cash for what the balance shows of the older one. What `headroom` counts of an
    order is not counted again.
    """
    since = now - BALANCE_LAG
    return sum((_spent(order.children, since) for order in orders if order.side is Side.BUY), Decimal(0))


def freed(orders: Iterable[ParentOrder], now: datetime) -> Decimal:
    """Dollars that the broker's balance may not show yet: of the sells' fills, and of what ended buys have left
    unfilled, as reported within BALANCE_LAG.

    It is too much where a part was reported before, or where a successor needs the dollars by now. So no buy is sent on
    their account: a buy only waits until the balance is known to show them.
    """
    since = now - BALANCE_LAG
    changed = (
        (order.side, child)
        for order in orders
        for child in order.children
        if child.changed_at is not None and child.changed_at >= since
    )
    return sum((_freed(side, child) for side, child in changed), Decimal(0))


def _spent(children: Sequence[Child], since: datetime) -> Decimal:
    recent = [child for child in children if _arrived_by(child) >= since]
    shown = {child.n: child for child in children if _arrived_by(child) < since}
    dollars = sum(((child.filled + _resting(child)) * _price(child) for child in recent), Decimal(0))
    replaced = (shown[child.replaces] for child in recent if child.replaces in shown)
    return max(dollars - sum(((old.qty - old.filled) * _price(old) for old in replaced), Decimal(0)), Decimal(0))


def _arrived_by(child: Child) -> datetime:
    """When a child had arrived at the broker at the latest, as far as is known: its request may have been held up."""
    return child.sent_at if child.seen_at is None else max(child.sent_at, child.seen_at)


def _freed(side: Side, child: Child) -> Decimal:
    """Dollars of one child. What a replaced one had reserved is its replacement's."""
    if side is Side.SELL:
        return child.filled * (_price(child) if child.average_price is None else child.average_price)
    is_ended = child.is_closed and child.state is not ChildState.REPLACED
    return (child.qty - child.filled) * _price(child) if is_ended else Decimal(0)


def _price(child: Child) -> Decimal:
    """The most that a share of a buy's child may cost, and the least that one of a sell's may bring."""
    return child.notional / child.qty if child.limit is None else child.limit


def _resting(child: Child) -> Decimal:
    return child.remaining if child.state is ChildState.LIVE else Decimal(0)
