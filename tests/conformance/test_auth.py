"""Rows 1 to 6: authentication, and the form of every answer."""

import re
from datetime import date

import pytest
import requests

from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from tests.conformance.alpaca_bench import a_bench, across
from tests.conformance.sdk import APIError, StockLatestQuoteRequest, TradingClient
from tests.exchange.caller import PROMPT

_SUMMER_DAY = date(2026, 7, 1)
NINE_DIGITS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


def test_row_001_known_keys_are_accepted_and_others_are_401() -> None:
    with a_bench() as bench:
        assert bench.trading.get_account().status == "ACTIVE"
        stranger = TradingClient(bench.key_id, "wrong", url_override=bench.server.trading_url)
        with stranger._session, pytest.raises(APIError) as caught:
            stranger.get_account()
    assert caught.value.status_code == 401
    assert caught.value.message == "unauthorized."
    with pytest.raises(KeyError):
        _ = caught.value.code


@across(missing_headers=("html401", "json403"))
def test_row_002_without_keys_the_answer_is_a_proxys_page_or_a_json_403(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        answer = requests.get(bench.server.trading_url + "/v2/account", timeout=5)
    if quirks.missing_headers == "html401":
        assert answer.status_code == 401
        assert answer.headers["Content-Type"] == "text/html"
        assert "<html>" in answer.text
    else:
        assert answer.status_code == 403
        assert answer.json() == {"message": "forbidden."}


def test_row_003_trading_answers_strings_and_market_data_numbers() -> None:
    with a_bench() as bench:
        order = bench.post().json()
        quote = bench.raw("GET", "/v2/stocks/quotes/latest", params={"symbols": "AAPL"}).json()["quotes"]["AAPL"]
    assert all(isinstance(order[name], str) for name in ("qty", "filled_qty", "limit_price"))
    assert isinstance(quote["bp"], int | float)
    assert isinstance(quote["as"], int)


@across(unknown_route=("404", "405"))
def test_row_004_an_unknown_route_is_a_json_404(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        nowhere = bench.raw("GET", "/v2/nothing/here")
        wrong_method = bench.raw("PUT", "/v2/orders")
    assert nowhere.status_code == 404
    assert nowhere.json() == {"message": "endpoint not found."}
    assert wrong_method.status_code == int(quirks.unknown_route)


def test_row_005_timestamps_are_rfc_3339_with_up_to_nine_digits() -> None:
    with a_bench() as bench:
        bench.wait(0.000123)
        order = bench.post().json()
        clock = bench.raw("GET", "/v2/clock").json()
        quote = bench.data.get_stock_latest_quote(StockLatestQuoteRequest(symbol_or_symbols="AAPL"))["AAPL"]
        parsed = bench.trading.get_clock()
    assert NINE_DIGITS.fullmatch(order["submitted_at"])
    assert order["submitted_at"] == "2026-11-20T15:00:00.000000123Z"
    assert clock["timestamp"] == "2026-11-20T10:00:00.000000123-05:00"
    assert parsed.timestamp.utcoffset() is not None
    assert quote.timestamp.tzinfo is not None


def test_row_005_the_clocks_offset_follows_daylight_saving() -> None:
    with a_bench(day=_SUMMER_DAY) as bench:
        assert bench.raw("GET", "/v2/clock").json()["timestamp"] == "2026-07-01T10:00:00-04:00"


def test_row_006_every_answer_has_a_request_id_of_32_hex_digits() -> None:
    with a_bench(quirks=PROMPT) as bench:
        answers = [bench.raw("GET", "/v2/clock"), bench.raw("GET", "/v2/none"), bench.post(qty="0")]
    ids = [answer.headers["X-Request-ID"] for answer in answers]
    assert all(re.fullmatch(r"[0-9a-f]{32}", request_id) for request_id in ids)
    assert len(set(ids)) == 3
