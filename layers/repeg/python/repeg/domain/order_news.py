"""What is published about single orders: each request, each fill, a long wait, and the end."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import AwareDatetime

from repeg.domain.frozen import Frozen
from repeg.domain.intent import Intent
from repeg.domain.notice import ORDER_FILLED, ORDER_FINISHED, ORDER_HELD, ORDER_MOVED, ORDER_PLACED
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.parent_order import ParentOrder, ParentState
from repeg.domain.quote import Side

# An order that waits so long without being sent is published, once.
HELD_FOR_LONG = timedelta(minutes=30)


class OrderNews(Frozen):
    """News of one order; its fields are an event's detail. Quantities in shares."""

    run_id: str
    symbol: str
    side: Side
    filled: Decimal
    target: Decimal
    reason: str

    @property
    def kind(self) -> str:
        """The kind of the event."""
        raise NotImplementedError

    @property
    def event_id(self) -> str:
        """The event's id, the same each time that it is published."""
        return f"{self.run_id}.{self.symbol}.{self.kind.rpartition('.')[2]}"


class OrderSent(OrderNews):
    """A request for an order is on its way: `qty` shares at `limit` (None: a market order). What the broker answers is
    not in it. `moved_from` is the limit of the order whose place it takes, None if it takes none's or had no limit."""

    n: int
    client_order_id: str
    qty: Decimal
    limit: Decimal | None
    moved_from: Decimal | None
    is_move: bool

    @property
    def kind(self) -> str:
        """The kind of the event."""
        return ORDER_MOVED if self.is_move else ORDER_PLACED

    @property
    def event_id(self) -> str:
        """One id for each attempt."""
        return f"{self.run_id}.{self.symbol}.sent.{self.n}"


class OrderFilled(OrderNews):
    """Shares have filled, some or all of those wanted: `qty` more, at `price` dollars on average."""

    qty: Decimal
    price: Decimal | None

    @property
    def kind(self) -> str:
        """The kind of the event."""
        return ORDER_FILLED

    @property
    def event_id(self) -> str:
        """One id for each quantity that has been reached."""
        return f"{self.run_id}.{self.symbol}.filled.{self.filled.normalize():f}"


class OrderFinished(OrderNews):
    """An order has its outcome. `average_price` is that of its fills, in dollars."""

    outcome: Outcome
    average_price: Decimal | None

    @property
    def kind(self) -> str:
        """The kind of the event."""
        return ORDER_FINISHED


class OrderHeld(OrderNews):
    """An order has waited for long without being sent, since `held_since`."""

    held: HoldReason
    held_since: AwareDatetime

    @property
    def kind(self) -> str:
        """The kind of the event."""
        return ORDER_HELD


def sent(order: ParentOrder, intent: Intent, reason: str) -> OrderSent:
    """The news that the order's latest child is being sent."""
    before = order.children[-2] if len(order.children) > 1 else None
    return OrderSent(
        run_id=order.run_id, symbol=order.symbol, side=order.side, filled=order.filled, target=order.target,
        reason=reason, n=intent.n, client_order_id=intent.client_order_id, qty=intent.qty, limit=intent.limit,
        moved_from=before.limit if before is not None else None, is_move=before is not None,
    )  # fmt: skip


def filled(order: ParentOrder, qty: Decimal, price: Decimal | None) -> OrderFilled:
    """The news that `qty` more shares of an order have filled."""
    return OrderFilled(
        run_id=order.run_id, symbol=order.symbol, side=order.side, filled=order.filled, target=order.target,
        reason="", qty=qty, price=price,
    )  # fmt: skip


def finished(order: ParentOrder, outcome: Outcome, reason: str) -> OrderFinished:
    """The news that an order has finished."""
    return OrderFinished(
        run_id=order.run_id, symbol=order.symbol, side=order.side, filled=order.filled, target=order.target,
        reason=reason, outcome=outcome, average_price=order.average_price,
    )  # fmt: skip


def held_for_long(order: ParentOrder, opens: datetime, now: datetime) -> OrderHeld | None:
    """The news that an order has been held for long: since the window opened or its last child was sent."""
    if order.state is not ParentState.WAITING or order.held is None:
        return None
    since = max([opens, *(child.sent_at for child in order.children)])
    if now - since < HELD_FOR_LONG:
        return None
    return OrderHeld(
        run_id=order.run_id, symbol=order.symbol, side=order.side, filled=order.filled, target=order.target,
        reason=order.held.words, held=order.held, held_since=since,
    )  # fmt: skip
