"""A move is one replace request only for a live, unfilled child in whole shares, for all that is left."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.child_order import ChildState, Rung
from repeg.domain.decision import Action, Decision
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from repeg.domain.replacement import is_replaceable, undo_move
from tests.builders import a_child, an_order, settings_with

REPLACING = settings_with(use_replace=True)
RESTING = a_child()


def a_move(**fields: Any) -> Decision:
    """A counted move to another limit."""
    stated: dict[str, Any] = {"verb": Action.MOVE, "reason": "follow", "limit": Decimal("100.02")}
    return Decision.model_validate({**stated, "because": "the bid rose", "rung": Rung.PASSIVE, **fields})


def may_replace(order: ParentOrder, decision: Decision | None = None, **settings: Any) -> bool:
    wanted = settings_with(**{"use_replace": True, **settings})
    assert order.child is not None
    return is_replaceable(order, order.child, decision or a_move(), wanted)


def test_a_live_unfilled_child_is_moved_by_one_request() -> None:
    assert may_replace(an_order(Side.BUY, "100", RESTING))
    assert not may_replace(an_order(Side.BUY, "100", RESTING), use_replace=False)


@pytest.mark.parametrize(
    "changed",
    [
        {"state": ChildState.UNKNOWN},
        {"state": ChildState.CANCELLING},
        {"broker_id": None},
        {"limit": None},
        {"filled": Decimal(1)},
        {"qty": Decimal("100.5")},
        {"qty": Decimal(60)},
    ],
)
def test_any_other_child_is_cancelled_first(changed: dict[str, Any]) -> None:
    """Not live, not at the broker, without a limit, filled in part, a fraction, or not all that is left."""
    assert not may_replace(an_order(Side.BUY, "100", RESTING.model_copy(update=changed)))


def test_a_fraction_of_all_that_is_left_is_cancelled_first() -> None:
    fraction = RESTING.model_copy(update={"qty": Decimal("100.5")})
    assert not may_replace(an_order(Side.BUY, "100.5", fraction))


def test_a_move_to_market_is_cancelled_first() -> None:
    assert not may_replace(an_order(Side.BUY, "100", RESTING), a_move(limit=None, rung=Rung.MARKET))


@pytest.mark.parametrize("uncounted", [{"reason": "retreat"}, {"verb": Action.CROSS}])
def test_a_move_that_is_not_counted_is_cancelled_first(uncounted: dict[str, Any]) -> None:
    assert not may_replace(an_order(Side.BUY, "100", RESTING), a_move(**uncounted))


def test_a_child_whose_predecessor_has_filled_is_cancelled_first() -> None:
    """The broker's quantity of a replacement includes what the chain has filled."""
    old = a_child(state=ChildState.REPLACED, filled="10", price="100.01")
    new = a_child(n=2, qty="90").model_copy(update={"replaces": 1})
    assert not may_replace(an_order(Side.BUY, "100", old, new))
    unfilled = old.model_copy(update={"filled": Decimal(0)})
    assert may_replace(an_order(Side.BUY, "90", unfilled, new))


def test_a_child_is_replaced_once() -> None:
    refused = a_child(n=2, state=ChildState.REFUSED).model_copy(update={"replaces": 1})
    order = an_order(Side.BUY, "100", RESTING, refused)
    assert not is_replaceable(order, RESTING, a_move(), REPLACING)


def test_the_last_attempt_is_not_a_replacement() -> None:
    assert may_replace(an_order(Side.BUY, "100", RESTING), max_attempts=2)
    assert not may_replace(an_order(Side.BUY, "100", RESTING), max_attempts=1)


def test_a_failed_move_is_not_counted_and_has_the_rung_of_the_open_child() -> None:
    moved = an_order(Side.BUY, "100", a_child(rung=Rung.PASSIVE), rung=Rung.MID, moves=3)
    back = undo_move(moved)
    assert (back.rung, back.moves) == (Rung.PASSIVE, 2)


def test_a_move_that_failed_leaves_its_rung_where_nothing_is_open() -> None:
    moved = an_order(Side.BUY, "100", a_child(state=ChildState.CANCELED), rung=Rung.MID, moves=0)
    back = undo_move(moved)
    assert (back.rung, back.moves) == (Rung.MID, 0)
