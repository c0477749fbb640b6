"""Rows 94 to 104: account, assets, clock, calendar and market data."""

from datetime import date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, quote, trade
from repeg_workbench.exchange.market.symbol_day import Listing
from tests.conformance.alpaca_bench import Bench, a_bench, across, refused, shares
from tests.conformance.sdk import (
    APIError,
    CorporateActionsClient,
    CorporateActionsRequest,
    DataFeed,
    GetCalendarRequest,
    StockLatestQuoteRequest,
    StockLatestTradeRequest,
    StockSnapshotRequest,
)
from tests.exchange.caller import FRIDAY, QUIET_BOOK

PATTERN_DAY_TRADER = {"pattern_day_trader", "daytrade_count", "daytrading_buying_power"}
THANKSGIVING_EVE = date(2026, 11, 25)
HALF_DAY = date(2026, 11, 27)
TWO: dict[str, list[Event]] = {"AAPL": QUIET_BOOK, "BRK.B": [quote("09:30", "100 @ 480.00", "120 @ 480.40")]}


@across(pdt_fields=(False, True))
def test_row_094_the_account_may_have_pattern_day_trader_fields(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks, positions=shares("10")) as bench:
        view = bench.account()
        account = bench.trading.get_account()
    money = ("cash", "equity", "last_equity", "buying_power", "long_market_value", "short_market_value", "multiplier")
    assert all(isinstance(view[name], str) for name in money)
    assert (set(view) >= PATTERN_DAY_TRADER) is quirks.pdt_fields
    assert (account.pattern_day_trader is None) is not quirks.pdt_fields
    assert (account.cash, account.currency, account.trading_blocked) == ("100000", "USD", False)


def test_row_094_the_configuration_is_read_and_set_by_the_client() -> None:
    with a_bench() as bench:
        configuration = bench.trading.get_account_configurations()
        assert (configuration.suspend_trade, configuration.no_shorting) == (False, False)
        configuration.suspend_trade = True
        assert bench.raw("PATCH", "/v2/account/configurations", json={"suspend_trade": True}).status_code == 200
        with refused(403, 40310000, "new orders are rejected by user request"):
            bench.limit()
        assert bench.trading.set_account_configurations(configuration).suspend_trade is True


def test_row_094_overnight_trading_and_the_options_level_are_echoed() -> None:
    path, change = "/v2/account/configurations", {"disable_overnight_trading": True, "max_options_trading_level": 2}
    with a_bench() as bench:
        before = bench.raw("GET", path).json()
        assert (before["disable_overnight_trading"], before["max_options_trading_level"]) == (False, 0)
        assert change.items() <= bench.raw("PATCH", path, json=change).json().items()
        assert change.items() <= bench.raw("GET", path).json().items()
        assert bench.raw("PATCH", path, json={"max_options_trading_level": 4}).status_code == 422


@pytest.mark.parametrize("path", ["/v3/clock", "/v3/calendar", "/v2/corporate_actions/announcements", "/v2/test"])
def test_a_call_that_the_page_names_as_not_simulated_is_404(path: str) -> None:
    with a_bench() as bench:
        assert bench.raw("GET", path).status_code == 404


def test_row_137_positions_and_snapshots_have_one_previous_close() -> None:
    before = date(2026, 11, 19)
    book: dict[date, dict[str, list[Event]]] = {
        before: {"AAPL": [quote("09:30", "300 @ 79.00", "200 @ 81.00"), trade("15:59", "70 @ 80.00", lit=False)]},
        FRIDAY: {"AAPL": [*QUIET_BOOK, trade("09:45", "10 @ 100.00")]},
    }
    with a_bench(market=ScriptedMarket(book), positions=shares("10")) as bench:
        position = bench.trading.get_open_position("AAPL")
        snapshot = bench.raw("GET", "/v2/stocks/AAPL/snapshot").json()
    assert (position.lastday_price, position.change_today, position.unrealized_intraday_pl) == ("80", "0.25", "200")
    assert snapshot["prevDailyBar"]["c"] == 80


@across(easy_to_borrow=(True, False))
def test_row_095_an_asset_comes_with_or_without_easy_to_borrow(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks, listings=[Listing("AAPL", "Apple", exchange="NASDAQ")]) as bench:
        view = bench.raw("GET", "/v2/assets/AAPL").json()
        assert ("easy_to_borrow" in view) is quirks.easy_to_borrow
        assert (view["class"], view["exchange"], view["borrow_status"]) == ("us_equity", "NASDAQ", "easy_to_borrow")
        if quirks.easy_to_borrow:
            asset = bench.trading.get_asset("AAPL")
            assert bench.trading.get_asset(asset.id).symbol == "AAPL"
            assert [each.symbol for each in bench.trading.get_all_assets()] == ["AAPL"]
        else:
            with pytest.raises(ValidationError, match="easy_to_borrow"):
                bench.trading.get_asset("AAPL")
        with refused(404, 40410000, "asset not found for ZZZZ"):
            bench.trading.get_asset("ZZZZ")


