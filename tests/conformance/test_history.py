"""Rows 130 to 132: historical bars, quotes and trades in pages, and the latest bars."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from repeg_workbench.exchange.market.generated import GeneratedMarket
from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, quote, trade
from tests.conformance.alpaca_bench import Bench, a_bench, across, refused
from tests.conformance.sdk import (
    DataFeed,
    StockBarsRequest,
    StockLatestBarRequest,
    StockQuotesRequest,
    StockTradesRequest,
    TimeFrame,
    TimeFrameUnit,
)
from tests.exchange.caller import FRIDAY, QUIET_BOOK

THURSDAY = date(2026, 11, 19)
PRINTS = [
    trade("09:31:05", "100 @ 100.00"),
    trade("09:31:50", "300 @ 100.04"),
    trade("09:33:10", "50 @ 99.98"),
    trade("10:29:59", "10 @ 101.00"),
    trade("10:30:00", "20 @ 101.50"),
]
BOOKS: dict[date, dict[str, list[Event]]] = {
    THURSDAY: {"AAPL": [quote("09:30", "300 @ 98.00", "200 @ 98.05"), trade("15:59", "70 @ 98.01")]},
    FRIDAY: {
        "AAPL": [*QUIET_BOOK, *PRINTS],
        "KO": [quote("09:30", "100 @ 60.00", "100 @ 60.01"), trade("09:31", "5 @ 60.00")],
    },
}


@pytest.fixture
def bench() -> Iterator[Bench]:
    """AAPL with a few prints on Thursday and Friday, KO on Friday; it is Friday, 10:30:30."""
    with a_bench(market=ScriptedMarket(BOOKS), at="10:30:30") as opened:
        yield opened


def bars(bench: Bench, amount: int, unit: TimeFrameUnit, symbol: Any = "AAPL", **terms: Any) -> Any:
    """alpaca-py's bars from Wednesday on."""
    terms = {"start": datetime(2026, 11, 18, tzinfo=UTC)} | terms
    request = StockBarsRequest(symbol_or_symbols=symbol, timeframe=TimeFrame(amount, unit), **terms)
    return bench.data.get_stock_bars(request).data


def test_row_130_minute_bars_have_the_finished_minutes_with_prints(bench: Bench) -> None:
    found = bars(bench, 1, TimeFrameUnit.Minute)["AAPL"]
    assert [(bar.timestamp.strftime("%a %H:%M"), bar.open, bar.close, bar.volume) for bar in found] == [
        ("Thu 20:59", 98.01, 98.01, 70),
        ("Fri 14:31", 100.0, 100.04, 400),
        ("Fri 14:33", 99.98, 99.98, 50),
        ("Fri 15:29", 101.0, 101.0, 10),
    ]
    assert (found[1].trade_count, found[1].vwap) == (2, 100.03)


def test_row_130_longer_bars_are_aggregated_from_the_minutes(bench: Bench) -> None:
    five = bars(bench, 5, TimeFrameUnit.Minute)["AAPL"]
    hours = bars(bench, 1, TimeFrameUnit.Hour)["AAPL"]
    days = bars(bench, 1, TimeFrameUnit.Day, ["AAPL", "KO"])
    (week,) = bars(bench, 1, TimeFrameUnit.Week, start=datetime(2026, 11, 1, tzinfo=UTC))["AAPL"]
    (month,) = bars(bench, 1, TimeFrameUnit.Month, start=datetime(2026, 11, 1, tzinfo=UTC))["AAPL"]
    assert [bar.timestamp.strftime("%H:%M") for bar in five] == ["20:55", "14:30", "15:25"]
    assert (five[1].high, five[1].low, five[1].close, five[1].volume) == (100.04, 99.98, 99.98, 450)
    assert [(bar.timestamp.hour, bar.volume) for bar in hours] == [(20, 70), (14, 450), (15, 10)]
    assert [(bar.timestamp, bar.close) for bar in days["AAPL"]] == [
        (datetime(2026, 11, 19, 5, tzinfo=UTC), 98.01),
        (datetime(2026, 11, 20, 5, tzinfo=UTC), 101.0),
    ]
    assert [bar.volume for bar in days["KO"]] == [5]
    assert (week.timestamp.day, week.open, week.close, week.volume) == (16, 98.01, 101.0, 530)
    assert (month.timestamp.day, month.volume) == (1, 530)


