"""Reading: what the broker's answers make of an order and its children."""

from __future__ import annotations

from repeg.domain.child_order import Child, ChildState, OrderReport
from repeg.domain.parent_order import Outcome, ParentOrder
from repeg.domain.price_format import format_fill_price, format_limit
from repeg.workflow import replacement
from repeg.workflow.turn import Turn

# After so many refusals an order is given up; the same request will be refused again.
MAX_REJECTIONS = 3


def fetch_report(turn: Turn, child: Child) -> OrderReport | None:
    """What the broker says of a child under its id, or else under the broker's own; None where it knows neither."""
    report = turn.ports.broker.order(child.client_order_id)
    if report is None and child.broker_id is not None:
        return turn.ports.broker.order_by_broker_id(child.broker_id)
    return report


def apply_report(turn: Turn, order: ParentOrder, report: OrderReport) -> ParentOrder:
    """The order with what a report says of one of its children; a fill and a broker's rejection are told.

    A child that was replaced is only closed together with a look at its replacement.
    """
    child = next(each for each in order.children if each.client_order_id == report.client_order_id)
    settled = replacement.own_fills(turn, order, child, report)
    if settled is None:
        turn.note(order.symbol, "hold", format_limit(child), "what the replacement itself has filled is not clear yet")
        return order.with_child(replacement.fills_pending(child, report))
    seen = child.after(settled)
    after = order.with_child(seen)
    if seen.filled > child.filled:
        told = f"{seen.filled - child.filled} @ {format_fill_price(child, seen)}"
        turn.note(order.symbol, "fill", told, f"{after.filled} of {order.target}")
    if seen.state is ChildState.REPLACED and child.state is not ChildState.REPLACED:
        return _taken_over(turn, after, seen, report) or order
    if seen.state is ChildState.REJECTED and child.state is not ChildState.REJECTED:
        turn.note(order.symbol, "rejected", format_limit(seen), "the broker rejected it after accepting it")
        after = after_rejection(after, seen, "rejected by the broker")
    return after


def after_rejection(order: ParentOrder, child: Child, reason: str) -> ParentOrder:
    """The order after a rejection, ended by the last one too many. A replacement's does not count: the old order is
    there, and the next move is a cancel."""
    if child.replaces is not None:
        return replacement.undo_move(order)
    after = order.model_copy(update={"rejections": order.rejections + 1, "held": "rejected"})
    return after.done(Outcome.REJECTED, reason) if after.rejections >= MAX_REJECTIONS else after


def _taken_over(turn: Turn, order: ParentOrder, old: Child, report: OrderReport) -> ParentOrder | None:
    """The order with what has taken an old child's place, whatever became of our request for it; None where the broker
    says that something has, and does not show what."""
    new = order.replacement_of(old)
    if new is None:
        return order
    found = turn.ports.broker.order_by_broker_id(report.replaced_by) if report.replaced_by else None
    if found is None or found.client_order_id != new.client_order_id:
        turn.note(order.symbol, "hold", format_limit(old), f"replaced by {report.replaced_by}, which is not found")
        return None
    return apply_report(turn, order, found)
