"""Moves by one replace request instead of cancel and new: when they are allowed, and how a failed one is undone."""

from __future__ import annotations

from repeg.domain.attempts import attempts_left
from repeg.domain.child_order import NOT_AT_BROKER, Child, ChildState
from repeg.domain.decision import Decision
from repeg.domain.parent_order import ParentOrder
from repeg.domain.settings import Settings


def is_replaceable(order: ParentOrder, child: Child, decision: Decision, settings: Settings) -> bool:
    """Whether a move may be one replace request.

    A move that is not counted is not undone either, so it is a cancel. The child must be a live limit order in whole
    shares, for all that is left to do, with nothing filled anywhere on
    its chain. One replace is tried per child; after a refusal the move is a cancel and a new order.
    """
    is_move = decision.is_counted and decision.limit is not None and child.limit is not None
    is_live = child.state is ChildState.LIVE and child.broker_id is not None
    is_unfilled = not any(each.filled for each in (child, *order.predecessors(child)))
    is_whole = child.qty == child.qty.to_integral_value() and child.qty == order.remaining
    is_first = replacement_of(order, child) is None and attempts_left(order, settings) > 0
    return settings.use_replace and is_move and is_live and is_unfilled and is_whole and is_first


def replacement_of(order: ParentOrder, child: Child) -> Child | None:
    """The attempt that replaces, or was meant to replace, a child."""
    return next((each for each in order.children if each.replaces == child.n), None)


def undo_move(order: ParentOrder) -> ParentOrder:
    """The order after a failed replacement: the move is not counted, and its rung is that of its open child."""
    resting = order.open_child
    return order.back_at(order.rung if resting is None else resting.rung)


def is_failure_counted(child: Child) -> bool:
    """Whether a child's failure has been counted already, so that its rejection at the broker adds nothing.

    A failed replacement's move is undone when it is refused or given up; any other child's refusal counts as a
    rejection, unless it may pass.
    """
    if child.replaces is not None:
        return child.state in NOT_AT_BROKER
    return child.state is ChildState.REFUSED and not child.may_pass
