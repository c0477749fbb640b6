"""The quote check: whether the book may be traded on, and the first reason if not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from repeg.domain.quote import Quote, QuoteVerdict, Side, age_seconds, check_quote
from repeg.domain.settings import Settings
from tests.builders import NOON, a_quote, settings_with

LIMITS = Settings()


def answer(quote: Quote | None, side: Side = Side.BUY, limits: Settings = LIMITS) -> QuoteVerdict:
    return check_quote(quote, side, NOON, limits)


def test_a_tight_fresh_deep_quote_is_accepted() -> None:
    assert answer(a_quote("189.40", "189.44")) is QuoteVerdict.OK


def test_an_absent_quote_is_missing() -> None:
    assert answer(None) is QuoteVerdict.MISSING


@pytest.mark.parametrize(("bid", "ask"), [("107", "0"), ("0", "107"), ("0", "0"), ("-1", "107")])
def test_a_side_without_a_price_makes_the_quote_one_sided(bid: str, ask: str) -> None:
    assert answer(a_quote(bid, ask)) is QuoteVerdict.ONE_SIDED


def test_a_one_sided_quote_has_no_spread_of_zero() -> None:
    assert answer(a_quote("107.00", "0"), limits=settings_with(max_spread_pct="100")) is QuoteVerdict.ONE_SIDED


def test_a_bid_at_or_above_the_ask_is_locked_or_crossed() -> None:
    assert answer(a_quote("100.06", "100.05")) is QuoteVerdict.CROSSED
    assert answer(a_quote("100.05", "100.05")) is QuoteVerdict.LOCKED


def test_a_missing_timestamp_is_stale() -> None:
    assert answer(a_quote(at=None)) is QuoteVerdict.STALE


@pytest.mark.parametrize(
    ("age", "expected"),
    [(0, QuoteVerdict.OK), (10, QuoteVerdict.OK), (10.001, QuoteVerdict.STALE), (3_600, QuoteVerdict.STALE)],
)
def test_a_quote_of_exactly_the_maximum_age_is_fresh(age: float, expected: QuoteVerdict) -> None:
    assert answer(a_quote(at=NOON - timedelta(seconds=age))) is expected


@pytest.mark.parametrize(
    ("ahead", "expected"),
    [(0.25, QuoteVerdict.OK), (2, QuoteVerdict.OK), (2.001, QuoteVerdict.STALE), (3_600, QuoteVerdict.STALE)],
)
def test_a_quote_from_the_future_is_stale_beyond_clock_error(ahead: float, expected: QuoteVerdict) -> None:
    """The broker's clock and the feed's may differ; two seconds is more than either is off."""
    assert answer(a_quote(at=NOON + timedelta(seconds=ahead))) is expected


@pytest.mark.parametrize(("ask", "expected"), [("100.25", QuoteVerdict.OK), ("100.26", QuoteVerdict.WIDE)])
def test_the_spread_is_measured_in_percent_of_the_mid(ask: str, expected: QuoteVerdict) -> None:
    # 0.25 / 100.125 = 0.2497 %, 0.26 / 100.13 = 0.2597 %
    assert answer(a_quote("100.00", ask)) is expected


def test_a_spread_of_exactly_the_maximum_is_accepted() -> None:
    assert answer(a_quote("99.50", "100.50"), limits=settings_with(max_spread_pct="1")) is QuoteVerdict.OK


@pytest.mark.parametrize(
    ("bid", "ask"),
    [
        ("2.10", "2.11"),
        ("3.98", "3.99"),
        ("1.00", "1.01"),
        ("0.0300", "0.0301"),
        ("0.9999", "1.00"),
        ("0.0001", "0.0002"),
    ],
)
def test_a_one_tick_spread_is_never_wide(bid: str, ask: str) -> None:
    """No spread can be narrower, whatever its percentage of the mid."""
    assert answer(a_quote(bid, ask)) is QuoteVerdict.OK
    assert answer(a_quote(bid, ask), limits=settings_with(max_spread_pct="0.0001")) is QuoteVerdict.OK


@pytest.mark.parametrize(("bid", "ask"), [("2.10", "2.12"), ("0.0300", "0.0302"), ("0.9998", "1.01"), ("0.99", "1.00")])
def test_a_spread_of_more_than_a_tick_is_measured(bid: str, ask: str) -> None:
    """A cent below a dollar is a hundred ticks."""
    assert answer(a_quote(bid, ask)) is QuoteVerdict.WIDE


def test_a_coarser_configured_tick_does_not_widen_the_accepted_spread() -> None:
    nickel = settings_with(tick_size="0.05")
    assert answer(a_quote("2.10", "2.15"), limits=nickel) is QuoteVerdict.WIDE


@pytest.mark.parametrize(("side", "expected"), [(Side.BUY, QuoteVerdict.THIN), (Side.SELL, QuoteVerdict.OK)])
def test_a_thin_book_has_few_shares_on_the_near_side(side: Side, expected: QuoteVerdict) -> None:
    assert answer(a_quote(bid_size="99", ask_size="100"), side) is expected


def test_a_size_of_exactly_the_minimum_is_accepted() -> None:
    assert answer(a_quote(bid_size="100")) is QuoteVerdict.OK


@pytest.mark.parametrize(
    ("bid", "ask", "lot"), [("612.10", "612.40", 40), ("5400.00", "5405.00", 10), ("700000.00", "700900.00", 1)]
)
def test_a_round_lot_of_a_high_price_is_never_thin(bid: str, ask: str, lot: int) -> None:
    """The smallest size that a protected quote must show: 40 shares from 250.01 dollars, then 10, then one."""
    assert answer(a_quote(bid, ask, bid_size=str(lot))) is QuoteVerdict.OK
    assert answer(a_quote(bid, ask, bid_size=str(lot - 1))) is QuoteVerdict.THIN


def test_a_minimum_below_the_round_lot_is_the_minimum() -> None:
    few = settings_with(min_volume_shares=5)
    assert answer(a_quote("612.10", "612.40", bid_size="5"), limits=few) is QuoteVerdict.OK
    assert answer(a_quote("612.10", "612.40", bid_size="4"), limits=few) is QuoteVerdict.THIN


def test_the_round_lot_is_that_of_the_near_price() -> None:
    """A bid of 250.00 needs 100 shares, an ask of 250.05 needs 40."""
    quote = a_quote("250.00", "250.05", bid_size="40", ask_size="40")
    assert (answer(quote, Side.BUY), answer(quote, Side.SELL)) == (QuoteVerdict.THIN, QuoteVerdict.OK)


def test_a_round_lot_before_november_2025_is_100_shares() -> None:
    before = datetime(2025, 10, 31, 17, 0, tzinfo=UTC)
    quote = a_quote("612.10", "612.40", bid_size="99", at=before)
    assert check_quote(quote, Side.BUY, before, LIMITS) is QuoteVerdict.THIN


FAULTS: list[tuple[QuoteVerdict, dict[str, object]]] = [
    (QuoteVerdict.ONE_SIDED, {"ask": Decimal(0)}),
    (QuoteVerdict.CROSSED, {"bid": Decimal("101.00")}),
    (QuoteVerdict.LOCKED, {"bid": Decimal("100.90")}),
    (QuoteVerdict.STALE, {"at": None}),
    (QuoteVerdict.WIDE, {"bid": Decimal("90.00")}),
    (QuoteVerdict.THIN, {"bid_size": Decimal(1)}),
]


@pytest.mark.parametrize("first", range(len(FAULTS)))
def test_the_first_of_several_reasons_is_reported(first: int) -> None:
    """The quote has this fault and all later ones; of two faults in one field the earlier applies."""
    spoiled: dict[str, object] = {"ask": Decimal("100.90")}
    for _, fault in reversed(FAULTS[first:]):
        spoiled.update(fault)
    assert answer(a_quote("100.80").model_copy(update=spoiled)) is FAULTS[first][0]


def test_the_quote_verdicts_are_complete() -> None:
    assert [*QuoteVerdict] == [QuoteVerdict.OK, QuoteVerdict.MISSING, *(reason for reason, _ in FAULTS)]


def test_the_near_side_is_the_orders_own_side_of_the_book() -> None:
    quote = a_quote("189.40", "189.44", bid_size="300", ask_size="700")
    assert (quote.near(Side.BUY), quote.far(Side.BUY), quote.near_size(Side.BUY)) == (
        quote.bid,
        quote.ask,
        quote.bid_size,
    )
    assert (quote.near(Side.SELL), quote.far(Side.SELL), quote.near_size(Side.SELL)) == (
        quote.ask,
        quote.bid,
        quote.ask_size,
    )


def test_mid_and_spread_are_exact() -> None:
    assert a_quote("0.9999", "1.00").mid == Decimal("0.99995")
    assert a_quote("0.9999", "1.00").spread == Decimal("0.0001")


def test_a_quote_without_a_timestamp_has_no_age() -> None:
    assert age_seconds(a_quote(at=NOON - timedelta(seconds=7)), NOON) == 7
    assert age_seconds(a_quote(at=None), NOON) is None


def test_a_worse_price_is_higher_for_a_buy_and_lower_for_a_sell() -> None:
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)


@pytest.mark.parametrize(("seconds", "on_iex"), [(10, "use"), (240, "use"), (299, "use"), (300, "stale")])
def test_a_single_venues_quote_stands_until_it_may_be_a_halt(seconds: int, on_iex: str) -> None:
    quote = a_quote(at=NOON - timedelta(seconds=seconds))
    assert check_quote(quote, Side.BUY, NOON, settings_with(data_feed="iex")) == on_iex
    assert check_quote(quote, Side.BUY, NOON, settings_with(data_feed="sip")) == ("use" if seconds <= 10 else "stale")
    patient = settings_with(data_feed="sip", max_quote_age_seconds=250)
    assert (check_quote(quote, Side.BUY, NOON, patient) == "use") is (seconds <= 250)
