"""Limit prices: a tick better than the near side, never at the far side, never past the collar."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg.domain import tick
from repeg.domain.child_order import Rung
from repeg.domain.pricing import collar, limit_for, mid_price, passive_price
from repeg.domain.quote import Quote, Side
from tests.builders import MONDAY, a_quote, an_order, settings_with
from tests.domain.markets import SIDES, books, crooked_books, is_on_grid, worse_by

CENT = Decimal("0.01")
FLOORS = st.sampled_from([CENT, Decimal("0.02"), Decimal("0.05"), Decimal("1.00")])
BPS = st.integers(0, 9_999).map(Decimal)


@pytest.mark.parametrize(
    ("bid", "ask", "buy", "sell"),
    [
        ("189.40", "189.44", "189.41", "189.43"),  # room: one tick better than our own side
        ("189.40", "189.42", "189.41", "189.41"),
        ("189.40", "189.41", "189.40", "189.41"),  # one tick: join, for bid + tick is the ask
        ("0.4500", "0.4503", "0.4501", "0.4502"),
        ("0.4500", "0.4501", "0.4500", "0.4501"),
        ("0.9998", "1.00", "0.9999", "0.9999"),
        ("0.9999", "1.00", "0.9999", "1.00"),
        ("0.9999", "1.01", "1.00", "1.00"),
        ("1.00", "1.01", "1.00", "1.01"),
        ("0.99", "1.00", "0.9901", "0.9999"),
    ],
)
def test_a_passive_order_improves_by_a_tick_or_joins(bid: str, ask: str, buy: str, sell: str) -> None:
    assert passive_price(Side.BUY, a_quote(bid, ask), MONDAY, CENT) == Decimal(buy)
    assert passive_price(Side.SELL, a_quote(bid, ask), MONDAY, CENT) == Decimal(sell)


@given(SIDES, books() | crooked_books(), FLOORS)
def test_a_passive_order_never_reaches_the_far_side(side: Side, quote: Quote, floor: Decimal) -> None:
    price = passive_price(side, quote, MONDAY, floor)
    assert worse_by(side, quote.far(side), price) > 0
    assert is_on_grid(price)


@given(SIDES, books(widest=1))
def test_a_passive_order_joins_at_a_one_tick_spread(side: Side, quote: Quote) -> None:
    assert passive_price(side, quote, MONDAY, CENT) == quote.near(side)


@given(SIDES, books().filter(lambda quote: tick.above(quote.bid, MONDAY) < quote.ask))
def test_a_passive_order_is_one_tick_better_than_the_near_side(side: Side, quote: Quote) -> None:
    step = tick.above if side is Side.BUY else tick.below
    assert passive_price(side, quote, MONDAY, CENT) == step(quote.near(side), MONDAY)


@pytest.mark.parametrize(
    ("bid", "ask", "buy", "sell"),
    [
        ("100.00", "100.01", "100.00", "100.01"),
        ("100.01", "100.02", "100.01", "100.02"),
        ("100.00", "100.02", "100.01", "100.01"),
        ("100.01", "100.04", "100.02", "100.03"),
        ("0.9999", "1.00", "0.9999", "1.00"),
    ],
)
def test_the_mid_is_rounded_away_from_the_far_side(bid: str, ask: str, buy: str, sell: str) -> None:
    assert mid_price(Side.BUY, a_quote(bid, ask), MONDAY, CENT) == Decimal(buy)
    assert mid_price(Side.SELL, a_quote(bid, ask), MONDAY, CENT) == Decimal(sell)


@given(SIDES, books(), FLOORS)
def test_the_mid_price_never_crosses(side: Side, quote: Quote, floor: Decimal) -> None:
    price = mid_price(side, quote, MONDAY, floor)
    assert worse_by(side, quote.far(side), price) > 0
    assert worse_by(side, price, quote.mid) <= 0
    assert is_on_grid(price)


def test_the_collar_is_max_slippage_from_the_arrival_mid() -> None:
    arrival = a_quote("100.00", "100.10")  # 50 bp of 100.05 are 0.50025
    assert collar(Side.BUY, arrival, Decimal(50), MONDAY, CENT) == Decimal("100.55")
    assert collar(Side.SELL, arrival, Decimal(50), MONDAY, CENT) == Decimal("99.55")


@given(SIDES, books(), BPS)
def test_the_collar_is_on_the_tick_and_within_max_slippage(side: Side, quote: Quote, bps: Decimal) -> None:
    worst = collar(side, quote, bps, MONDAY, CENT)
    assert worse_by(side, worst, quote.mid) * 10_000 <= bps * quote.mid
    assert is_on_grid(worst)


@given(SIDES, books(), books(), BPS, st.sampled_from([Rung.PASSIVE, Rung.MID, Rung.CROSS]))
def test_every_limit_is_on_the_tick_and_inside_the_collar(
    side: Side, arrival: Quote, quote: Quote, bps: Decimal, rung: Rung
) -> None:
    worst = collar(side, arrival, bps, MONDAY, CENT)
    limit = limit_for(rung, an_order(side, arrival=arrival, collar=worst), quote, MONDAY, settings_with())
    assert limit is not None
    assert worse_by(side, limit, worst) <= 0
    assert is_on_grid(limit)
    assert rung is not Rung.CROSS or limit == worst


def test_a_buy_limit_is_above_the_ask_only_when_crossing() -> None:
    order, quote = an_order(collar=Decimal("101.00")), a_quote("100.00", "100.05")
    limits = {rung: limit_for(rung, order, quote, MONDAY, settings_with()) for rung in Rung if rung is not Rung.TAKE}
    assert limits == {
        Rung.PASSIVE: Decimal("100.01"),
        Rung.MID: Decimal("100.02"),
        Rung.CROSS: Decimal("101.00"),
        Rung.MARKET: None,
    }


@pytest.mark.parametrize(
    ("side", "passive", "mid", "worst"),
    [(Side.BUY, "100.05", "100.10", "100.65"), (Side.SELL, "100.20", "100.15", "99.60")],
)
def test_every_price_is_on_the_tick_that_is_set(side: Side, passive: str, mid: str, worst: str) -> None:
    quote, step = a_quote("100.02", "100.24"), Decimal("0.05")
    assert passive_price(side, quote, MONDAY, step) == Decimal(passive)
    assert mid_price(side, quote, MONDAY, step) == Decimal(mid)
    assert collar(side, quote, Decimal(54), MONDAY, step) == Decimal(worst)


@pytest.mark.parametrize(("side", "joined"), [(Side.BUY, "100.05"), (Side.SELL, "100.10")])
def test_an_order_that_joins_is_on_the_tick_that_is_set(side: Side, joined: str) -> None:
    assert passive_price(side, a_quote("100.06", "100.09"), MONDAY, Decimal("0.05")) == Decimal(joined)
