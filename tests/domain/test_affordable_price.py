"""Limit prices that fit a budget: `max_order_notional`, and what was reserved for a buy's successor."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain.child_order import ChildState, Rung
from repeg.domain.pricing import affordable, inside, limit_for, reserved_price, reserved_qty
from repeg.domain.quote import Side
from tests.builders import MONDAY, a_child, a_quote, an_order, settings_with

D = Decimal
CENT = D("0.01")


def price_within(most: str | None, *children: object, side: Side = Side.BUY, tick: str = "0.01") -> Decimal:
    """The price of 104 for an order of 100 shares, made to fit the largest order allowed."""
    order = an_order(side, "100", *children)  # type: ignore[arg-type]
    return affordable(order, D(104), MONDAY, settings_with(max_order_notional=most, tick_size=tick))


def test_a_buy_pays_no_more_than_fits_the_largest_order() -> None:
    assert price_within("10399") == D("103.99")
    assert price_within("10399.99") == D("103.99")
    assert price_within("10400") == 104
    assert price_within("99999") == 104
    assert price_within(None) == 104


def test_an_affordable_price_is_on_the_tick_that_is_set() -> None:
    assert price_within("10399", tick="0.05") == D("103.95")


def test_a_sell_is_not_made_cheaper_to_fit() -> None:
    assert price_within("10399", side=Side.SELL) == 104


def test_the_cost_of_fills_is_no_longer_there_for_the_rest() -> None:
    """40 of 100 shares at 101 have cost 4,040; 60 are left."""
    done = a_child(qty="100", filled="40", notional="10100", state=ChildState.CANCELED)
    assert price_within("10100", done) == 101
    assert price_within("10040", done) == 100


def test_an_open_childs_rest_is_what_is_left_to_pay() -> None:
    resting = a_child(qty="50", filled="10", notional="5000")
    assert price_within("5040", resting) == 101


def test_no_price_fits_once_fills_have_reached_the_largest_order() -> None:
    done = a_child(qty="100", filled="40", notional="10100", state=ChildState.CANCELED)
    assert price_within("4040", done) == 104
    assert price_within("4100", done) == 1


def test_an_order_with_one_share_left_still_fits_the_largest_order() -> None:
    done = a_child(qty="100", filled="99", notional="10000", state=ChildState.CANCELED)
    assert price_within("10000", done) == 100


def test_an_order_with_nothing_left_has_any_price() -> None:
    assert price_within("10400", a_child(qty="100", filled="100", notional="10000", state=ChildState.FILLED)) == 104


def test_a_reserved_price_is_what_the_reservation_leaves_a_share() -> None:
    done = a_child(qty="100", filled="40", notional="10000", state=ChildState.CANCELED)
    order = an_order(Side.BUY, "100", done, committed=D(10_018), reserved_orders=1)
    assert reserved_price(order, D(60), MONDAY, CENT) == D("100.30")
    assert reserved_price(order, D(60), MONDAY, D("0.25")) == D("100.25")


def test_a_reserved_price_is_inside_the_collar() -> None:
    order = an_order(Side.BUY, "100", committed=D(10_600), reserved_orders=1)
    assert reserved_price(order, D(100), MONDAY, CENT) == 105


def test_a_reservation_that_is_used_up_leaves_no_price() -> None:
    done = a_child(qty="100", filled="40", notional="10000", state=ChildState.CANCELED)
    order = an_order(Side.BUY, "100", done, committed=D(4_000), reserved_orders=1)
    assert reserved_price(order, D(60), MONDAY, CENT) is None
    dear = an_order(Side.BUY, "100", done, committed=D(4_030), reserved_orders=1)
    assert reserved_price(dear, D(60), MONDAY, CENT) == D("0.50")


def test_the_reserved_shares_are_what_the_latest_child_left() -> None:
    done = a_child(qty="10", filled="4", notional="1000", state=ChildState.CANCELED)
    assert reserved_qty(an_order(Side.BUY, "100", done, committed=D(1_000), reserved_orders=1)) == 6
    assert reserved_qty(an_order(Side.BUY, "100", committed=D(1_000), reserved_orders=1)) == 0
    assert reserved_price(an_order(Side.BUY, "100", committed=D(1_000), reserved_orders=1), D(0), MONDAY, CENT) is None


@pytest.mark.parametrize("side", list(Side))
def test_an_order_without_a_reservation_has_no_reserved_price(side: Side) -> None:
    order = an_order(side, "100", committed=D(10_000), reserved_orders=0)
    assert reserved_price(order, D(100), MONDAY, CENT) is None


@pytest.mark.parametrize(("committed", "price"), [("10000.99", "100.00"), ("9000", "95.00")])
def test_a_sell_has_the_price_that_was_reserved_but_none_past_its_collar(committed: str, price: str) -> None:
    order = an_order(Side.SELL, "100", committed=D(committed), reserved_orders=1)
    assert reserved_price(order, D(100), MONDAY, CENT) == D(price)


def test_a_price_without_a_collar_stays_as_it_is() -> None:
    assert inside(an_order(collar=None), D(107)) == 107


@pytest.mark.parametrize("rung", [Rung.PASSIVE, Rung.MID, Rung.CROSS])
def test_no_limit_is_set_before_arrival(rung: Rung) -> None:
    with pytest.raises(ValueError, match="AAPL has no collar before it has arrived"):
        limit_for(rung, an_order(arrival=None, collar=None), a_quote(), MONDAY, settings_with())
