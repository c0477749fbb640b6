"""The fallback: an order that its book holds until the close is near is sent once, never past its collar."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg.domain.child_order import Child, ChildState, Rung
from repeg.domain.decision import Action, Decision
from repeg.domain.fallback import is_worth_keeping
from repeg.domain.moment import Moment
from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import decide
from repeg.domain.pricing import collar, worse_by
from repeg.domain.quote import Quote, QuoteVerdict, Side
from repeg.domain.quote_check import check_waiting_order, is_new_hold
from repeg.domain.setting_types import Fallback
from repeg.domain.settings import Settings
from tests.builders import MONDAY, NOON, a_child, a_moment, a_quote, after_noon, an_order, resting, settings_with
from tests.domain.markets import OFF_GRID, ON_GRID, SIDES

LAST_MINUTES = a_moment(NOON, closes=NOON + timedelta(minutes=5))
EARLIER = a_moment(NOON, closes=NOON + timedelta(minutes=5, microseconds=1))
COLLAR = settings_with(fallback="collar")
MARKET = settings_with(fallback="market", escalation="market")
WIDE = a_quote("100.00", "101.00")
HELD: dict[str, Quote | None] = {
    "wide": WIDE,
    "thin": a_quote(bid_size="1"),
    "stale": a_quote(at=after_noon(-299)),
    "one_sided": a_quote("100.00", "0"),
    "crossed": a_quote("100.10", "100.05"),
    "locked": a_quote("100.05", "100.05"),
    "missing": None,
}


def held_order(side: Side = Side.BUY, target: str = "100", *children: Child, **fields: Any) -> ParentOrder:
    """An order that its book has held since the morning."""
    return an_order(side, target, *children, **{"held_by_book_since": after_noon(-9_000), **fields})


def never_arrived(side: Side = Side.BUY, **fields: Any) -> ParentOrder:
    return held_order(side, "100", arrival=None, collar=None, **fields)


def after_check(order: ParentOrder, quote: Quote | None, moment: Moment, settings: Settings) -> ParentOrder:
    """The order as ValidateQuotes leaves it."""
    check = check_waiting_order(order, quote, moment, settings)
    arrival = check.arrival(order, quote, moment.now)
    return order.arrived(arrival, check.collar) if order.arrival is None and arrival is not None else order


def whole_step(order: ParentOrder, quote: Quote | None, moment: Moment, settings: Settings) -> Decision:
    """The decision on an order right after its quote check."""
    return decide(after_check(order, quote, moment, settings), quote, moment, settings)


@pytest.mark.parametrize("verdict", list(HELD))
def test_a_held_order_is_sent_at_its_collar_in_the_last_minutes(verdict: str) -> None:
    decision = whole_step(held_order(), HELD[verdict], LAST_MINUTES, COLLAR)
    assert (decision.verb, decision.reason, decision.rung) == (Action.CROSS, "fallback", Rung.CROSS)
    assert decision.limit == held_order().collar
    assert decision.because.endswith("fallback to the collar")


@pytest.mark.parametrize("verdict", list(HELD))
def test_a_held_order_without_a_fallback_is_never_sent(verdict: str) -> None:
    decision = whole_step(held_order(), HELD[verdict], LAST_MINUTES, settings_with())
    assert (decision.verb, decision.reason) == (Action.HOLD, verdict)


def test_a_fallback_waits_for_exactly_its_last_minutes() -> None:
    assert not whole_step(held_order(), WIDE, EARLIER, COLLAR).sends
    assert whole_step(held_order(), WIDE, LAST_MINUTES, COLLAR).sends


def test_a_fallback_comes_two_turns_before_the_close_at_the_latest() -> None:
    """Turns of five minutes look at the last minute once: when the window is over."""
    moment = a_moment(NOON, closes=NOON + timedelta(minutes=10), turn_seconds=300)
    assert whole_step(held_order(), WIDE, moment, settings_with(fallback="collar", fallback_minutes=1)).sends


def test_an_order_that_never_arrived_gets_its_collar_from_the_held_quote() -> None:
    freed = after_check(never_arrived(), WIDE, LAST_MINUTES, COLLAR)
    assert (freed.arrival, freed.collar) == (WIDE, Decimal("101.00"))  # 100.50 and 50 basis points, 101.0025
    assert decide(freed, WIDE, LAST_MINUTES, COLLAR).limit == Decimal("101.00")


@pytest.mark.parametrize("verdict", ["one_sided", "crossed", "missing"])
def test_a_book_without_a_mid_falls_back_on_the_last_two_sided_quote(verdict: str) -> None:
    last = a_quote("99.00", "101.00", at=after_noon(-3_600))
    freed = after_check(never_arrived(last_two_sided=last), HELD[verdict], LAST_MINUTES, COLLAR)
    assert (freed.arrival, freed.collar) == (last, Decimal("100.50"))
    assert decide(freed, HELD[verdict], LAST_MINUTES, COLLAR).limit == Decimal("100.50")
    assert not whole_step(never_arrived(), HELD[verdict], LAST_MINUTES, COLLAR).sends


@pytest.mark.parametrize("quote", [a_quote("0.01", "199999.99"), a_quote("90.00", "110.01"), a_quote("1.00", "1.23")])
def test_a_stub_quote_fixes_no_collar(quote: Quote) -> None:
    """The mid of a quote more than 20 % wide is no price."""
    assert not whole_step(never_arrived(), quote, LAST_MINUTES, COLLAR).sends
    assert whole_step(never_arrived(), a_quote("90.00", "110.00"), LAST_MINUTES, COLLAR).sends


@pytest.mark.parametrize(
    ("age", "sends"), [(299.999, True), (300, False), (3_600, False), (None, False), (-2, True), (-2.001, False)]
)
def test_a_quote_that_may_be_halted_is_not_followed_by_a_fallback(age: float | None, sends: bool) -> None:
    """A quote without a time stamp, or with one in the future, has no age to go by."""
    at = None if age is None else after_noon(-age)
    for book in (a_quote("100.00", "101.00", at=at), a_quote("100.00", "0", at=at), a_quote("100.10", "100.00", at=at)):
        assert whole_step(held_order(), book, LAST_MINUTES, COLLAR).sends is sends


def test_a_market_fallback_has_no_limit() -> None:
    decision = whole_step(held_order(), WIDE, LAST_MINUTES, MARKET)
    assert (decision.verb, decision.rung, decision.limit) == (Action.CROSS, Rung.MARKET, None)
    assert decision.because == "bid 100.00 × ask 101.00, wide, fallback to the market"


@pytest.mark.parametrize("quote", [HELD["one_sided"], HELD["crossed"], None, a_quote("97.50", "102.51")])
def test_a_market_fallback_needs_a_book_that_bounds_its_price(quote: Quote | None) -> None:
    """Two sides, at most 5 % apart; otherwise the collar bounds it."""
    decision = whole_step(held_order(), quote, LAST_MINUTES, MARKET)
    assert (decision.reason, decision.limit) == ("fallback", held_order().collar)
    assert whole_step(held_order(), a_quote("97.50", "102.50"), LAST_MINUTES, MARKET).limit is None


GONE = a_child(state=ChildState.CANCELED)


@pytest.mark.parametrize(
    ("child", "sends"),
    [
        (GONE, True),
        (GONE.model_copy(update={"is_fallback": True}), False),
        (a_child(state=ChildState.NEVER_ARRIVED).model_copy(update={"is_fallback": True}), False),
        (a_child(state=ChildState.REFUSED).model_copy(update={"is_fallback": True, "may_pass": True}), True),
    ],
)
def test_an_order_falls_back_once(child: Child, sends: bool) -> None:
    """A refusal that may pass does not count: the broker never had the order."""
    assert whole_step(held_order(Side.BUY, "100", child), WIDE, LAST_MINUTES, COLLAR).sends is sends


def test_an_order_with_an_open_child_does_not_fall_back() -> None:
    assert not whole_step(resting(), WIDE, LAST_MINUTES, COLLAR).sends


@pytest.mark.parametrize("escalation", ["none", "mid", "cross"])
def test_a_fallback_at_its_collar_rests_there_in_a_good_book(escalation: str) -> None:
    crossing = resting("105.00", rung=Rung.CROSS)
    settings = settings_with(fallback="collar", escalation=escalation)
    for moment in (LAST_MINUTES, a_moment(NOON, closes=after_noon(30))):
        assert not decide(crossing, a_quote(), moment, settings).sends


def test_a_fallback_at_its_collar_goes_to_the_market_only_where_allowed() -> None:
    crossing = resting("105.00", rung=Rung.CROSS)
    settings = settings_with(fallback="collar", escalation="market")
    assert decide(crossing, a_quote(), a_moment(NOON, closes=after_noon(30)), settings).rung is Rung.MARKET


@pytest.mark.parametrize(("escalation", "rung"), [("none", Rung.PASSIVE), ("mid", Rung.MID), ("cross", Rung.CROSS)])
def test_a_lost_fallback_is_followed_by_a_rung_of_the_ladder(escalation: str, rung: Rung) -> None:
    """In a good book the order is placed as its settings say, not where the fallback was."""
    lost = held_order(
        Side.BUY, "100", GONE.model_copy(update={"is_fallback": True}), rung=Rung.CROSS, first_placed_at=NOON
    )
    assert decide(lost, a_quote(), a_moment(), settings_with(fallback="collar", escalation=escalation)).rung is rung


@pytest.mark.parametrize(
    ("kept_age", "quote", "is_kept"),
    [
        (None, WIDE, True),
        (299.999, WIDE, False),
        (300, WIDE, True),
        (None, HELD["one_sided"], False),
        (None, HELD["crossed"], False),
        (None, HELD["locked"], True),
        (None, None, False),
        (None, a_quote(at=after_noon(-300)), False),
        (None, a_quote(at=None), False),
    ],
)
def test_a_held_order_keeps_a_quote_with_a_mid_every_five_minutes(
    kept_age: float | None, quote: Quote | None, is_kept: bool
) -> None:
    kept = None if kept_age is None else a_quote(at=after_noon(-kept_age))
    order = never_arrived(last_two_sided=kept)
    assert is_worth_keeping(order, quote, NOON, COLLAR) is is_kept
    assert not is_worth_keeping(order, quote, NOON, settings_with())
    assert not is_worth_keeping(held_order(last_two_sided=kept), quote, NOON, COLLAR)


PRICES = st.just(Decimal(0)) | ON_GRID | OFF_GRID
AGES = st.none() | st.integers(-3_600_000, 3_600_000).map(lambda ms: after_noon(ms / 1_000))


@st.composite
def any_quote(draw: st.DrawFn) -> Quote | None:
    """Any quote at all: one-sided, crossed, locked, stub, stale, from the future, without a time stamp, or none."""
    bid, ask = draw(PRICES), draw(PRICES)
    sizes = draw(st.tuples(st.integers(0, 200), st.integers(0, 200)))
    quote = a_quote(str(bid), str(ask), bid_size=str(sizes[0]), ask_size=str(sizes[1]), at=draw(AGES))
    return draw(st.sampled_from([quote, quote, quote, None]))


@given(SIDES, any_quote(), any_quote(), any_quote(), st.sampled_from([COLLAR, MARKET]), st.integers(0, 600))
def test_a_fallback_never_passes_its_collar(
    side: Side, first: Quote | None, checked: Quote | None, placed: Quote | None, settings: Settings, left: int
) -> None:
    """Whatever the book does between the turns, and between the check and the placement."""
    moment = a_moment(NOON, closes=after_noon(left))
    order = never_arrived(side)
    if first is not None and is_worth_keeping(order, first, NOON, settings):
        order = order.having_seen(first)
    freed = after_check(order, checked, moment, settings)
    decision = decide(freed, placed, moment, settings)
    if not decision.sends:
        return
    assert freed.arrival is not None
    worst = collar(side, freed.arrival, settings.max_slippage_bps, MONDAY, settings.tick_size)
    assert freed.collar == worst
    if decision.limit is not None:
        assert worse_by(side, decision.limit, worst) <= 0
    if decision.reason == "fallback":
        assert left <= 300
        assert decision.limit in {worst, None}
        assert decision.limit == worst or settings.fallback is Fallback.MARKET


@given(SIDES, any_quote(), any_quote(), st.integers(0, 600))
def test_no_book_makes_an_order_without_a_fallback_fall_back(
    side: Side, checked: Quote | None, placed: Quote | None, left: int
) -> None:
    moment = a_moment(NOON, closes=after_noon(left))
    check = check_waiting_order(never_arrived(side), checked, moment, settings_with())
    assert check.frees is (check.gate is QuoteVerdict.OK)
    freed = after_check(never_arrived(side), checked, moment, settings_with())
    assert decide(freed, placed, moment, settings_with()).reason != "fallback"
    assert not is_worth_keeping(freed, placed, NOON, settings_with())


@pytest.mark.parametrize(("seconds", "rung"), [(10, Rung.MARKET), (11, Rung.CROSS)])
def test_a_fallback_on_an_old_quote_goes_to_the_collar(seconds: int, rung: Rung) -> None:
    quote = a_quote("100.00", "101.00", at=after_noon(-seconds))
    assert whole_step(never_arrived(), quote, LAST_MINUTES, MARKET).rung is rung


@pytest.mark.parametrize(("turn_seconds", "seconds", "sends"), [
    (30, 60, True), (30, 59.9, False), (10, 60, True), (10, 30, False), (120, 240, True), (120, 239, False),
])  # fmt: skip
def test_a_fallback_is_for_a_book_that_has_held_the_order_for_long(
    turn_seconds: int, seconds: float, sends: bool
) -> None:
    order = held_order(held_by_book_since=after_noon(-seconds))
    moment = a_moment(NOON, closes=NOON + timedelta(minutes=4), turn_seconds=turn_seconds)
    assert whole_step(order, WIDE, moment, COLLAR).sends is sends
    assert not whole_step(an_order(), WIDE, moment, COLLAR).sends


def test_a_hold_by_the_book_lasts_until_a_quote_passes() -> None:
    first = an_order().on_hold(HoldReason.WIDE, NOON)
    assert first.held_by_book_since == NOON
    later = first.on_hold(HoldReason.LOCKED, after_noon(40)).on_hold(HoldReason.UNFUNDED, after_noon(50))
    assert later.held_by_book_since == NOON
    assert later.on_hold(HoldReason.COLLAR, after_noon(60)).held_by_book_since is None
    assert later.released().held_by_book(None).on_hold(HoldReason.WIDE, after_noon(60)).held_by_book_since != NOON


def test_a_hold_that_an_earlier_release_stored_begins_anew() -> None:
    stored = an_order(held=HoldReason.WIDE)
    assert is_new_hold(stored, HoldReason.WIDE)
    assert not is_new_hold(stored.on_hold(HoldReason.WIDE, NOON), HoldReason.WIDE)