def test_row_096_the_calendar_has_early_closes_holidays_and_hours() -> None:
    with a_bench() as bench:
        days = bench.trading.get_calendar(GetCalendarRequest(start=THANKSGIVING_EVE, end=date(2026, 11, 30)))
        raw = bench.raw("GET", "/v2/calendar?start=2026-11-27&end=2026-11-27").json()
        none = bench.raw("GET", "/v2/calendar?start=2026-11-28&end=2026-11-29").json()
    assert [day.date for day in days] == [THANKSGIVING_EVE, HALF_DAY, date(2026, 11, 30)]
    assert [day.close for day in days[:2]] == [datetime(2026, 11, 25, 16), datetime(2026, 11, 27, 13)]  # noqa: DTZ001
    assert raw == [
        {
            "date": "2026-11-27",
            "open": "09:30",
            "close": "13:00",
            "session_open": "0400",
            "session_close": "1700",
            "settlement_date": "2026-11-30",
        }
    ]
    assert none == []


@pytest.mark.parametrize(
    ("day", "at", "expected"),
    [
        (FRIDAY, "09:29:59", "closed"),
        (FRIDAY, "09:30", "open"),
        (FRIDAY, "15:59:59", "open"),
        (FRIDAY, "16:00", "closed"),
        (HALF_DAY, "12:59:59", "open"),
        (HALF_DAY, "13:00", "closed"),
        (date(2026, 11, 26), "11:00", "closed"),
        (date(2026, 11, 22), "11:00", "closed"),
    ],
)
def test_row_097_the_clock_is_open_from_9_30_to_the_calendars_close(day: date, at: str, expected: str) -> None:
    with a_bench(day=day, at=at) as bench:
        assert bench.trading.get_clock().is_open is (expected == "open")


def test_row_097_next_open_skips_the_holiday() -> None:
    with a_bench(day=THANKSGIVING_EVE, at="16:00") as bench:
        clock = bench.raw("GET", "/v2/clock").json()
    assert clock["next_open"] == "2026-11-27T09:30:00-05:00"
    assert clock["next_close"] == "2026-11-27T13:00:00-05:00"


def test_row_098_latest_quotes_leave_unknown_symbols_out() -> None:
    with a_bench(market=ScriptedMarket({FRIDAY: TWO})) as bench:
        request = StockLatestQuoteRequest(symbol_or_symbols=["AAPL", "BRK.B", "NOPE"], feed=DataFeed.IEX)
        quotes = bench.data.get_stock_latest_quote(request)
    assert set(quotes) == {"AAPL", "BRK.B"}
    assert (quotes["BRK.B"].bid_price, quotes["BRK.B"].ask_price) == (480.0, 480.4)


def test_row_098_one_malformed_symbol_fails_the_whole_call() -> None:
    with a_bench() as bench:
        answer = bench.raw("GET", "/v2/stocks/quotes/latest?symbols=AAPL,b%24d")
    assert (answer.status_code, answer.json()) == (400, {"message": "invalid symbol: b$d"})


def test_row_099_an_unknown_market_data_parameter_is_refused() -> None:
    with a_bench() as bench:
        answer = bench.raw("GET", "/v2/stocks/quotes/latest?symbols=AAPL&limit=5")
    assert (answer.status_code, answer.json()) == (400, {"message": "unexpected query parameter(s): limit"})


def test_row_100_an_empty_side_has_price_and_size_zero() -> None:
    with a_bench([quote("09:30", "300 @ 100.00", None)]) as bench:
        one_sided = _quote(bench)
    assert (one_sided["bp"], one_sided["ap"], one_sided["as"]) == (100, 0, 0)


def test_row_100_the_tape_itself_can_have_crossed_wide_or_old_quotes() -> None:
    book = [quote("09:31", "100 @ 100.10", "100 @ 100.00"), quote("09:32", "100 @ 80.00", "100 @ 120.00")]
    with a_bench(book, at="09:31:30") as bench:
        assert (_quote(bench)["bp"], _quote(bench)["ap"]) == (100.1, 100)
        bench.wait_for("15:30")
        wide = _quote(bench)
    assert (wide["bp"], wide["ap"], wide["t"]) == (80, 120, "2026-11-20T14:32:00Z")


@pytest.mark.parametrize(
    ("rewrite", "expected"),
    [
        ("quote_without_bid", {"bp": 0, "bs": 0, "ap": 100.05}),
        ("quote_without_ask", {"ap": 0, "as": 0, "bp": 100}),
        ("quote_crossed", {"bp": 100.05, "ap": 100}),
        ("quote_locked", {"bp": 100, "ap": 100}),
        ("quote_wide", {"bp": 80.0, "ap": 120.06}),
        ("quote_stale", {"t": "2026-11-20T11:30:00Z", "bp": 100}),
    ],
)
def test_row_100_a_rewrite_can_make_any_quote_bad(rewrite: str, expected: dict[str, Any]) -> None:
    with a_bench() as bench:
        _rewrite(bench, rewrite)
        bad, good = _quote(bench), _quote(bench)
    assert {name: bad[name] for name in expected} == expected
    assert (good["bp"], good["ap"]) == (100, 100.05)


