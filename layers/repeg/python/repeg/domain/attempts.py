"""How many more orders may be sent for a parent order, and what the last ones are kept for."""

from __future__ import annotations

from repeg.domain.child_order import MOST_CHILDREN
from repeg.domain.look import Answer, Verb, Why
from repeg.domain.parent_order import ParentOrder
from repeg.domain.settings import Settings
from repeg.domain.settings_limits import KEPT_ATTEMPTS


def attempts_left(order: ParentOrder, settings: Settings) -> int:
    """Orders that may still be sent: until one is filled, and in all."""
    return min(settings.max_attempts - order.attempts, MOST_CHILDREN - len(order.children))


def is_next_whole(left: int) -> bool:
    """Whether the next order is one of the last, so that it is not cut into a piece."""
    return left <= KEPT_ATTEMPTS + 1


def is_kept(answer: Answer, left: int) -> bool:
    """Whether an open child stays where it is whatever the book shows, since few orders are left.

    One of them is for a take when patience is spent, the others are for the close.
    """
    is_last_take = answer.verb == Verb.TAKE and answer.why == Why.PATIENCE and left == KEPT_ATTEMPTS
    return left <= KEPT_ATTEMPTS and not is_last_take
