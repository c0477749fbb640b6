"""The bounds on the orders of one parent, and what its last ones are kept for."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from repeg.domain.attempts import attempts_left
from repeg.domain.child_order import Child, ChildState, Rung
from repeg.domain.decision import Action, Decision
from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import decide
from repeg.domain.pieces import makes_way, piece
from repeg.domain.quote import Side
from tests.builders import NOON, WINDOW_CLOSES, a_child, a_moment, a_quote, after_noon, an_order, settings_with

NORMAL = settings_with(policy="normal", max_attempts=20)


def a_parent(*filled: str, open_at: str | None = None) -> ParentOrder:
    """20,000 shares to buy: for each of these fills a child that has ended, and an open one of 1,000 at a limit."""
    ended: list[Child] = [
        a_child("100.01", qty="1000", filled=shares, price="100.01", state=ChildState.CANCELED, n=n)
        for n, shares in enumerate(filled, start=1)
    ]
    resting = [] if open_at is None else [a_child(open_at, qty="1000", n=len(ended) + 1)]
    return an_order(Side.BUY, "20000", *ended, *resting, first_placed_at=NOON, spreads=(4, 4, 4), collar=Decimal(102))


def seen(order: ParentOrder, bid: str, ask: str, *, seconds: float = 40) -> Decision:
    """The decision on a book of 500 by 500, so many seconds after the first child."""
    now = after_noon(seconds)
    return decide(order, a_quote(bid, ask, bid_size="500", ask_size="500", at=now), a_moment(now), NORMAL)


def test_a_fill_makes_all_attempts_available_again() -> None:
    assert attempts_left(a_parent(*["0"] * 19), NORMAL) == 1
    assert attempts_left(a_parent(*["0"] * 19, "1"), NORMAL) == 20
    assert attempts_left(a_parent("1000", *["0"] * 7), NORMAL) == 13


def test_no_order_has_more_children_than_its_row_holds() -> None:
    assert attempts_left(a_parent(*["1"] * 399), NORMAL) == 1
    assert attempts_left(a_parent(*["1"] * 400), NORMAL) == 0


@pytest.mark.parametrize(("sent", "shares"), [(15, 1_000), (16, 20_000), (18, 20_000)])
def test_the_fourth_last_attempt_is_for_the_whole_rest(sent: int, shares: int) -> None:
    decision = Decision(verb=Action.PLACE, reason="", because="", rung=Rung.PASSIVE, limit=Decimal("100.01"))
    order = a_parent(*["0"] * sent)
    assert piece(order, a_quote("100.00", "100.04"), decision, Decimal(20_000), a_moment(), NORMAL) == shares


@pytest.mark.parametrize(("bid", "ask"), [("100.06", "100.10"), ("99.90", "99.95"), ("100.02", "100.03")])
def test_an_order_with_few_attempts_left_stays(bid: str, ask: str) -> None:
    assert seen(a_parent(*["0"] * 10, open_at="100.01"), bid, ask).sends
    held = seen(a_parent(*["0"] * 16, open_at="100.01"), bid, ask)
    assert (held.verb, held.reason) == (Action.HOLD, "attempts")


@pytest.mark.parametrize(("sent", "verb"), [(16, Action.CROSS), (17, Action.HOLD)])
def test_the_third_last_attempt_is_for_spent_patience(sent: int, verb: Action) -> None:
    decision = seen(a_parent(*["0"] * sent, open_at="100.01"), "100.02", "100.06", seconds=1_800)
    assert (decision.verb, decision.reason) == (verb, "patience_spent" if verb is Action.CROSS else "attempts")


def test_the_last_attempts_are_for_the_close() -> None:
    order, now = a_parent(*["0"] * 17, open_at="100.01"), WINDOW_CLOSES - timedelta(minutes=1)
    crossing = decide(order, a_quote("100.02", "100.06", at=now), a_moment(now), NORMAL)
    assert (crossing.verb, crossing.reason, crossing.rung) == (Action.CROSS, "close_is_near", Rung.CROSS)


@pytest.mark.parametrize(
    ("sent", "minutes", "expected"),
    [(0, 12, False), (0, 11, True), (14, 60, False), (15, 60, True), (16, 60, True), (17, 60, False), (17, 11, True),
     (18, 11, False), (18, 1, True)],
)  # fmt: skip
def test_a_piece_makes_way_for_the_rest_when_time_or_attempts_are_short(
    sent: int, minutes: int, expected: bool
) -> None:
    order = a_parent(*["0"] * sent, open_at="100.01")
    assert order.open_child is not None
    moment = a_moment(WINDOW_CLOSES - timedelta(minutes=minutes))
    cut = order.with_child(order.open_child.model_copy(update={"is_piece": True}))
    assert makes_way(cut, moment, NORMAL) is expected
    assert not makes_way(order, moment, NORMAL)
    assert not makes_way(cut, moment, settings_with(policy="anchor"))
    assert not makes_way(cut.on_hold(HoldReason.BUDGET, NOON), moment, NORMAL)
