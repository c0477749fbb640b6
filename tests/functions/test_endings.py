"""Which orders have an end to announce, and what the journal has of it."""

from __future__ import annotations

from typing import Any

import pytest

from repeg.domain.child_order import Child, ChildState
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from repeg.workflow.endings import announce_end, is_to_be_announced
from repeg.workflow.saving import save_order
from repeg.workflow.turn import begin_turn
from tests.builders import a_child, an_order
from tests.functions.desk import RUN_ID, Desk, OpenDesk
from tests.functions.scenes import resting


def ended(*children: Child, outcome: Outcome = Outcome.REJECTED, **fields: Any) -> ParentOrder:
    return an_order(Side.BUY, "100", *children, outcome=outcome, **fields)


@pytest.mark.parametrize(("order", "is_due"), [
    (an_order(Side.BUY, "100", a_child(state=ChildState.CANCELED)), False),
    (ended(a_child(state=ChildState.CANCELED)), True),
    (ended(a_child(state=ChildState.CANCELED)).announced(), False),
    (ended(a_child(state=ChildState.CANCELED), a_child(n=2)), False),
    (ended(a_child(state=ChildState.REPLACED), a_child(n=2).model_copy(update={"is_owners": True})), True),
    (ended(a_child(filled="99.5", price="100.01", state=ChildState.CANCELED)), True),
    (ended(a_child(filled="100", price="100.01", state=ChildState.FILLED)), False),
    (ended(a_child(filled="100", price="100.01", state=ChildState.FILLED), outcome=Outcome.FILLED), True),
])  # fmt: skip
def test_an_end_is_due_once_no_order_of_ours_may_fill(order: ParentOrder, is_due: bool) -> None:
    """Not of an order that goes on, was announced, has a child of ours at the broker, or has filled all the same.

    What the owner has made of an order of ours may go on filling: it is not the run's any more.
    """
    assert is_to_be_announced(order) is is_due


def saved(desk: Desk, outcome: Outcome) -> None:
    """The order ends with that outcome, its first child cancelled and its second refused, and is stored twice."""
    order = desk.order()
    order = order.with_child(order.children[0].becomes(ChildState.CANCELED))
    order = order.with_child(a_child("189.55", n=2, state=ChildState.REFUSED)).done(outcome, "for a reason")
    turn = begin_turn(RUN_ID, desk.ports)
    save_order(turn, save_order(turn, order))


def test_an_announced_end_is_not_announced_when_its_order_is_stored_again(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    saved(desk, Outcome.REJECTED)
    assert desk.journalled("AAPL", "finish") == [("0 of 40", "for a reason")]


@pytest.mark.parametrize(("outcome", "warnings"), [
    (Outcome.ENDED_BY_UNKNOWN_HAND, ["189.41"]),
    (Outcome.REJECTED, []),
])  # fmt: skip
def test_another_hand_is_reported_with_the_limit_that_it_cancelled(
    open_desk: OpenDesk, outcome: Outcome, warnings: list[str]
) -> None:
    desk = resting(open_desk)
    saved(desk, outcome)
    assert [limit for limit, _ in desk.journalled("AAPL", "owner")] == warnings


def test_an_order_without_an_outcome_has_no_end_to_announce(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    with pytest.raises(ValueError, match="AAPL has not ended"):
        announce_end(begin_turn(RUN_ID, desk.ports), desk.order())
