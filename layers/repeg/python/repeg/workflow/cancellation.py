"""Cancelling: ask the broker, then read each order until it is closed."""

from __future__ import annotations

from repeg.domain.child_order import Child, ChildState
from repeg.domain.parent_order import ParentOrder
from repeg.domain.price_format import format_limit
from repeg.domain.time_limits import CANCEL_CONFIRMATION_PAUSES
from repeg.workflow.reconciliation import apply_report, fetch_report
from repeg.workflow.turn import Turn


def cancel_children(turn: Turn, order: ParentOrder) -> ParentOrder:
    """Ask the broker to cancel every open child, oldest first, and read each until it is closed or two seconds pass.

    Returns the order unsaved, its children closed or still `cancelling`, with any fills that came before the cancel.
    """
    for n in [child.n for child in order.open_children]:
        order = _cancel_child(turn, order, order.attempt(n))
    return order


def _cancel_child(turn: Turn, order: ParentOrder, child: Child) -> ParentOrder:
    if child.is_closed or child.broker_id is None:
        return order
    turn.ports.broker.cancel(child.broker_id)
    order = order.with_child(child.becomes(ChildState.CANCELLING))
    for pause in CANCEL_CONFIRMATION_PAUSES:
        turn.ports.runtime.pause(pause)
        report = fetch_report(turn, child)
        order = apply_report(turn, order, report) if report is not None else order
        if order.attempt(child.n).is_closed:
            return order
    turn.warn(order.symbol, "hold", format_limit(child.limit), "cancel not confirmed yet")
    return order