def test_row_130_bars_come_in_pages_in_either_order(bench: Bench) -> None:
    for sort in ("asc", "desc"):
        path = f"/v2/stocks/bars?symbols=KO,AAPL&timeframe=1Min&start=2026-11-18&limit=2&sort={sort}"
        pages = list(_pages(bench, path))
        assert [sum(len(rows) for rows in page["bars"].values()) for page in pages] == [2, 2, 1]
        stamps = [row["t"] for page in pages for row in page["bars"].get("AAPL", [])]
        assert stamps == sorted(stamps, reverse=sort == "desc")
        assert len(stamps) == 4
        assert pages[-1]["bars"].keys() == {"KO"}


def test_row_130_one_symbols_bars_have_their_own_path(bench: Bench) -> None:
    answer = bench.raw("GET", "/v2/stocks/AAPL/bars?timeframe=1Day&start=2026-11-20").json()
    assert (answer["symbol"], len(answer["bars"]), answer["next_page_token"]) == ("AAPL", 1, None)
    dates = bench.raw("GET", "/v2/stocks/AAPL/bars?timeframe=1Hour&start=2026-11-19&end=2026-11-19").json()
    assert [bar["c"] for bar in dates["bars"]] == [98.01]
    today = bench.raw("GET", "/v2/stocks/AAPL/bars?timeframe=1Min").json()
    assert len(today["bars"]) == 3
    assert bench.raw("GET", "/v2/stocks/ZZTOP/bars?timeframe=1Min").json()["bars"] == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("symbols=AAPL", "timeframe is required"),
        ("symbols=AAPL&timeframe=7Week", "invalid timeframe: 7Week"),
        ("symbols=AAPL&timeframe=60Min", "invalid timeframe: 60Min"),
        ("symbols=AAPL&timeframe=1Min&limit=10001", "invalid limit: expected 1 to 10000"),
        ("symbols=AAPL&timeframe=1Min&sort=up", "invalid sort: up"),
        ("symbols=AAPL&timeframe=1Min&start=soon", "invalid start"),
        ("symbols=AAPL&timeframe=1Min&page_token=xyz", "invalid page_token: xyz"),
        ("symbols=AAPL&timeframe=1Min&feed=moon", "invalid feed: moon"),
        ("symbols=AAPL&timeframe=1Min&adjustment=none", "invalid adjustment: none"),
        ("symbols=b$d&timeframe=1Min", "invalid symbol: b$d"),
        ("timeframe=1Min", "symbols is required"),
    ],
)
def test_row_130_an_invalid_parameter_of_bars_is_refused(bench: Bench, query: str, message: str) -> None:
    answer = bench.raw("GET", f"/v2/stocks/bars?{query}")
    assert (answer.status_code, answer.json()) == (400, {"message": message})


@across(sip_entitled=(False, True))
def test_row_130_old_consolidated_bars_need_no_subscription(quirks: Any) -> None:
    with a_bench(market=ScriptedMarket(BOOKS), at="10:30:30", quirks=quirks) as bench:
        found = bars(bench, 1, TimeFrameUnit.Minute, feed=DataFeed.SIP)["AAPL"]
        assert len(found) == (4 if quirks.sip_entitled else 3)
        if not quirks.sip_entitled:
            with refused(403, 42210000, "subscription does not permit querying recent SIP data"):
                bars(bench, 1, TimeFrameUnit.Day, feed=DataFeed.SIP, end=datetime(2026, 11, 20, 15, 30, tzinfo=UTC))


