"""The end of an order: announced once it is stored."""

from __future__ import annotations

from repeg.domain.order_news import finished
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.price_format import format_average
from repeg.workflow.turn import Turn


def announce_end(turn: Turn, order: ParentOrder, outcome: Outcome, reason: str) -> None:
    """Journal an order's end, and publish it when the step has ended. Its news has one id, also if published twice."""
    price = f" @ {format_average(order.average_price)}" if order.average_price is not None else ""
    detail = f"{order.filled} of {order.target}{price}"
    turn.journal(order.symbol, "finish", detail, reason, news=finished(order, outcome, reason))


def announce_new_end(turn: Turn, before: ParentOrder, stored: ParentOrder) -> None:
    """Announce the end of an order that had none, if it has one as it is stored now.

    One that has filled all the same is announced as filled, by the step that closes its run.
    """
    if before.outcome is None and stored.outcome is not None and stored.remaining > 0:
        announce_end(turn, stored, stored.outcome, stored.reason)