def test_row_100_the_client_drops_a_null_quote_and_fails_on_a_null_price() -> None:
    request = StockLatestQuoteRequest(symbol_or_symbols="AAPL")
    with a_bench() as bench:
        _rewrite(bench, "quote_null")
        assert bench.data.get_stock_latest_quote(request) == {}
        _rewrite(bench, "quote_absent")
        assert bench.data.get_stock_latest_quote(request) == {}
        _rewrite(bench, "quote_null_price")
        with pytest.raises(ValidationError):
            bench.data.get_stock_latest_quote(request)


@across(sip_entitled=(False, True))
def test_row_101_the_consolidated_feed_needs_its_subscription(quirks: BrokerQuirks) -> None:
    request = StockLatestQuoteRequest(symbol_or_symbols="AAPL", feed=DataFeed.SIP)
    with a_bench(quirks=quirks) as bench:
        if quirks.sip_entitled:
            assert bench.data.get_stock_latest_quote(request)["AAPL"].bid_price == 100
        else:
            with refused(403, 42210000, "subscription does not permit querying recent SIP data"):
                bench.data.get_stock_latest_quote(request)


def test_row_102_sizes_are_in_shares_and_include_our_own_order() -> None:
    with a_bench() as bench:
        assert (_quote(bench)["bs"], _quote(bench)["as"]) == (300, 200)
        bench.working(price=100.0, qty=25)
        assert _quote(bench)["bs"] == 325
        bench.working(price=100.02, qty=7)
        assert (_quote(bench)["bp"], _quote(bench)["bs"]) == (100.02, 7)


@across(snapshot_of_illiquid=("null", "absent"))
def test_row_103_snapshots_are_a_map_without_a_wrapper_and_may_lack_parts(quirks: BrokerQuirks) -> None:
    prints = [trade("09:38", "10 @ 470.00"), trade("09:40:10", "50 @ 480.20"), trade("09:40:20", "150 @ 480.40")]
    book = {**TWO, "BRK.B": [*TWO["BRK.B"], *prints]}
    with a_bench(market=ScriptedMarket({FRIDAY: book}), quirks=quirks) as bench:
        raw = bench.raw("GET", "/v2/stocks/snapshots?symbols=AAPL,BRK.B").json()
        models = bench.data.get_stock_snapshot(StockSnapshotRequest(symbol_or_symbols=["AAPL", "BRK.B"]))
        last = bench.data.get_stock_latest_trade(StockLatestTradeRequest(symbol_or_symbols="BRK.B"))
    assert ("latestTrade" in raw["AAPL"]) is (quirks.snapshot_of_illiquid == "null")
    assert raw["BRK.B"]["minuteBar"] == {
        "t": "2026-11-20T14:40:00Z",
        "o": 480.2,
        "h": 480.4,
        "l": 480.2,
        "c": 480.4,
        "v": 200,
        "n": 2,
        "vw": 480.35,
    }
    assert models["AAPL"].latest_trade is None
    assert models["BRK.B"].daily_bar.volume == 210
    assert (last["BRK.B"].price, last["BRK.B"].size) == (480.4, 150)


def test_row_103_single_symbol_calls_have_their_own_paths() -> None:
    with a_bench() as bench:
        latest = bench.raw("GET", "/v2/stocks/AAPL/quotes/latest").json()
        unknown = bench.raw("GET", "/v2/stocks/NOPE/trades/latest")
        snapshot = bench.raw("GET", "/v2/stocks/AAPL/snapshot").json()
    assert (latest["symbol"], latest["quote"]["bp"]) == ("AAPL", 100)
    assert unknown.status_code == 404
    assert snapshot["latestQuote"]["ap"] == 100.05


def test_row_104_corporate_actions_answer_an_empty_page() -> None:
    with a_bench() as bench:
        raw = bench.raw("GET", "/v1/corporate-actions?symbols=AAPL").json()
        client = CorporateActionsClient(bench.key_id, bench.secret, url_override=bench.server.data_url)
        with client._session:
            actions: Any = client.get_corporate_actions(CorporateActionsRequest(symbols=["AAPL"], limit=10))
    assert raw == {"corporate_actions": {}, "next_page_token": None}
    assert actions.data == {}


def test_an_error_of_the_market_data_api_has_no_code() -> None:
    with a_bench() as bench, pytest.raises(APIError) as caught:
        bench.data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="b$d"))
    assert caught.value.status_code == 400
    with pytest.raises(KeyError):
        _ = caught.value.code


def _quote(bench: Bench) -> dict[str, Any]:
    view: dict[str, Any] = bench.raw("GET", "/v2/stocks/quotes/latest?symbols=AAPL").json()["quotes"]["AAPL"]
    return view


def _rewrite(bench: Bench, name: str) -> None:
    bench.on_server(lambda: bench.exchange.faults.arm(Fault(kind=Kind.REWRITE, path="/v2/stocks/.*", rewrite=name)))
