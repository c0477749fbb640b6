"""Escalation comes in the turn nearest to its time, and a thin book does not hold it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from repeg.domain.child_order import ChildState, Rung
from repeg.domain.decision import Action, Decision
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import decide
from repeg.domain.quote import QuoteVerdict, Side
from repeg.domain.quote_check import check_waiting_order
from repeg.domain.settings import Settings
from tests.builders import NOON, a_child, a_moment, a_quote, after_noon, an_order, resting, settings_with

MINUTE = settings_with(patience_seconds=60, max_spread_pct=1)
LOOKING = settings_with(policy="normal", patience_seconds=60, max_spread_pct=1, imbalance_cross=1)


def at(
    seconds: float, order: ParentOrder, settings: Settings, *, closes_in: float = 10_800, shown: str = "40"
) -> Decision:
    """The decision on a book of 100.00 × 100.10 with few shares on the near side, so many seconds after noon."""
    now = after_noon(seconds)
    sizes = {"bid_size": shown} if order.side is Side.BUY else {"ask_size": shown}
    quote = a_quote("100.00", "100.10", at=now, **sizes)
    return decide(order, quote, a_moment(now, closes=now + timedelta(seconds=closes_in)), settings)


def brief(decision: Decision) -> tuple[Action, str]:
    return decision.verb, decision.reason


@pytest.mark.parametrize(
    ("placed", "at_60", "at_90"), [(0.4, "patience_spent", "patience_spent"), (20, "near", "patience_spent")]
)
def test_patience_is_spent_in_the_turn_nearest_to_its_end(placed: float, at_60: str, at_90: str) -> None:
    """A turn falls a moment before an order's age is round, because the order was placed a moment after its turn."""
    order = resting("100.01", first_placed_at=after_noon(placed))
    assert at(60, order, MINUTE, shown="500").reason == at_60
    assert at(90, order, MINUTE, shown="500").reason == "patience_spent"


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize(("settings", "verb"), [(MINUTE, Action.MOVE), (LOOKING, Action.CROSS)])
def test_a_thin_book_does_not_hold_spent_patience(settings: Settings, verb: Action, side: Side) -> None:
    order = resting("99.99" if side is Side.BUY else "100.11", side)
    assert brief(at(30, order, settings)) == (Action.HOLD, "thin")
    assert brief(at(60, order, settings)) == (verb, "patience_spent")


@pytest.mark.parametrize("settings", [MINUTE, LOOKING])
def test_a_thin_book_does_not_hold_the_last_turns(settings: Settings) -> None:
    crossed = at(30, resting("99.99"), settings, closes_in=59)
    assert (brief(crossed), crossed.rung) == ((Action.CROSS, "close_is_near"), Rung.CROSS)


def test_a_thin_book_does_not_hold_an_order_whose_moves_are_spent() -> None:
    settings = settings_with(max_repegs=2, repeg_threshold_pct=0, max_spread_pct=1)
    assert brief(at(30, resting("99.90", moves=2), settings)) == (Action.MOVE, "moves_spent")


def test_a_crossing_order_with_a_lost_child_crosses_a_thin_book_again() -> None:
    gone = a_child("105.00", rung=Rung.CROSS, state=ChildState.EXPIRED)
    order = an_order(Side.BUY, "100", gone, first_placed_at=NOON, rung=Rung.CROSS)
    assert brief(at(90, order, MINUTE)) == (Action.CROSS, "cross")


@pytest.mark.parametrize("settings", [MINUTE, LOOKING])
@pytest.mark.parametrize("escalation", ["none", "mid", "cross"])
def test_a_thin_book_holds_what_would_rest_there(settings: Settings, escalation: str) -> None:
    cautious = settings.model_copy(update={"escalation": escalation})
    first = an_order(Side.BUY, "100", first_placed_at=NOON if escalation == "none" else None)
    assert brief(at(90, first, cautious)) == (Action.HOLD, "thin")


def test_a_thin_book_holds_an_entering_market_order() -> None:
    assert brief(at(90, an_order(), settings_with(policy="market", max_spread_pct=1))) == (Action.HOLD, "thin")


def test_a_thin_book_frees_the_next_piece_once_patience_is_spent() -> None:
    order = an_order(Side.BUY, "100", first_placed_at=NOON)
    for seconds, verdict in ((30, QuoteVerdict.THIN), (60, QuoteVerdict.OK)):
        now = after_noon(seconds)
        quote = a_quote("100.00", "100.10", bid_size="40", at=now)
        check = check_waiting_order(order, quote, a_moment(now), LOOKING)
        assert (check.gate, check.frees) == (verdict, verdict is QuoteVerdict.OK)
    unseen = an_order(arrival=None, collar=None, first_placed_at=None)
    assert check_waiting_order(unseen, quote, a_moment(now, closes=after_noon(100)), LOOKING).gate is QuoteVerdict.THIN


# Orders without a limit


@pytest.mark.parametrize("feed", ["iex", "sip"])
@pytest.mark.parametrize(("seconds", "verb"), [(5, Action.CROSS), (6, Action.HOLD), (285, Action.HOLD)])
def test_no_market_order_is_sent_on_a_quote_of_more_than_the_configured_age(
    feed: str, seconds: int, verb: Action
) -> None:
    """One venue's quote stands until the venue changes it, and only a limit bounds what it would cost."""
    quote = a_quote(at=after_noon(-seconds))
    terms = {"data_feed": feed, "max_quote_age_seconds": 5}
    entering = decide(an_order(), quote, a_moment(), settings_with(policy="market", **terms))
    assert entering.verb is verb
    assert check_waiting_order(an_order(), quote, a_moment(), settings_with(policy="market", **terms)).frees is (
        verb is Action.CROSS
    )
    crossing = resting("100.50", rung=Rung.CROSS)
    late = a_moment(closes=after_noon(60))
    moved = decide(crossing, quote, late, settings_with(policy="anchor", escalation="market", **terms))
    assert (moved.verb, moved.rung) == (verb, Rung.MARKET if verb is Action.CROSS else Rung.CROSS)
