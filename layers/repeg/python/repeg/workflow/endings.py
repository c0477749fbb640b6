"""The end of an order: announced where it is decided."""

from __future__ import annotations

from repeg.domain.order_news import finished
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.price_format import format_average
from repeg.workflow.turn import Turn


def announce_end(turn: Turn, order: ParentOrder, outcome: Outcome, reason: str) -> None:
    """Journal an order's end, and publish it when the step has ended. Its news has one id, however often it is told."""
    price = f" @ {format_average(order.average_price)}" if order.average_price is not None else ""
    detail = f"{order.filled} of {order.target}{price}"
    turn.journal(order.symbol, "finish", detail, reason, news=finished(order, outcome, reason))