def test_row_131_quotes_and_trades_of_the_past_come_in_pages(bench: Bench) -> None:
    start = datetime(2026, 11, 19, tzinfo=UTC)
    quotes = bench.data.get_stock_quotes(StockQuotesRequest(symbol_or_symbols=["AAPL", "KO"], start=start)).data
    trades = bench.data.get_stock_trades(StockTradesRequest(symbol_or_symbols="AAPL", start=start)).data
    assert [quote.bid_price for quote in quotes["AAPL"]] == [98.0, 100.0]
    assert [quote.ask_size for quote in quotes["KO"]] == [100]
    assert [(trade.price, trade.size) for trade in trades["AAPL"]][:2] == [(98.01, 70), (100.0, 100)]
    assert len(trades["AAPL"]) == 6
    pages = list(_pages(bench, "/v2/stocks/AAPL/trades?start=2026-11-19&limit=4&sort=desc"))
    assert [len(page["trades"]) for page in pages] == [4, 2]
    assert pages[1]["trades"][-1]["p"] == 98.01


def test_row_131_rows_of_one_instant_are_split_between_pages_without_loss() -> None:
    book = [*QUIET_BOOK, *(trade("10:00", f"{size} @ 100.00") for size in range(1, 8))]
    with a_bench(book, at="10:01") as bench:
        for sort in ("asc", "desc"):
            pages = _pages(bench, f"/v2/stocks/AAPL/trades?limit=3&sort={sort}")
            sizes = [row["s"] for page in pages for row in page["trades"]]
            assert sizes == sorted(range(1, 8), reverse=sort == "desc")


def test_row_132_the_latest_bar_is_the_last_finished_minute(bench: Bench) -> None:
    request = StockLatestBarRequest(symbol_or_symbols=["AAPL", "KO", "NOPE"])
    latest = bench.data.get_stock_latest_bar(request)
    assert latest.keys() == {"AAPL", "KO"}
    assert (latest["AAPL"].close, latest["AAPL"].timestamp) == (101.0, datetime(2026, 11, 20, 15, 29, tzinfo=UTC))
    bench.wait(30_000)
    assert bench.raw("GET", "/v2/stocks/AAPL/bars/latest").json()["bar"]["c"] == 101.5
    assert bench.raw("GET", "/v2/stocks/NOPE/bars/latest").status_code == 404


def test_row_130_bars_of_a_generated_year_come_in_pages_of_bounded_work() -> None:
    """Each page generates a few days at most, so that other clients are answered between two pages."""
    with a_bench(market=GeneratedMarket(1, activity=0.01)) as bench:
        pages = list(_pages(bench, "/v2/stocks/bars?symbols=QQQ&timeframe=1Day&start=2026-08-03&end=2026-11-19T12:00"))
        found = [row for page in pages for row in page["bars"]["QQQ"]]
        again = bench.raw("GET", "/v2/stocks/bars?symbols=QQQ&timeframe=1Day&start=2026-08-03").json()
        snapshot = bench.raw("GET", "/v2/stocks/QQQ/snapshot").json()
        assert len(pages) > 3
        assert len(found) == 78
        assert found == again["bars"]["QQQ"][:78]
        assert snapshot["prevDailyBar"] == found[-1]
        order = bench.market(symbol="QQQ", qty=1)
        bench.wait(100)
        assert bench.status(order) == "filled"
        position = bench.trading.get_open_position("QQQ")
        assert Decimal(position.lastday_price) == Decimal(str(found[-1]["c"]))


def _pages(bench: Bench, path: str) -> Iterator[dict[str, Any]]:
    token = ""
    while True:
        answer = bench.raw("GET", path + token)
        assert answer.status_code == 200, answer.text
        yield answer.json()
        if answer.json()["next_page_token"] is None:
            return
        token = f"&page_token={answer.json()['next_page_token']}"
