"""Saving an order: one that sends no more gives back, in the same write, what it has taken from the budgets, and its
end is announced once it is stored."""

from __future__ import annotations

from dataclasses import replace

from repeg.domain.errors import StoreUnavailable
from repeg.domain.limits import BudgetEntry, settled
from repeg.domain.parent_order import ParentOrder
from repeg.workflow.endings import announce_end, as_announced, is_to_be_announced
from repeg.workflow.intents import budgets
from repeg.workflow.turn import Turn


def save_order(turn: Turn, order: ParentOrder) -> ParentOrder:
    """Store the order, and announce its end if it has one that was not; returns it at the next version.

    Raises Conflict if it has changed since it was read.
    """
    if not is_to_be_announced(order):
        return store_order(turn, order)
    stored = store_order(turn, as_announced(order))
    announce_end(turn, stored)
    return stored


def store_order(turn: Turn, order: ParentOrder) -> ParentOrder:
    """Store the order; returns it at the next version. Raises Conflict if it has changed since it was read.

    What the budgets are credited with is the difference to the stored order, in the write that stores the new one, so
    that it returns once. A budget that cannot be credited does not keep an order from ending.
    """
    after = settled(order) if order.sends_no_more else order
    if after is order:
        return turn.ports.store.save_order(order)
    try:
        return turn.ports.store.save_order(after, _credits(turn, order, after))
    except StoreUnavailable as error:
        turn.warn(order.symbol, "hold", reason=f"saved without giving back to the budgets: {error}")
        return turn.ports.store.save_order(order)


def _credits(turn: Turn, before: ParentOrder, after: ParentOrder) -> list[BudgetEntry]:
    """What the budgets hold less, or more where a late fill costs more, by the order as it will be stored."""
    orders = after.reserved_orders - before.reserved_orders
    return [replace(entry, orders=orders) for entry in budgets(turn, before, after)]
