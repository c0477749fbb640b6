"""A minimal desk: carries out decisions and adds the resting order to the displayed book."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from repeg.domain.child_order import ChildState
from repeg.domain.decision import Action, Decision
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, Side
from tests.builders import a_child


def act(order: ParentOrder, decision: Decision, now: datetime) -> ParentOrder:
    """The order after the decision: the old child is cancelled first, and nothing fills."""
    if not decision.sends:
        return order
    gone = order.with_child(order.open_child.becomes(ChildState.CANCELED)) if order.open_child else order
    limit = None if decision.limit is None else str(decision.limit)
    child = a_child(limit, qty=str(gone.remaining), rung=decision.rung, n=len(gone.children) + 1)
    return gone.with_child(child).model_copy(
        update={
            "rung": decision.rung,
            "first_placed_at": gone.first_placed_at or now,
            "moves": gone.moves + (decision.verb is Action.MOVE),
        }
    )


def displayed(others: Quote, order: ParentOrder, now: datetime) -> Quote:
    """The quote of the others' book with our resting order added."""
    child, near, far = order.open_child, others.near(order.side), others.far(order.side)
    seen = others.model_copy(update={"at": now})
    if child is None or child.limit is None or not _is_between(near, child.limit, far):
        return seen
    size = child.remaining if child.limit != near else others.near_size(order.side) + child.remaining
    side = "bid" if order.side is Side.BUY else "ask"
    return seen.model_copy(update={side: child.limit, f"{side}_size": size})


def _is_between(near: Decimal, limit: Decimal, far: Decimal) -> bool:
    """Whether an order at this limit would rest and be displayed."""
    return near <= limit < far or far < limit <= near
