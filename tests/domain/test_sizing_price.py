"""The price that a weight is sized at: fresh, and not contradicted."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from repeg.domain.quote import CLOCK_ERROR_SECONDS
from repeg.domain.quote_check import is_repriced
from repeg.domain.sizing_price import Trade, sizing_price
from tests.builders import NOON, a_quote, after_noon, an_order

FRESH, LIMIT, OLD = after_noon(-10), after_noon(-300), after_noon(-301)
WEEK = NOON - timedelta(days=7)


def a_trade(price: str = "100.00", at: datetime | None = FRESH) -> Trade:
    return Trade(price=Decimal(price), at=at)


def test_the_mid_of_a_fresh_quote_comes_first() -> None:
    assert sizing_price(a_quote("20.00", "20.02"), a_trade("20.10"), NOON).price == Decimal("20.01")
    assert sizing_price(a_quote("20.00", "20.02", at=LIMIT), None, NOON).price == Decimal("20.01")


def test_a_price_from_the_clocks_error_ahead_is_still_fresh() -> None:
    ahead = NOON + timedelta(seconds=CLOCK_ERROR_SECONDS)
    assert sizing_price(a_quote("20.00", "20.02", at=ahead), None, NOON).price == Decimal("20.01")
    later = ahead + timedelta(milliseconds=1)
    assert sizing_price(a_quote("20.00", "20.02", at=later), None, NOON).price is None


@pytest.mark.parametrize(("bid", "ask", "mid"), [("20.00", "20.00", "20.00"), ("0.40", "0.42", "0.41")])
def test_a_locked_quote_and_one_below_a_dollar_have_a_mid_to_size_with(bid: str, ask: str, mid: str) -> None:
    assert sizing_price(a_quote(bid, ask), None, NOON).price == Decimal(mid)
    assert sizing_price(a_quote(bid, ask, at=OLD), None, NOON).last == Decimal(mid)


def test_a_price_keeps_its_reason_and_its_last_one_when_any_age_will_do() -> None:
    found = sizing_price(None, a_trade("2.00", WEEK), NOON)
    assert found.of_any_age() == found.model_copy(update={"price": Decimal("2.00")})
    fresh = sizing_price(a_quote("20.00", "20.02"), None, NOON)
    assert (fresh.last, fresh.of_any_age()) == (Decimal("20.01"), fresh)


def test_a_one_sided_quote_is_no_price_of_any_age() -> None:
    for bid, ask in (("20.00", "0"), ("0", "20.00")):
        assert sizing_price(a_quote(bid, ask), None, NOON).last is None


def test_an_old_trade_never_replaces_a_fresh_quote() -> None:
    assert sizing_price(a_quote("20.00", "20.02"), a_trade("2.00", WEEK), NOON).price == Decimal("20.01")


@pytest.mark.parametrize(
    "quote",
    [
        None,
        a_quote(at=OLD),
        a_quote(at=None),
        a_quote(at=after_noon(60)),
        a_quote("0", "100.05"),
        a_quote("100.05", "0"),
        a_quote("100.05", "100.00"),
        a_quote("90.00", "110.00"),
    ],
)
def test_a_fresh_trade_replaces_a_quote_that_is_no_price(quote: object) -> None:
    """Missing, old, undated, from the future, one-sided, crossed, or so wide that its mid says nothing."""
    assert sizing_price(quote, a_trade("99.00"), NOON).price == 99  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("quote", "trade", "reason"),
    [
        (None, a_trade("2.00", WEEK), "no quote; last trade 2.00, 7 days old"),
        (None, None, "no quote; no trade"),
        (a_quote("20.00", "20.02", at=OLD), None, "quote 20.00 × 20.02, 5 minutes old; no trade"),
        (a_quote("0", "20.02"), a_trade("2.00", OLD), "a one-sided quote; last trade 2.00, 5 minutes old"),
        (a_quote("20.02", "20.00"), a_trade(at=None),
         "a crossed quote 20.02 × 20.00; last trade 100.00, of unknown age"),
        (a_quote("10.00", "30.00"), a_trade(at=after_noon(60)),
         "a quote as wide as 10.00 × 30.00; last trade 100.00, from the future"),
        (a_quote("20.00", "20.02"), a_trade("2.00"), "quote mid 20.01 and last trade 2.00 are more than 10 % apart"),
        (None, a_trade("2.00", NOON - timedelta(hours=20)), "no quote; last trade 2.00, 20 hours old"),
        (a_quote("20.00", "0"), None, "a one-sided quote; no trade"),
        (a_quote("0", "0"), None, "a one-sided quote; no trade"),
        (a_quote("0.50", "0", at=OLD), None, "a one-sided quote; no trade"),
        (a_quote("20.00", "20.00", at=OLD), None, "quote 20.00 × 20.00, 5 minutes old; no trade"),
        (None, a_trade("2.00", NOON - timedelta(days=2)), "no quote; last trade 2.00, 2 days old"),
        (None, a_trade("2.00", NOON - timedelta(days=2, seconds=-1)), "no quote; last trade 2.00, 47 hours old"),
        (None, a_trade("2.00", NOON - timedelta(hours=2)), "no quote; last trade 2.00, 2 hours old"),
        (None, a_trade("2.00", NOON - timedelta(hours=2, seconds=-1)), "no quote; last trade 2.00, 119 minutes old"),
    ],
)  # fmt: skip
def test_a_missing_price_names_what_there_was(quote: object, trade: Trade | None, reason: str) -> None:
    found = sizing_price(quote, trade, NOON)  # type: ignore[arg-type]
    assert (found.price, found.reason) == (None, reason)


def test_fresh_sources_a_tenth_apart_still_agree() -> None:
    assert sizing_price(a_quote("99.95", "100.05"), a_trade("110.00"), NOON).price == 100
    assert sizing_price(a_quote("99.95", "100.05"), a_trade("110.01"), NOON).price is None


def test_a_price_of_any_age_is_enough_to_check_a_plan() -> None:
    assert sizing_price(None, a_trade("2.00", WEEK), NOON).of_any_age().price == 2
    assert sizing_price(a_quote("20.00", "20.02", at=None), None, NOON).of_any_age().price == Decimal("20.01")
    assert sizing_price(a_quote("20.00", "20.02"), a_trade("2.00"), NOON).best == Decimal("20.01")
    assert sizing_price(a_quote("0", "20.02"), None, NOON).of_any_age().price is None


@pytest.mark.parametrize(("sized_at", "expected"), [("2.00", True), ("90.9", True), ("91", False), ("111.2", True)])
def test_an_arrival_far_from_the_sizing_price_is_repriced(sized_at: str, expected: bool) -> None:
    assert is_repriced(an_order(sized_at=Decimal(sized_at)), a_quote("99.99", "100.01")) is expected


def test_an_order_with_a_stated_quantity_is_never_repriced() -> None:
    assert not is_repriced(an_order(reference_price=Decimal(2)), a_quote())
