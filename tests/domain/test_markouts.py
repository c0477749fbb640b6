"""Markouts: the mid after each fill, and the reasons for those that are missing."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from repeg.domain.broker import Execution
from repeg.domain.markouts import CLOSE, HORIZONS, Instant, Markout, instants, just_before, markouts
from repeg.domain.quote import Quote, Side
from tests.builders import NOON, a_day, a_quote, after_noon, an_execution

DAY = a_day()


def a_fill(at: datetime = NOON, side: Side = Side.BUY, qty: str = "100") -> Execution:
    return an_execution(qty, "100.00", side=side).model_copy(update={"at": at, "activity_id": f"{at}"})


def books(fill: Execution, **mids: str) -> dict[Instant, Quote | None]:
    return {(fill.symbol, fill.at + HORIZONS[name]): a_quote(mid, mid) for name, mid in mids.items()}


def at(horizon: str, found: tuple[Markout, ...]) -> Markout:
    return next(each for each in found if each.horizon == horizon)


def test_a_buys_markout_is_positive_where_the_price_has_risen() -> None:
    fill = a_fill()
    found = at("1min", markouts([fill], DAY, books(fill, **{"1min": "100.25"})))
    assert [found.bps, found.dollars, found.shares, found.missing, found.why] == [25, 25, 100, 0, ""]
    sell = a_fill(side=Side.SELL)
    assert at("1min", markouts([sell], DAY, books(sell, **{"1min": "100.25"}))).bps == -25


def test_a_markout_is_weighted_by_dollars_and_counts_what_is_missing() -> None:
    one, other = a_fill(), a_fill(after_noon(5), qty="300")
    known = books(one, **{"1s": "101.00"}) | {("AAPL", other.at + timedelta(seconds=1)): a_quote("0", "100")}
    found = at("1s", markouts([one, other], DAY, known))
    assert [found.bps, found.shares, found.missing, found.why] == [100, 100, 300, "1 fill: no book"]


def test_a_book_that_was_not_read_has_the_reason_given() -> None:
    found = markouts([a_fill()], DAY, {}, "the feed was down")
    assert [each.horizon for each in found] == ["1s", "1min", "5min", "30min", "close"]
    assert {(each.bps, each.why) for each in found} == {(None, "1 fill: the feed was down")}
    assert {each.missing for each in found} == {Decimal(100)}


def test_a_fill_minutes_before_the_close_has_no_later_markouts() -> None:
    late = a_fill(DAY.close - timedelta(minutes=3))
    assert at("5min", markouts([late], DAY, {})).why == "1 fill: after the close"
    assert at(CLOSE, markouts([late], DAY, {("AAPL", DAY.close): a_quote("101", "101")})).bps == 100


def test_a_fill_outside_the_session_is_named_as_such() -> None:
    found = markouts([a_fill(DAY.close + timedelta(minutes=2))], DAY, {})
    assert {each.why for each in found} == {"1 fill: filled outside the session"}
    assert list(instants([a_fill(DAY.open - timedelta(seconds=1))], DAY)) == []


def test_no_fills_have_no_markouts() -> None:
    assert markouts([], DAY, {}) == ()


def test_the_books_of_the_largest_fills_are_read_first() -> None:
    small, large = a_fill(qty="1"), a_fill(after_noon(60), qty="500")
    wanted = list(instants([small, large], DAY))
    assert wanted[0] == ("AAPL", just_before(large))
    assert [when for _, when in wanted[1:6]] == [*(large.at + after for after in HORIZONS.values()), DAY.close]
    assert len(wanted) == 12
