"""Children that must not stay open: of an order that sends no more, or more of them than is left to do."""

from __future__ import annotations

from decimal import Decimal

from repeg.domain.child_order import RESTING
from repeg.domain.parent_order import ParentOrder
from repeg.workflow.cancellation import cancel_children
from repeg.workflow.saving import save_order
from repeg.workflow.turn import Turn


def has_leftovers(order: ParentOrder) -> bool:
    """Whether an order that has ended, or is left to its owner, has a child of ours at the broker: one that was refused
    or given up has turned up beside its successor. What the owner's own order replaces is the owner's."""
    owners = [child for child in order.open_children if child.is_owners]
    theirs = {old.n for child in owners for old in (child, *order.predecessors(child))}
    return order.sends_no_more and any(c.state in RESTING and c.n not in theirs for c in order.open_children)


def without_leftovers(turn: Turn, order: ParentOrder) -> ParentOrder:
    """The order, its children of ours cancelled if it has leftovers."""
    if not has_leftovers(order):
        return order
    turn.warn(order.symbol, "cancel", "", "still open, and this order sends no more")
    cancelled = cancel_children(turn, order)
    return order if cancelled == order else save_order(turn, cancelled)


def has_excess(order: ParentOrder) -> bool:
    """Whether the children at the broker can fill more than is left.

    A replacement shares its quantity with the order that it replaces, so that it counts only once nothing is left.
    """
    if not any(child.state in RESTING for child in order.open_children):
        return False
    alone = sum((child.remaining for child in order.open_children if child.replaces is None), Decimal(0))
    return order.remaining <= 0 or alone > order.remaining
