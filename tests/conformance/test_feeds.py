"""Row 138: what the iex feed shows of the market in which orders fill."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from repeg_workbench.exchange.market.generated import GeneratedMarket
from tests.conformance.alpaca_bench import Bench, a_bench
from tests.conformance.streaming import market_data
from tests.exchange.caller import PROMPT

VENUE = replace(PROMPT, iex_feed="venue", sip_entitled=True, stream_symbol_limit=None)
LATEST = "/v2/stocks/quotes/latest?symbols=JNJ"
HOUR = "start=2026-11-20T14:30:00Z&end=2026-11-20T14:59:59.999999999Z&limit=10000"


def market() -> GeneratedMarket:
    return GeneratedMarket(3)


def rows(bench: Bench, what: str, feed: str) -> list[dict[str, Any]]:
    """The half-hour's rows of a feed, from every page."""
    found: list[dict[str, Any]] = []
    token = ""
    while True:
        page = bench.raw("GET", f"/v2/stocks/JNJ/{what}?{HOUR}&feed={feed}&page_token={token}").json()
        found += page[what]
        token = page["next_page_token"]
        if not token:
            return found


def in_force(quotes: list[dict[str, Any]], second: int) -> Mapping[str, Any]:
    """The last of the quotes by so many seconds after the open."""
    by = datetime.fromtimestamp(1_795_185_000 + second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return next(quote for quote in reversed(quotes) if quote["t"][:19] < by)


def test_row_138_the_iex_feed_shows_one_venue_and_sip_the_national_best() -> None:
    with a_bench(market=market(), quirks=VENUE) as bench:
        alone, national = rows(bench, "quotes", "iex"), rows(bench, "quotes", "sip")
    pairs = [(in_force(alone, second), in_force(national, second)) for second in range(300, 1_790, 5)]
    assert all(mine["bp"] <= best["bp"] and (mine["ap"] >= best["ap"] or not mine["ap"]) for mine, best in pairs)
    at_best = sum((mine["bp"], mine["ap"]) == (best["bp"], best["ap"]) for mine, best in pairs) / len(pairs)
    assert 0.1 < at_best < 0.6
    assert any(mine["bp"] == 0 or mine["ap"] == 0 for mine, _ in pairs)
    assert any(0 < mine["bp"] < best["bp"] - 0.5 for mine, best in pairs)
    assert {quote["bx"] for quote in alone} <= {"V", " "}


def test_row_138_the_latest_quote_is_that_of_the_requested_feed() -> None:
    with a_bench(market=market(), quirks=VENUE) as bench:
        alone, national = rows(bench, "quotes", "iex")[-1], rows(bench, "quotes", "sip")[-1]
        assert bench.raw("GET", f"{LATEST}&feed=iex").json()["quotes"]["JNJ"] == alone
        assert bench.raw("GET", f"{LATEST}&feed=sip").json()["quotes"]["JNJ"] == national


@pytest.mark.parametrize(("is_entitled", "feed"), [(False, "iex"), (True, "sip")])
def test_row_138_without_a_name_the_feed_is_the_best_that_is_subscribed(is_entitled: bool, feed: str) -> None:
    with a_bench(market=market(), quirks=replace(VENUE, sip_entitled=is_entitled)) as bench:
        assert bench.raw("GET", LATEST).json() == bench.raw("GET", f"{LATEST}&feed={feed}").json()


def test_row_138_a_small_part_of_the_trades_is_on_the_iex_feed() -> None:
    with a_bench(market=market(), quirks=VENUE, at="15:55") as bench:
        alone, national = (rows(bench, "trades", feed) for feed in ("iex", "sip"))
        last = bench.raw("GET", "/v2/stocks/JNJ/trades/latest?feed=iex").json()["trade"]
        bars = [bench.raw("GET", f"/v2/stocks/JNJ/bars?timeframe=1Day&feed={feed}&start=2026-11-20").json() for feed in
                ("iex", "sip")]  # fmt: skip
    assert {(print_["t"], print_["p"], print_["s"]) for print_ in alone} <= {
        (print_["t"], print_["p"], print_["s"]) for print_ in national
    }
    assert {print_["x"] for print_ in [*alone, last]} == {"V"}
    volumes = [each["bars"][0]["v"] for each in bars]
    assert 0.015 < volumes[0] / volumes[1] < 0.05


def test_row_138_a_stream_carries_the_quotes_of_its_feed() -> None:
    streamed = {}
    for feed in ("iex", "sip"):
        with a_bench(market=market(), quirks=VENUE) as bench:
            with market_data(bench, feed, quotes=["JNJ"]) as received:
                bench.wait(20_000)
                first = received.next()
            streamed[feed] = (first.bid_price, first.ask_price)
            later = bench.raw("GET", f"/v2/stocks/JNJ/quotes?start=2026-11-20T15:00:00.000000001Z&feed={feed}").json()
            assert streamed[feed] == (later["quotes"][0]["bp"], later["quotes"][0]["ap"])
    assert streamed["iex"] != streamed["sip"]


def test_row_138_orders_fill_in_the_market_and_not_on_the_feed() -> None:
    with a_bench(market=market(), quirks=VENUE) as bench:
        while True:
            alone, national = (bench.raw("GET", f"{LATEST}&feed={feed}").json()["quotes"]["JNJ"] for feed in
                               ("iex", "sip"))  # fmt: skip
            if alone["ap"] > national["ap"] and alone["bp"] < national["bp"]:
                break
            bench.wait(1_000)
        resting = bench.working(symbol="JNJ", price=national["bp"], qty=3)
        assert bench.raw("GET", f"{LATEST}&feed=iex").json()["quotes"]["JNJ"]["bp"] <= national["bp"]
        shown = bench.raw("GET", f"{LATEST}&feed=sip").json()["quotes"]["JNJ"]
        assert shown["bs"] >= 3
        bench.trading.cancel_order_by_id(resting.id)
        bench.wait(50)
        now = bench.raw("GET", f"{LATEST}&feed=sip").json()["quotes"]["JNJ"]
        bought = bench.limit(symbol="JNJ", price=now["ap"] + 1, qty=1)
        bench.wait(50)
        assert float(str(bench.order(bought).filled_avg_price)) == pytest.approx(now["ap"], abs=0.05)


def test_row_138_the_feed_is_the_same_for_the_same_seed() -> None:
    seen = []
    for _ in range(2):
        with a_bench(market=market(), quirks=VENUE) as bench:
            seen.append(rows(bench, "quotes", "iex"))
    assert seen[0] == seen[1]


def test_row_138_by_default_every_feed_shows_the_consolidated_market() -> None:
    with a_bench(market=market(), quirks=replace(VENUE, iex_feed="consolidated")) as bench:
        assert rows(bench, "quotes", "iex") == rows(bench, "quotes", "sip")
