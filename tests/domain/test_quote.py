"""The quote gate: when the top of the book may be traded on, and the first reason why not."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from repeg.domain.quote import Quote, QuoteVerdict, Side, age_seconds, check_quote
from repeg.domain.settings import Settings
from tests.builders import NOON, a_quote, settings_with

LIMITS = Settings()


def answer(quote: Quote | None, side: Side = Side.BUY, limits: Settings = LIMITS) -> QuoteVerdict:
    return check_quote(quote, side, NOON, limits)


def test_a_tight_fresh_deep_quote_is_used() -> None:
    assert answer(a_quote("189.40", "189.44")) is QuoteVerdict.OK


def test_no_quote_is_missing_never_a_default_price() -> None:
    assert answer(None) is QuoteVerdict.MISSING


@pytest.mark.parametrize(("bid", "ask"), [("107", "0"), ("0", "107"), ("0", "0"), ("-1", "107")])
def test_quote_bid_107_ask_0_is_one_sided_before_any_arithmetic(bid: str, ask: str) -> None:
    assert answer(a_quote(bid, ask)) is QuoteVerdict.ONE_SIDED


def test_a_one_sided_quote_is_not_a_quote_of_zero_spread() -> None:
    assert answer(a_quote("107.00", "0"), limits=settings_with(max_spread_pct="100")) is QuoteVerdict.ONE_SIDED


def test_a_bid_above_the_ask_is_crossed_and_one_at_the_ask_is_locked() -> None:
    assert answer(a_quote("100.06", "100.05")) is QuoteVerdict.CROSSED
    assert answer(a_quote("100.05", "100.05")) is QuoteVerdict.LOCKED


def test_a_missing_timestamp_is_stale_never_now() -> None:
    assert answer(a_quote(at=None)) is QuoteVerdict.STALE


@pytest.mark.parametrize(
    ("age", "expected"),
    [(0, QuoteVerdict.OK), (10, QuoteVerdict.OK), (10.001, QuoteVerdict.STALE), (3_600, QuoteVerdict.STALE)],
)
def test_a_quote_of_exactly_the_greatest_age_is_still_fresh(age: float, expected: QuoteVerdict) -> None:
    assert answer(a_quote(at=NOON - timedelta(seconds=age))) is expected


def test_a_quote_stamped_just_after_the_brokers_clock_was_read_is_fresh() -> None:
    assert answer(a_quote(at=NOON + timedelta(milliseconds=250))) is QuoteVerdict.OK


@pytest.mark.parametrize(("ask", "expected"), [("100.25", QuoteVerdict.OK), ("100.26", QuoteVerdict.WIDE)])
def test_the_spread_is_judged_in_percent_of_the_mid(ask: str, expected: QuoteVerdict) -> None:
    # 0.25 / 100.125 = 0.2497 %, 0.26 / 100.13 = 0.2597 %
    assert answer(a_quote("100.00", ask)) is expected


def test_a_spread_of_exactly_the_greatest_width_may_be_traded_on() -> None:
    assert answer(a_quote("99.50", "100.50"), limits=settings_with(max_spread_pct="1")) is QuoteVerdict.OK


@pytest.mark.parametrize(("side", "expected"), [(Side.BUY, QuoteVerdict.THIN), (Side.SELL, QuoteVerdict.OK)])
def test_thin_means_few_shares_on_our_own_side(side: Side, expected: QuoteVerdict) -> None:
    assert answer(a_quote(bid_size="99", ask_size="100"), side) is expected


def test_exactly_the_smallest_size_is_enough() -> None:
    assert answer(a_quote(bid_size="100")) is QuoteVerdict.OK


SPOILERS: list[tuple[QuoteVerdict, dict[str, object]]] = [
    (QuoteVerdict.ONE_SIDED, {"ask": Decimal(0)}),
    (QuoteVerdict.CROSSED, {"bid": Decimal("101.00")}),
    (QuoteVerdict.LOCKED, {"bid": Decimal("100.90")}),
    (QuoteVerdict.STALE, {"at": None}),
    (QuoteVerdict.WIDE, {"bid": Decimal("90.00")}),
    (QuoteVerdict.THIN, {"bid_size": Decimal(1)}),
]


@pytest.mark.parametrize("first", range(len(SPOILERS)))
def test_of_several_reasons_the_first_wins(first: int) -> None:
    """Every fault from this one on is in the quote; two faults of the same field leave the earlier one standing."""
    spoiled: dict[str, object] = {"ask": Decimal("100.90")}
    for _, fault in reversed(SPOILERS[first:]):
        spoiled.update(fault)
    assert answer(a_quote("100.80").model_copy(update=spoiled)) is SPOILERS[first][0]


def test_the_gate_knows_no_other_answers() -> None:
    assert [*QuoteVerdict] == [QuoteVerdict.OK, QuoteVerdict.MISSING, *(reason for reason, _ in SPOILERS)]


def test_near_is_our_own_side_and_far_is_what_impatience_pays() -> None:
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


def test_age_is_known_only_where_the_feed_gave_a_stamp() -> None:
    assert age_seconds(a_quote(at=NOON - timedelta(seconds=7)), NOON) == 7
    assert age_seconds(a_quote(at=None), NOON) is None


def test_a_worse_price_is_higher_for_a_buy_and_lower_for_a_sell() -> None:
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)
