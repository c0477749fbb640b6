"""The pieces of a large order at their bounds: their size, the patience for them, and when there are no more."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from repeg.domain.child_order import Rung
from repeg.domain.decision import Action, Decision
from repeg.domain.pieces import (
    far_size,
    is_patience_spent,
    least_funded,
    makes_way,
    patience_of,
    piece,
)
from repeg.domain.quote import Side
from repeg.domain.settings import Settings
from tests.builders import NOON, a_child, a_moment, a_quote, after_noon, an_order, settings_with

NORMAL, ANCHOR = settings_with(policy="normal"), settings_with(policy="anchor")
AT_MARKET = settings_with(use_smart_limit_execution=False)
RESTING = Decision(verb=Action.PLACE, reason="", because="", rung=Rung.PASSIVE, limit=Decimal("100.01"))
# Round lots of 100, 40 and 1 shares.
CHEAP, DEAR, DEAREST = ("100.00", "100.05"), ("612.10", "612.20"), ("700000", "700100")


def piece_of(
    target: str,
    price: tuple[str, str] = CHEAP,
    *,
    shown: str = "10",
    side: Side = Side.BUY,
    rung: Rung = Rung.PASSIVE,
    at: datetime | None = NOON,
    settings: Settings = NORMAL,
) -> Decimal:
    """The first piece of an order whose own side shows so many shares, and the other side seven more."""
    far = str(int(shown) + 7)
    sizes = {"bid_size": shown, "ask_size": far} if side is Side.BUY else {"bid_size": far, "ask_size": shown}
    decision = RESTING.model_copy(update={"rung": rung})
    order = an_order(side, target)
    return piece(order, a_quote(*price, at=at, **sizes), decision, order.target, a_moment(), settings)


@pytest.mark.parametrize(("price", "shares"), [(CHEAP, 100), (DEAR, 40), (DEAREST, 10)])
def test_a_piece_is_at_least_a_round_lot_of_its_price(price: tuple[str, str], shares: int) -> None:
    assert piece_of("190", price) == shares
    assert patience_of(an_order(target="90", arrival=a_quote(*price, bid_size="10")), NORMAL) == timedelta(
        seconds=300 * -(-90 // shares) if shares > 10 else 1_800
    )


def test_a_quote_without_a_time_has_round_lots_of_100_shares() -> None:
    assert piece_of("1000", DEAR, at=None) == 100
    for target, slices in (("300", 3), ("301", 4)):
        order = an_order(target=target, arrival=a_quote(*DEAR, bid_size="50", at=None))
        assert patience_of(order, NORMAL) == timedelta(seconds=300 * slices)


@pytest.mark.parametrize("side", Side)
def test_a_resting_piece_is_of_its_own_side_and_a_take_of_the_other(side: Side) -> None:
    assert piece_of("1000", side=side, shown="300") == 300
    assert piece_of("1000", side=side, shown="300", rung=Rung.TAKE) == 307
    assert far_size(a_quote(bid_size="3", ask_size="4"), side) == (4 if side is Side.BUY else 3)


def test_a_whole_share_may_be_left_for_an_order_of_its_own() -> None:
    assert [piece_of(target, shown="300") for target in ("300.99", "301", "302")] == [Decimal("300.99"), 300, 300]


def test_the_original_rule_cuts_nothing() -> None:
    assert piece_of("1000", settings=ANCHOR) == 1_000


def test_a_piece_is_of_whole_shares() -> None:
    assert piece_of("2001", shown="100") == 101


# The fewest shares worth placing


@pytest.mark.parametrize(
    ("target", "shown", "least"), [("1", "500", 1), ("101", "500", 51), ("1000", "500", 500), ("1002", "500", 500)]
)
def test_the_least_of_a_buy_is_half_of_it_or_a_piece(target: str, shown: str, least: int) -> None:
    quote = a_quote(bid_size=shown, ask_size="900")
    assert least_funded(an_order(target=target), quote, NOON, NORMAL) == least
    assert least_funded(an_order(target=target), quote, NOON, AT_MARKET) == least


def test_a_buy_has_no_least_without_a_book_or_by_the_original_rule() -> None:
    assert least_funded(an_order(), None, NOON, NORMAL) is None
    assert least_funded(an_order(), a_quote(), NOON, ANCHOR) is None


# Making way for the rest


def test_a_piece_that_is_all_of_the_rest_makes_way_for_nothing() -> None:
    late = a_moment(after_noon(0), after_noon(60))
    whole, part = (an_order(Side.BUY, target, a_child(qty="100").model_copy(update={"is_piece": True}))
                   for target in ("100", "101"))  # fmt: skip
    assert (makes_way(whole, late, NORMAL), makes_way(part, late, NORMAL)) == (False, True)
    assert not makes_way(an_order(), late, NORMAL)


# Patience


def test_an_order_without_arrival_has_the_patience_of_its_policy() -> None:
    assert patience_of(an_order(target="50000", arrival=None, collar=None), NORMAL) == timedelta(seconds=300)


@pytest.mark.parametrize(
    ("settings", "turn_seconds", "half"),
    [(settings_with(policy="normal", look_seconds=4), 30, 2), (settings_with(policy="normal", look_seconds=20), 10, 5),
     (ANCHOR, 30, 15)],
)  # fmt: skip
def test_patience_is_spent_at_the_look_that_is_nearest_to_its_end(
    settings: Settings, turn_seconds: int, half: int
) -> None:
    """The next look would come a whole period later; under the original rule, a whole turn."""
    minute = timedelta(minutes=1)
    for seconds, is_spent in ((60 - half, True), (59.999 - half, False), (60, True)):
        moment = a_moment(after_noon(seconds), turn_seconds=turn_seconds)
        assert is_patience_spent(NOON, minute, moment, settings) is is_spent


@pytest.mark.parametrize("settings", [ANCHOR, settings_with(policy="normal", look_seconds=60)])
def test_an_event_does_not_end_a_patience_shorter_than_a_period_at_once(settings: Settings) -> None:
    """With turns of fifteen seconds a look at any time would be nearer to the end of six seconds than the next one."""
    for seconds, is_spent in ((0.9, False), (2.999, False), (3, True)):
        moment = a_moment(after_noon(seconds), turn_seconds=15)
        assert is_patience_spent(NOON, timedelta(seconds=6), moment, settings) is is_spent
