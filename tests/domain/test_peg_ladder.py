"""Escalation: passive, mid, far side and market, as far as the settings allow."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from repeg.domain.child_order import Child, ChildState, Rung
from repeg.domain.decision import Action
from repeg.domain.moment import Moment
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import LADDERS, decide, due_rung
from repeg.domain.quote import Quote, Side
from repeg.domain.setting_types import Escalation
from repeg.domain.settings import Settings
from tests.builders import NOON, a_child, a_moment, a_quote, after_noon, an_order, resting, settings_with
from tests.domain.desk import act, displayed

Step = tuple[int, str, str, str | None]

WIDE_BOOK = a_quote("100.00", "100.10")
ONE_TICK = a_quote("100.00", "100.01")


def decisions_of(order: ParentOrder, others: Quote, settings: Settings, turns: int) -> list[Step]:
    """The decisions of an order that never fills, every thirty seconds in an otherwise unchanging market."""
    steps: list[Step] = []
    for turn in range(turns):
        now = after_noon(30 * turn)
        decision = decide(order, displayed(others, order, now), a_moment(now), settings)
        limit = None if decision.limit is None else str(decision.limit)
        steps.append((30 * turn, decision.verb, decision.reason, limit))
        order = act(order, decision, now)
    return steps


PATIENT: list[Step] = [(0, "place", "improve", "100.01"), (30, "hold", "near", "100.01")]

LADDER_IN_A_WIDE_BOOK: dict[str, list[Step]] = {
    "none": [
        *PATIENT,
        (60, "hold", "near", "100.01"),
        (90, "hold", "near", "100.01"),
        (120, "hold", "near", "100.01"),
        (150, "hold", "near", "100.01"),
    ],
    "mid": [
        *PATIENT,
        (60, "move", "patience_spent", "100.05"),
        (90, "hold", "near", "100.05"),
        (120, "hold", "near", "100.05"),
        (150, "hold", "near", "100.05"),
    ],
    "cross": [
        *PATIENT,
        (60, "move", "patience_spent", "100.05"),
        (90, "cross", "patience_spent", "105.00"),
        (120, "hold", "working", "105.00"),
        (150, "hold", "working", "105.00"),
    ],
    "market": [
        *PATIENT,
        (60, "move", "patience_spent", "100.05"),
        (90, "cross", "patience_spent", "105.00"),
        (120, "cross", "patience_spent", None),
        (150, "hold", "working", None),
    ],
}


@pytest.mark.parametrize("escalation", list(Escalation))
def test_the_ladder_escalates_turn_by_turn(escalation: Escalation) -> None:
    settings = settings_with(patience_seconds=60, escalation=escalation, max_spread_pct=1)
    assert decisions_of(an_order(), WIDE_BOOK, settings, 6) == LADDER_IN_A_WIDE_BOOK[escalation]


def test_a_one_tick_spread_skips_the_mid() -> None:
    steps = decisions_of(an_order(), ONE_TICK, settings_with(patience_seconds=60, max_spread_pct=1), 3)
    assert steps == [
        (0, "place", "join", "100.00"),
        (30, "hold", "near", "100.00"),
        (60, "cross", "patience_spent", "105.00"),
    ]


def test_a_sell_escalates_like_a_buy() -> None:
    steps = decisions_of(an_order(Side.SELL), WIDE_BOOK, settings_with(patience_seconds=60), 4)
    assert steps == [
        (0, "place", "improve", "100.09"),
        (30, "hold", "near", "100.09"),
        (60, "move", "patience_spent", "100.05"),
        (90, "cross", "patience_spent", "95.00"),
    ]


def test_each_escalation_allows_one_rung_more_than_the_last() -> None:
    rungs = tuple(rung for rung in Rung if rung is not Rung.TAKE)
    assert [LADDERS[escalation] for escalation in Escalation] == [rungs[: n + 1] for n in range(4)]


@pytest.mark.parametrize(("seconds", "rung"), [(284, Rung.PASSIVE), (285, Rung.MID), (300, Rung.MID)])
def test_patience_is_counted_from_the_first_placement(seconds: int, rung: Rung) -> None:
    now = after_noon(seconds)
    assert due_rung(resting("100.01"), WIDE_BOOK, a_moment(now), settings_with())[0] is rung


def at(order: ParentOrder, bid: str, ask: str, settings: Settings, seconds: int = 30) -> tuple[Action, str, Rung]:
    now = after_noon(seconds)
    decision = decide(order, a_quote(bid, ask, at=now), a_moment(now), settings)
    return decision.verb, decision.reason, decision.rung


def test_exhausted_moves_escalate_only_after_the_market_moves_away() -> None:
    spent = resting("100.01", moves=10)
    assert at(spent, "100.01", "100.11", settings_with()) == (Action.HOLD, "near", Rung.PASSIVE)
    assert at(spent, "100.30", "100.40", settings_with()) == (Action.MOVE, "moves_spent", Rung.MID)


def test_exhausted_moves_without_escalation_hold_the_order() -> None:
    assert at(resting("100.01", moves=10), "100.30", "100.40", settings_with(escalation="none")) == (
        Action.HOLD,
        "moves_spent",
        Rung.PASSIVE,
    )


def test_an_order_at_the_mid_follows_the_market() -> None:
    to_the_mid = settings_with(escalation="mid")
    order = resting("100.05", rung=Rung.MID, moves=1)
    now = after_noon(600)
    decision = decide(order, a_quote("100.30", "100.40", at=now), a_moment(now), to_the_mid)
    assert (decision.verb, decision.reason, decision.limit) == (Action.MOVE, "near_moved", Decimal("100.35"))
    assert at(order.model_copy(update={"moves": 10}), "100.30", "100.40", to_the_mid) == (
        Action.HOLD,
        "moves_spent",
        Rung.MID,
    )


def test_an_order_at_the_mid_out_of_moves_crosses() -> None:
    order = resting("100.05", rung=Rung.MID, moves=11)
    assert at(order, "100.05", "100.11", settings_with()) == (Action.HOLD, "near", Rung.MID)
    assert at(order, "100.30", "100.40", settings_with()) == (Action.CROSS, "moves_spent", Rung.CROSS)


def test_an_order_at_its_collar_goes_to_market_if_allowed() -> None:
    stuck = resting("100.50", collar=Decimal("100.50"))
    market = settings_with(escalation="market")
    assert at(stuck, "100.80", "100.90", market) == (Action.HOLD, "collar", Rung.PASSIVE)
    assert at(stuck, "100.80", "100.90", market, seconds=300) == (Action.CROSS, "patience_spent", Rung.MARKET)
    assert at(stuck, "100.80", "100.90", settings_with(), seconds=300) == (Action.HOLD, "collar", Rung.PASSIVE)


def test_a_crossing_order_is_held_once_the_market_passes_its_collar() -> None:
    order = resting("100.50", rung=Rung.CROSS, collar=Decimal("100.50"))
    assert at(order, "100.45", "100.50", settings_with(), 330) == (Action.HOLD, "working", Rung.CROSS)
    assert at(order, "100.46", "100.51", settings_with(), 330) == (Action.HOLD, "collar", Rung.CROSS)


NOT_YET_PLACED: tuple[Child, ...] = ()
PASSIVE = (a_child("100.01"),)
LAST_TURNS = timedelta(seconds=60)


@pytest.mark.parametrize(
    ("escalation", "children", "verb", "reason", "limit"),
    [
        ("none", NOT_YET_PLACED, Action.PLACE, "improve", "100.01"),
        ("none", PASSIVE, Action.HOLD, "near", "100.01"),
        ("mid", NOT_YET_PLACED, Action.PLACE, "close_is_near", "100.05"),
        ("mid", PASSIVE, Action.MOVE, "close_is_near", "100.05"),
        ("cross", NOT_YET_PLACED, Action.CROSS, "close_is_near", "105.00"),
        ("cross", PASSIVE, Action.CROSS, "close_is_near", "105.00"),
        ("market", NOT_YET_PLACED, Action.CROSS, "close_is_near", "105.00"),
        ("market", PASSIVE, Action.CROSS, "close_is_near", "105.00"),
    ],
)
def test_an_order_near_the_close_escalates_at_once(
    escalation: str, children: tuple[Child, ...], verb: Action, reason: str, limit: str
) -> None:
    order = an_order(Side.BUY, "100", *children, first_placed_at=NOON if children else None)
    near_the_close = Moment(now=NOON, closes=NOON + LAST_TURNS, turn_seconds=30)
    decision = decide(order, WIDE_BOOK, near_the_close, settings_with(escalation=escalation))
    assert (decision.verb, decision.reason, decision.limit) == (verb, reason, Decimal(limit))


def test_the_last_turn_sends_a_market_order_if_allowed() -> None:
    crossing = resting("105.00", rung=Rung.CROSS)
    last = Moment(now=NOON, closes=NOON + timedelta(seconds=30), turn_seconds=30)
    assert decide(crossing, WIDE_BOOK, last, settings_with(escalation="market")).rung is Rung.MARKET
    assert decide(crossing, WIDE_BOOK, last, settings_with()).verb is Action.HOLD


def test_the_close_is_near_with_two_turns_left() -> None:
    left = {
        seconds: Moment(now=after_noon(-seconds), closes=NOON, turn_seconds=30).close_is_near
        for seconds in (0, 30, 60, 61)
    }
    assert left == {0: True, 30: True, 60: True, 61: False}


def test_a_wide_book_is_not_crossed_even_near_the_close() -> None:
    last = Moment(now=NOON, closes=NOON + LAST_TURNS, turn_seconds=30)
    decision = decide(resting("100.01"), a_quote("100.01", "101.00"), last, settings_with(escalation="market"))
    assert (decision.verb, decision.reason) == (Action.HOLD, "wide")


def test_a_market_order_after_partial_fills_is_for_the_remainder() -> None:
    gone = a_child(qty="100", filled="70", price="100.01", state=ChildState.CANCELED)
    order = an_order(Side.BUY, "100", gone, a_child(None, qty="30", n=2, rung=Rung.MARKET))
    assert order.remaining == 30
    assert order.open_child is not None
    assert order.open_child.remaining == 30
