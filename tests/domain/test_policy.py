"""The policy of looks: where an order rests, when it follows and retreats, and when it takes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg.domain import tick
from repeg.domain.child_order import ChildState, Rung
from repeg.domain.decision import Action, Decision
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import decide
from repeg.domain.pieces import patience_of, piece
from repeg.domain.policy import depends_on_fills, having_looked
from repeg.domain.quote import Quote, Side
from repeg.domain.settings import Settings
from tests.builders import (
    MONDAY,
    NOON,
    WINDOW_CLOSES,
    a_child,
    a_moment,
    a_quote,
    after_noon,
    an_order,
    resting,
    settings_with,
)

NORMAL = settings_with(policy="normal")


def seen(
    order: ParentOrder,
    bid: str,
    ask: str,
    *,
    settings: Settings = NORMAL,
    seconds: float = 2,
    bid_size: str = "500",
    ask_size: str = "500",
) -> Decision:
    """The decision on a book of 500 by 500, so many seconds after the child was sent."""
    now = after_noon(seconds)
    return decide(order, a_quote(bid, ask, bid_size=bid_size, ask_size=ask_size, at=now), a_moment(now), settings)


def brief(decision: Decision) -> tuple[Action, str, str]:
    return decision.verb, decision.reason, str(decision.limit)


@pytest.mark.parametrize(
    ("side", "bid", "ask", "reason", "limit"),
    [
        (Side.BUY, "100.00", "100.05", "improve", "100.01"),
        (Side.SELL, "100.00", "100.05", "improve", "100.04"),
        (Side.BUY, "100.00", "100.01", "join", "100.00"),
        (Side.SELL, "100.00", "100.01", "join", "100.01"),
        (Side.BUY, "0.9998", "1.0000", "improve", "0.9999"),
        (Side.SELL, "0.9998", "1.0000", "improve", "0.9999"),
    ],
)
def test_the_first_child_rests_a_tick_inside_or_joins(side: Side, bid: str, ask: str, reason: str, limit: str) -> None:
    collar = Decimal(105) if side is Side.BUY else Decimal("0.5")
    decision = seen(an_order(side, collar=collar), bid, ask, settings=settings_with(policy="normal"))
    assert (decision.verb, decision.reason, decision.rung) == (Action.PLACE, reason, Rung.PASSIVE)
    assert decision.limit == Decimal(limit)


def test_a_child_follows_others_only_after_it_has_rested_for_a_while() -> None:
    order = resting("100.01", spreads=(5,))
    assert seen(order, "100.02", "100.07", seconds=29).verb is Action.HOLD
    followed = seen(order, "100.02", "100.07", seconds=30)
    assert brief(followed) == (Action.MOVE, "follow", "100.03")
    assert followed.is_counted


def test_a_child_whose_quote_hides_the_others_retreats_at_once() -> None:
    # Alone at 100.04, and the ask is a tick away: the others are taken to be 3/4 of four ticks below it.
    order = resting("100.04", spreads=(4, 4, 4))
    retreat = seen(order, "100.04", "100.05", bid_size="100")
    assert brief(retreat) == (Action.MOVE, "retreat", "100.03")
    assert not retreat.is_counted


def test_a_child_remembers_the_others_that_its_own_quote_hides() -> None:
    # Sent on 100.00 × 100.07: the others are hidden, and fall with the ask, less a quarter of the usual spread.
    order = resting("100.01", spreads=(8,), sent_near=Decimal("100.00"), sent_far=Decimal("100.07"))
    assert seen(order, "100.01", "100.07", bid_size="100").verb is Action.HOLD
    assert seen(order, "100.01", "100.05", bid_size="100").verb is Action.HOLD
    assert brief(seen(order, "100.01", "100.04", bid_size="100")) == (Action.MOVE, "retreat", "100.00")
    # After six seconds they are also taken to be three quarters of the usual spread away from the ask.
    assert seen(order, "100.01", "100.06", bid_size="100", seconds=6).verb is Action.HOLD
    assert seen(order, "100.01", "100.05", bid_size="100", seconds=5).verb is Action.HOLD
    assert brief(seen(order, "100.01", "100.05", bid_size="100", seconds=6)) == (Action.MOVE, "retreat", "100.00")


def test_a_sell_remembers_the_others_that_its_own_quote_hides() -> None:
    order = resting("100.06", Side.SELL, spreads=(8,), sent_near=Decimal("100.07"), sent_far=Decimal("100.00"))
    assert seen(order, "100.02", "100.06", ask_size="100").verb is Action.HOLD
    assert brief(seen(order, "100.03", "100.06", ask_size="100")) == (Action.MOVE, "retreat", "100.07")


def test_only_a_move_that_an_unread_fill_would_explain_depends_on_it() -> None:
    now = a_moment(after_noon(2))
    one_tick = resting("100.00", spreads=(1,))
    weak, faint = (a_quote("100.00", "100.01", bid_size=size, ask_size="700", at=now.now) for size in ("400", "200"))
    assert depends_on_fills(one_tick, weak, now, NORMAL)
    assert not depends_on_fills(one_tick, faint, now, NORMAL)
    strong = a_quote("100.00", "100.01", bid_size="900", ask_size="300", at=now.now)
    assert not depends_on_fills(one_tick, strong, now, NORMAL)
    alone = a_quote("100.04", "100.05", bid_size="100", at=now.now)
    assert depends_on_fills(resting("100.04", spreads=(4,)), alone, now, NORMAL)


def test_a_child_that_stands_where_others_would_be_stays() -> None:
    order = resting("100.01", spreads=(4,))
    assert seen(order, "100.01", "100.04", bid_size="100", seconds=90).verb is Action.HOLD


def test_a_child_never_outbids_its_own_quote() -> None:
    order = resting("100.01", spreads=(4,))
    for seconds in (2, 60, 250):
        assert seen(order, "100.01", "100.09", bid_size="100", seconds=seconds).verb is Action.HOLD


@pytest.mark.parametrize("side", Side)
def test_a_one_tick_spread_is_taken_when_our_side_outweighs_the_far_side(side: Side) -> None:
    bids, asks = ("700", "300") if side is Side.BUY else ("300", "700")
    decision = seen(an_order(side), "100.00", "100.01", bid_size=bids, ask_size=asks)
    assert brief(decision) == (Action.CROSS, "imbalance", "100.01" if side is Side.BUY else "100.00")
    assert decision.rung is Rung.TAKE


def test_an_order_steps_back_when_the_far_side_outweighs_ours() -> None:
    assert brief(seen(an_order(), "100.00", "100.01", bid_size="300", ask_size="700")) == (
        Action.PLACE, "step_back", "99.99",
    )  # fmt: skip
    stepping = seen(resting("100.00", spreads=(1,)), "100.00", "100.01", bid_size="400", ask_size="700")
    assert brief(stepping) == (Action.MOVE, "step_back", "99.99")
    assert not stepping.is_counted


def test_our_own_shares_are_not_counted_in_the_imbalance() -> None:
    order = resting("100.00", spreads=(1,))
    # 750 displayed, 100 of them ours: 650 against 300 is 0.68.
    assert seen(order, "100.00", "100.01", bid_size="750", ask_size="300").verb is Action.HOLD
    assert seen(order, "100.00", "100.01", bid_size="800", ask_size="300").reason == "imbalance"


def test_imbalance_is_ignored_where_the_usual_spread_is_wider() -> None:
    order = an_order(spreads=(2, 2, 2))
    assert seen(order, "100.00", "100.01", bid_size="900", ask_size="100").reason == "join"
    assert seen(order, "100.00", "100.01", bid_size="100", ask_size="900").reason == "join"


def test_a_spread_that_is_tight_against_the_usual_one_is_taken() -> None:
    order = an_order(spreads=(6, 6, 6))
    assert brief(seen(order, "100.00", "100.02")) == (Action.CROSS, "tight", "100.02")
    assert seen(order, "100.00", "100.03").reason == "improve"
    assert seen(order, "100.00", "100.02", settings=settings_with(policy="normal", tight_share=0)).reason == "improve"


def test_spent_patience_takes_the_far_touch_and_not_the_collar() -> None:
    order = resting("100.01", spreads=(5,))
    assert seen(order, "100.01", "100.06", seconds=298, bid_size="100").verb is Action.HOLD
    # Half a look early is on time: a look falls a moment before its time.
    taken = seen(order, "100.01", "100.06", seconds=299, bid_size="100")
    assert brief(taken) == (Action.CROSS, "patience_spent", "100.06")
    left = resting("100.06", rung=Rung.TAKE, spreads=(5,))
    assert brief(seen(left, "100.06", "100.08", seconds=300, bid_size="100"))[2] == "100.08"


@pytest.mark.parametrize(("policy", "seconds"), [("patient", 1_800), ("normal", 300), ("urgent", 60)])
def test_each_preset_has_a_horizon_of_its_own(policy: str, seconds: int) -> None:
    assert patience_of(an_order(), settings_with(policy=policy)) == timedelta(seconds=seconds)


def test_moves_that_are_spent_take_when_others_have_improved_again() -> None:
    order = resting("100.01", spreads=(5,), moves=10)
    assert brief(seen(order, "100.03", "100.08")) == (Action.CROSS, "moves_spent", "100.08")
    assert seen(order, "100.01", "100.08").verb is Action.HOLD


def test_moves_that_are_spent_still_take_once_the_child_is_cancelled() -> None:
    cancelled = a_child("100.01", state=ChildState.CANCELED)
    order = an_order(Side.BUY, "100", cancelled, spreads=(5,), moves=10, first_placed_at=NOON)
    assert brief(seen(order, "100.03", "100.08")) == (Action.CROSS, "moves_spent", "100.08")
    assert seen(order, "100.01", "100.08").verb is Action.PLACE


@pytest.mark.parametrize("escalation", ["none", "mid"])
def test_an_order_that_may_not_cross_never_takes(escalation: str) -> None:
    settings = settings_with(policy="normal", escalation=escalation)
    order = resting("100.00", spreads=(1,))
    for seconds in (2, 400):
        decision = seen(order, "100.00", "100.01", settings=settings, seconds=seconds, bid_size="900")
        assert decision.verb is Action.HOLD


def test_no_price_beyond_the_collar_is_taken_or_rested_at() -> None:
    order = resting("100.01", collar=Decimal("100.04"), spreads=(5,))
    assert brief(seen(order, "100.05", "100.10", seconds=400)) == (Action.MOVE, "follow", "100.04")
    at_the_collar = resting("100.04", collar=Decimal("100.04"), spreads=(5,))
    assert brief(seen(at_the_collar, "100.05", "100.10", seconds=400))[:2] == (Action.HOLD, "collar")


def test_the_last_turns_cross_at_the_collar() -> None:
    now = WINDOW_CLOSES - timedelta(seconds=60)
    for rung in (Rung.PASSIVE, Rung.TAKE):
        order = resting("100.01", rung=rung, collar=Decimal("100.50"))
        decision = decide(order, a_quote("100.00", "100.05", at=now), a_moment(now), NORMAL)
        assert (decision.verb, decision.rung, decision.limit) == (Action.CROSS, Rung.CROSS, Decimal("100.50"))


def test_a_take_at_the_collar_stays_there_in_the_last_turns() -> None:
    now = WINDOW_CLOSES - timedelta(seconds=60)
    order = resting("100.05", rung=Rung.TAKE, collar=Decimal("100.05"))
    assert decide(order, a_quote("100.04", "100.06", at=now), a_moment(now), NORMAL).verb is Action.HOLD


def test_a_coarse_tick_never_moves_a_child_to_its_own_price() -> None:
    settings = settings_with(policy="normal", tick_size="0.05")
    order = resting("100.05", spreads=(1,))
    assert seen(order, "100.07", "100.17", settings=settings, seconds=60).limit == Decimal("100.10")
    held = seen(order, "100.03", "100.13", settings=settings, seconds=60)
    assert (held.verb, held.limit) == (Action.HOLD, Decimal("100.05"))


def test_a_fallback_child_is_left_where_it_is() -> None:
    child = a_child("100.50", rung=Rung.CROSS).model_copy(update={"is_fallback": True})
    order = an_order(Side.BUY, "100", child, first_placed_at=NOON, rung=Rung.CROSS)
    assert brief(seen(order, "100.00", "100.01", bid_size="900"))[:2] == (Action.HOLD, "working")


class TestPieces:
    """An order is worked in children of about the displayed size."""

    quote = a_quote("100.00", "100.05", bid_size="300", ask_size="200")

    def of(self, target: str, rung: Rung = Rung.PASSIVE, *, left: str | None = None, **moment: Any) -> Decimal:
        decision = Decision(verb=Action.PLACE, reason="", because="", rung=rung, limit=Decimal("100.01"))
        order = an_order(Side.BUY, target)
        return piece(order, self.quote, decision, Decimal(left or target), a_moment(**moment), NORMAL)

    def test_a_child_is_as_large_as_what_its_side_displays(self) -> None:
        assert self.of("1000") == 300
        assert self.of("1000", Rung.TAKE) == 200
        assert self.of("250") == 250

    def test_a_child_is_at_least_a_twentieth_of_its_parent(self) -> None:
        assert self.of("10000") == 500

    def test_a_fraction_is_never_left_for_an_order_of_its_own(self) -> None:
        assert self.of("300.5") == Decimal("300.5")
        assert self.of("301.5") == 300

    def test_an_order_is_not_cut_when_crossing_at_the_collar(self) -> None:
        assert self.of("1000", Rung.CROSS) == 1_000

    def test_an_order_is_not_cut_when_too_few_turns_are_left(self) -> None:
        assert self.of("1000", now=WINDOW_CLOSES - timedelta(minutes=11)) == 1_000
        assert self.of("1000", now=WINDOW_CLOSES - timedelta(minutes=12)) == 300

    def test_patience_grows_with_the_number_of_pieces(self) -> None:
        order = an_order(Side.BUY, "1000")
        assert patience_of(order, NORMAL) == timedelta(seconds=600)
        assert patience_of(an_order(Side.BUY, "50000"), NORMAL) == timedelta(seconds=1_800)
        assert patience_of(an_order(Side.BUY, "10"), NORMAL) == timedelta(seconds=300)


class TestUsualSpread:
    """The usual spread is the median of samples twenty seconds apart."""

    def test_a_look_samples_the_spread_every_twenty_seconds(self) -> None:
        order, quote = an_order(), a_quote("100.00", "100.03")
        once = having_looked(order, quote, a_moment(NOON), NORMAL)
        assert (once.spreads, once.spread_at) == ((3,), NOON)
        assert having_looked(once, quote, a_moment(after_noon(19)), NORMAL) is once
        assert having_looked(once, quote, a_moment(after_noon(20)), NORMAL).spreads == (3, 3)

    def test_only_the_latest_samples_are_kept(self) -> None:
        order = an_order(spreads=tuple(range(1, 17)), spread_at=NOON)
        later = having_looked(order, a_quote("100.00", "100.20"), a_moment(after_noon(20)), NORMAL)
        assert later.spreads == (*range(2, 17), 20)

    def test_a_spread_that_our_own_quote_makes_is_not_sampled(self) -> None:
        order = resting("100.01")
        assert having_looked(order, a_quote("100.01", "100.05", bid_size="100"), a_moment(), NORMAL) is order

    @pytest.mark.parametrize(("bid", "ask"), [("0", "100.00"), ("100.01", "100.01"), ("100.02", "100.01")])
    def test_a_book_without_a_spread_is_not_sampled(self, bid: str, ask: str) -> None:
        order = an_order()
        assert having_looked(order, a_quote(bid, ask), a_moment(), NORMAL) is order

    def test_the_original_rule_samples_nothing(self) -> None:
        order = an_order()
        assert having_looked(order, a_quote(), a_moment(), settings_with()) is order


prices = st.integers(1, 40).map(lambda ticks: 10_000 + ticks)


@given(
    side=st.sampled_from(Side), bid=prices, width=st.integers(1, 12), limit=st.none() | prices,
    bid_size=st.integers(100, 2_000), ask_size=st.integers(100, 2_000), seconds=st.integers(0, 400),
    spreads=st.lists(st.integers(1, 12), max_size=4), cents=st.sampled_from(["0.01", "0.05"]),
    escalation=st.sampled_from(["none", "mid", "cross"]), collar=st.integers(-5, 30),
)  # fmt: skip
def test_every_limit_is_on_the_tick_and_inside_the_collar(
    side: Side, bid: int, width: int, limit: int | None, bid_size: int, ask_size: int, seconds: int,
    spreads: list[int], cents: str, escalation: str, collar: int,
) -> None:  # fmt: skip
    settings = settings_with(policy="normal", tick_size=cents, escalation=escalation)
    step = Decimal(cents)
    worst = (Decimal(10_020 + side.sign * collar) / 100 / step).to_integral_value() * step
    known: dict[str, Any] = {"collar": worst, "spreads": tuple(spreads), "first_placed_at": NOON}
    resting_at = None if limit is None else (Decimal(limit) / 100 / step).to_integral_value() * step
    if resting_at is not None:
        resting_at = min(resting_at, worst) if side is Side.BUY else max(resting_at, worst)
    children = [] if resting_at is None else [a_child(str(resting_at))]
    order, now = an_order(side, "100", *children, **known), after_noon(seconds)
    quote = Quote(
        symbol="AAPL", bid=Decimal(bid) / 100, bid_size=Decimal(bid_size), ask=Decimal(bid + width) / 100,
        ask_size=Decimal(ask_size), at=now,
    )  # fmt: skip
    decision = decide(order, quote, a_moment(now), settings)
    if not decision.sends or decision.limit is None:
        return
    assert decision.limit % tick.tick_at(decision.limit, MONDAY, step) == 0
    assert side.sign * (decision.limit - worst) <= 0
    assert decision.limit != resting_at
    far = quote.far(side)
    if decision.rung is Rung.PASSIVE:
        assert side.sign * (decision.limit - far) < 0
    else:
        assert escalation == "cross"
        assert side.sign * (decision.limit - far) >= 0 or decision.limit == worst


# One venue's book

IEX = settings_with(policy="normal", data_feed="iex")


def test_the_sizes_of_one_venue_are_not_read() -> None:
    """Its queues are a small part of the market's, and empty when the market's are long."""
    order = resting("100.00", spreads=(1,))
    for bid_size, ask_size in (("900", "100"), ("300", "900")):
        assert seen(order, "100.00", "100.01", bid_size=bid_size, ask_size=ask_size, settings=IEX).verb is Action.HOLD
        assert seen(order, "100.00", "100.01", bid_size=bid_size, ask_size=ask_size).verb is not Action.HOLD


def test_an_order_retreats_with_one_venue_only_by_a_part_of_the_usual_spread() -> None:
    """Its others fall away where the market's may stay."""
    order = resting("100.04", spreads=(8,))
    for bid in ("100.02", "100.01"):
        assert seen(order, bid, "100.09").reason == "retreat"
        assert seen(order, bid, "100.09", settings=IEX).verb is Action.HOLD
    assert brief(seen(order, "100.00", "100.09", settings=IEX)) == (Action.MOVE, "retreat", "100.01")
    narrow = resting("100.02", spreads=(1,))
    assert seen(narrow, "100.01", "100.02", settings=IEX).verb is Action.HOLD
    assert brief(seen(narrow, "99.99", "100.01", settings=IEX)) == (Action.MOVE, "retreat", "100.00")


def test_a_single_venues_better_price_is_followed_and_then_taken() -> None:
    order = resting("100.01", spreads=(5,))
    assert brief(seen(order, "100.02", "100.07", seconds=30, settings=IEX)) == (Action.MOVE, "follow", "100.03")
    assert brief(seen(order, "100.02", "100.07", seconds=300, settings=IEX)) == (
        Action.CROSS,
        "patience_spent",
        "100.07",
    )
