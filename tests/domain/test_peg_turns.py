"""One order in one turn: place, hold, move or finish, each with its reason."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from repeg.domain.child_order import ChildState, Rung
from repeg.domain.decision import Action, Decision
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import decide
from repeg.domain.quote import Quote, Side
from repeg.domain.settings import Settings
from tests.builders import NOON, a_child, a_moment, a_quote, after_noon, an_order, resting, settings_with

DEFAULTS = settings_with()
SOON = NOON + timedelta(seconds=30)


def next_step(order: ParentOrder, quote: Quote | None, settings: Settings = DEFAULTS) -> Decision:
    """The decision half a minute after noon on a current quote."""
    fresh = quote.model_copy(update={"at": SOON}) if quote is not None else None
    return decide(order, fresh, a_moment(SOON), settings)


def summarised(decision: Decision) -> tuple[Action, str, Decimal | None]:
    return decision.verb, decision.reason, decision.limit


def test_a_filled_order_is_finished_without_a_quote() -> None:
    done = an_order(Side.BUY, "100", a_child(filled="100", price="100.01", state=ChildState.FILLED))
    assert summarised(next_step(done, None)) == (Action.FINISH, "filled", None)


def test_the_first_child_improves_by_a_tick() -> None:
    decision = next_step(an_order(), a_quote("189.40", "189.44"), settings_with())
    assert summarised(decision) == (Action.PLACE, "collar", Decimal("105.00"))
    decision = next_step(an_order(collar=Decimal("190.00")), a_quote("189.40", "189.44"))
    assert summarised(decision) == (Action.PLACE, "improve", Decimal("189.41"))
    assert decision.because == "bid 189.40 × ask 189.44, improve by a tick"


def test_the_first_child_joins_in_a_one_tick_market() -> None:
    decision = next_step(an_order(), a_quote("100.00", "100.01"))
    assert summarised(decision) == (Action.PLACE, "join", Decimal("100.00"))
    assert decision.because == "bid 100.00 × ask 100.01, join the near side"


def test_an_order_without_an_arrival_quote_is_not_placed() -> None:
    unseen = an_order(arrival=None, collar=None)
    assert summarised(next_step(unseen, a_quote())) == (Action.HOLD, "not_arrived", None)
    assert summarised(next_step(unseen, a_quote(), settings_with(use_smart_limit_execution=False)))[0] is Action.HOLD


@pytest.mark.parametrize(
    ("quote", "reason", "because"),
    [
        (None, "missing", "no quote"),
        (a_quote("107", "0"), "one_sided", "bid 107.00 × no ask, one sided"),
        (a_quote("100.06", "100.05"), "crossed", "bid 100.06 × ask 100.05, crossed"),
        (a_quote("100.05", "100.05"), "locked", "bid 100.05 × ask 100.05, locked"),
        (a_quote("100.00", "100.50"), "wide", "bid 100.00 × ask 100.50, wide"),
    ],
)
def test_a_bad_book_holds_the_order_with_its_reason(quote: Quote | None, reason: str, because: str) -> None:
    for order, limit in [(an_order(), None), (resting("100.01"), Decimal("100.01"))]:
        decision = next_step(order, quote)
        assert summarised(decision) == (Action.HOLD, reason, limit)
        assert decision.because == because


def test_a_quote_of_the_last_turn_is_stale() -> None:
    decision = decide(resting(), a_quote(at=NOON), a_moment(SOON), DEFAULTS)
    assert summarised(decision) == (Action.HOLD, "stale", Decimal("100.01"))
    assert decision.because == "bid 100.00 × ask 100.05, stale: 30s old"
    unstamped = decide(resting(), a_quote(at=None), a_moment(SOON), DEFAULTS)
    assert unstamped.because.endswith("stale: no time stamp")


def test_an_unmoved_book_holds_the_order() -> None:
    decision = next_step(resting("100.01"), a_quote("100.01", "100.05"))
    assert summarised(decision) == (Action.HOLD, "near", Decimal("100.01"))
    assert decision.because == "bid 100.01, we are on top"


@pytest.mark.parametrize(
    ("bid", "verb"),
    [
        ("100.10", Action.HOLD),  # nine cents: under 0.1 percent of 100.01
        ("100.11", Action.HOLD),  # ten cents are 0.09999 percent
        ("100.12", Action.MOVE),
    ],
)
def test_a_move_needs_the_near_side_to_move_beyond_the_threshold(bid: str, verb: Action) -> None:
    ask = str(Decimal(bid) + Decimal("0.05"))
    assert next_step(resting("100.01"), a_quote(bid, ask)).verb is verb


def test_a_move_of_exactly_the_threshold_is_not_followed() -> None:
    one_percent = settings_with(repeg_threshold_pct="1")
    assert next_step(resting("100.00"), a_quote("101.00", "101.05"), one_percent).verb is Action.HOLD
    assert next_step(resting("100.00"), a_quote("101.01", "101.05"), one_percent).verb is Action.MOVE


@pytest.mark.parametrize(("bid", "verb"), [("100.04", Action.HOLD), ("100.06", Action.MOVE)])
def test_a_threshold_of_zero_still_needs_a_tick(bid: str, verb: Action) -> None:
    nickels = settings_with(repeg_threshold_pct="0", tick_size="0.05")
    assert next_step(resting("100.00"), a_quote(bid, "100.20"), nickels).verb is verb


def test_a_move_follows_the_near_side_and_is_counted() -> None:
    decision = next_step(resting("100.01", moves=3), a_quote("100.20", "100.25"))
    assert summarised(decision) == (Action.MOVE, "near_moved", Decimal("100.21"))
    assert decision.because == "bid rose to 100.20, move 4 of 10"
    decision = next_step(resting("100.04", Side.SELL), a_quote("99.80", "99.85"))
    assert summarised(decision) == (Action.MOVE, "near_moved", Decimal("99.84"))
    assert decision.because == "ask fell to 99.85, move 1 of 10"


def test_a_near_side_that_falls_back_is_not_followed() -> None:
    assert next_step(resting("100.01"), a_quote("99.00", "99.05")).verb is Action.HOLD
    assert next_step(resting("100.04", Side.SELL), a_quote("101.00", "101.05")).verb is Action.HOLD


def test_an_order_is_held_at_its_collar_once_the_market_passes_it() -> None:
    order = resting("100.50", collar=Decimal("100.50"))
    decision = next_step(order, a_quote("100.80", "100.85"))
    assert summarised(decision) == (Action.HOLD, "collar", Decimal("100.50"))
    assert decision.because == "bid 100.80 is past the collar 100.50"


def test_an_order_at_its_collar_is_held_for_the_collar() -> None:
    order = resting("100.50", collar=Decimal("100.50"))
    assert next_step(order, a_quote("100.51", "100.55")).reason == "collar"


def test_a_move_stops_at_the_collar() -> None:
    order = resting("100.01", collar=Decimal("100.50"))
    assert summarised(next_step(order, a_quote("100.80", "100.85"))) == (Action.MOVE, "near_moved", Decimal("100.50"))


def test_our_own_order_at_the_top_is_not_held_as_thin() -> None:
    ours_alone = a_quote("100.01", "100.05", bid_size="40")
    assert next_step(resting("100.01"), ours_alone).reason == "near"
    assert next_step(resting("100.00"), ours_alone).reason == "thin"
    assert next_step(an_order(), ours_alone).reason == "thin"


def test_an_order_without_limit_execution_is_sent_at_market() -> None:
    plain = settings_with(use_smart_limit_execution=False)
    assert summarised(next_step(an_order(), a_quote(), plain)) == (Action.CROSS, "market_orders", None)
    assert summarised(next_step(an_order(), a_quote("100.00", "100.50"), plain)) == (Action.HOLD, "wide", None)
    working = next_step(resting(None, rung=Rung.MARKET), a_quote(), plain)
    assert summarised(working) == (Action.HOLD, "working", None)


def test_an_order_with_an_expired_child_is_placed_for_the_remainder() -> None:
    gone = a_child(qty="10", filled="4", price="100.01", state=ChildState.EXPIRED)
    order = an_order(Side.BUY, "10", gone, first_placed_at=NOON)
    assert order.remaining == 6
    assert next_step(order, a_quote()).verb is Action.PLACE


def test_a_crossing_order_with_an_expired_child_crosses_again() -> None:
    gone = a_child("105.00", rung=Rung.CROSS, state=ChildState.EXPIRED)
    order = an_order(Side.BUY, "100", gone, first_placed_at=NOON, rung=Rung.CROSS)
    assert summarised(next_step(order, a_quote())) == (Action.CROSS, "cross", Decimal("105.00"))


def test_only_placing_moving_and_crossing_send_orders() -> None:
    sends = {verb for verb in Action if Decision(verb=verb, reason="", because="", rung=Rung.PASSIVE).sends}
    assert sends == {Action.PLACE, Action.MOVE, Action.CROSS}
    assert after_noon(30) == SOON
