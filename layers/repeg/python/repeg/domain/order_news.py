"""What is published about single orders: that one has finished, and that one has been held for long."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import AwareDatetime

from repeg.domain.frozen import Frozen
from repeg.domain.notice import ORDER_FINISHED, ORDER_HELD
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
