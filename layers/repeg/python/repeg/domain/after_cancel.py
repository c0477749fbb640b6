"""What follows a cancel: whether a quote still shows the order that was cancelled, and what its successor is."""

from __future__ import annotations

from repeg.domain.child_order import Child
from repeg.domain.decision import Action, Decision
from repeg.domain.parent_order import ParentOrder
from repeg.domain.pricing import worse_by
from repeg.domain.quote import Quote, Side
from repeg.domain.settings import Settings


def is_still_shown(child: Child, before: Quote, after: Quote, side: Side) -> bool:
    """Whether a quote that was read after a child's cancel still has the child in it, since the feed may be behind.

    The child was at the best price, and that price displays more than it would without half of the child. Sizes of the
    same feed are compared, and no times, since the clocks of feed and broker differ.
    """
    if child.limit is None or not before.near(side) == child.limit == after.near(side):
        return False
    return after.near_size(side) > before.near_size(side) - (child.qty - child.filled) / 2


def as_shown(order: ParentOrder, before: Quote, after: Quote | None) -> ParentOrder:
    """The order as a quote shows it after the cancel of its latest child: with that child still open if it is in it."""
    child = order.child
    if child is None or after is None or not is_still_shown(child, before, after, order.side):
        return order
    return order.with_child(child.still_open())


def successor(order: ParentOrder, first: Decision, second: Decision, settings: Settings) -> Decision:
    """The decision on the latest child's successor: `first` cancelled the child, `second` was made on the quote after.

    A rise is a move up, whatever the child was cancelled for, and there is none once all moves are made. Where the
    quote still shows the child and gives no reason to move it, the successor has its price.
    """
    child = order.child
    if child is None or child.limit is None or second.verb is Action.CROSS:
        return second
    limit = child.limit if second.limit is None else second.limit
    is_up = worse_by(order.side, limit, child.limit) > 0
    if not second.sends or (is_up and order.moves >= settings.max_repegs):
        return second.as_move("stay", child.limit)
    if is_up:
        return second.as_move("follow", limit)
    return second.in_place_of(first)
