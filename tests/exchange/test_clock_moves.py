"""A client that moves the exchange's clock far ahead does not keep the other clients waiting."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import requests

from repeg_workbench.exchange.market.generated import DEFAULT_UNIVERSE, GeneratedMarket
from tests.conformance.alpaca_bench import Bench, a_bench
from tests.conformance.streaming import market_data

MONDAY = date(2026, 11, 2)
TEN_MINUTES = 600


def test_other_clients_are_answered_while_the_clock_moves_ten_minutes() -> None:
    """With a data subscriber of nine symbols, and with a second client that keeps asking for the clock."""
    market = GeneratedMarket(1, DEFAULT_UNIVERSE[:9], activity=0.2)
    with a_bench(market=market, day=MONDAY) as bench:
        bench.exchange.control.move = lambda seconds: _move(bench, seconds)
        with market_data(bench, quotes=list(market.symbols())) as received, ThreadPoolExecutor(1) as other:
            start = _clock(bench)
            moved = other.submit(_advance, bench)
            seen = [start]
            while not moved.done():
                seen.append(_clock(bench))
            assert moved.result() == 200
            assert _clock(bench) == start + timedelta(seconds=TEN_MINUTES)
            received.next()
    between = {at for at in seen if start < at < start + timedelta(seconds=TEN_MINUTES)}
    assert len(between) >= 3, "answered on the way, at the time reached so far"
    assert seen == sorted(seen)


def _move(bench: Bench, seconds: float) -> None:
    bench._now[0] += round(seconds * 1e9)


def _advance(bench: Bench) -> int:
    body = {"advance_seconds": TEN_MINUTES}
    return requests.post(bench.server.trading_url + "/_sim/clock", json=body, timeout=60).status_code


def _clock(bench: Bench) -> datetime:
    return datetime.fromisoformat(bench.raw("GET", "/v2/clock").json()["timestamp"])
