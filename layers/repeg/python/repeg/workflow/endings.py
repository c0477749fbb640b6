"""The end of an order: announced once, as soon as it is stored."""

from __future__ import annotations

from repeg.domain.child_order import RESTING, ChildState
from repeg.domain.final_outcome import by_unknown_hand
from repeg.domain.order_news import finished
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.price_format import format_average, format_limit
from repeg.workflow.turn import Turn


def is_to_be_announced(order: ParentOrder) -> bool:
    """Whether an order has an end that is to be announced as soon as it is stored.

    While a child of ours rests at the broker, it may fill more before it is cancelled. An order that has filled all the
    same is announced as filled, by the step that closes its run.
    """
    if order.outcome is None or order.is_announced:
        return False
    may_fill = any(child.state in RESTING and not child.is_owners for child in order.open_children)
    return not may_fill and (order.remaining > 0 or order.outcome is Outcome.FILLED)


def as_announced(order: ParentOrder) -> ParentOrder:
    """The order as it is stored with its end: announced, its reason with all that it has filled."""
    if order.outcome is Outcome.ENDED_BY_UNKNOWN_HAND:
        order = by_unknown_hand(order)
    return order.announced()


def announce_end(turn: Turn, order: ParentOrder) -> None:
    """Journal an order's end, and publish it when the step has ended. Its news has one id, also if published twice."""
    outcome, reason = order.outcome, order.reason
    if outcome is None:
        raise ValueError(f"{order.symbol} has not ended")
    if outcome is Outcome.ENDED_BY_UNKNOWN_HAND:
        cancelled = [child for child in order.children if child.state is ChildState.CANCELED]
        turn.warn(order.symbol, "owner", format_limit(cancelled[-1].limit if cancelled else None), reason)
    price = f" @ {format_average(order.average_price)}" if order.average_price is not None else ""
    detail = f"{order.filled} of {order.target}{price}"
    turn.journal(order.symbol, "finish", detail, reason, news=finished(order, outcome, reason))
