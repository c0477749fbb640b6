"""The deployed streams on `repeg exchange` as a process of its own, by the wall clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import requests

from repeg.adapters.alpaca.keys import SIMULATED, FixedKeys, TradingMode
from repeg.adapters.alpaca.market_data import AlpacaMarket, data_api
from repeg.adapters.alpaca.signals import AlpacaSignals, addresses, deployed
from repeg.adapters.runtime import SystemRuntime
from repeg.domain.hints import HintKind, Hints
from repeg.domain.setting_types import Feed
from tests.conformance.sdk import LimitOrderRequest, OrderSide, TimeInForce
from tests.contracts.listening import PREFIX, QUICK, hear
from tests.exchange.served import Served, served

# A hint is late after this many seconds. The exchange acknowledges an order, and fills it, within a tenth of one.
LATE = 1.0


class ExchangeClock(SystemRuntime):
    """Our own clock, set to the exchange's date."""

    def __init__(self, url: str) -> None:
        super().__init__()
        there = datetime.fromisoformat(requests.get(f"{url}/_sim", timeout=10).json()["now"])
        self._ahead: timedelta = there - super().now()

    def now(self) -> datetime:
        return super().now() + self._ahead


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("exchange"), "--start", "10:00", "--speed", "1") as running:
        yield running


@pytest.fixture
def signals(exchange: Served) -> Iterator[AlpacaSignals]:
    yield signals_of(exchange)
    requests.delete(f"{exchange.url}/_sim/faults", timeout=10).raise_for_status()


def signals_of(exchange: Served) -> AlpacaSignals:
    where = addresses(TradingMode.PAPER, Feed.IEX, exchange.url, exchange.url)
    return AlpacaSignals(deployed(where, Feed.IEX, QUICK), FixedKeys(SIMULATED), ExchangeClock(exchange.url))


def the_symbol(exchange: Served) -> str:
    return exchange.value_of("symbols").split()[0]


def buy(exchange: Served, n: int) -> Any:
    """A buy that fills at once."""
    symbol = the_symbol(exchange)
    market = AlpacaMarket(data_api(FixedKeys(SIMULATED), SystemRuntime().mount, exchange.url), "iex")
    ask = market.quotes([symbol])[symbol].ask
    return exchange.trading().submit_order(
        LimitOrderRequest(
            symbol=symbol, qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, limit_price=float(ask) + 1,
            client_order_id=f"{PREFIX}{symbol}.b.{n}",
        )
    )  # fmt: skip


def arm(exchange: Served, **fault: Any) -> None:
    requests.post(f"{exchange.url}/_sim/stream-faults", json=fault, timeout=10).raise_for_status()


def seconds_to(action: Callable[[], Any]) -> float:
    began = monotonic()
    action()
    return monotonic() - began


def test_a_fill_is_hinted_within_a_second_of_its_order(exchange: Served, signals: AlpacaSignals) -> None:
    symbol = the_symbol(exchange)
    with signals.open(PREFIX, [symbol]) as listener:
        hear(listener, lambda heard: bool(heard.gaps))
        for n in range(1, 6):
            buy(exchange, n)
            took = seconds_to(lambda: hear(listener, lambda heard: HintKind.FILL in heard.kinds.get(symbol, ())))
            assert took < LATE


def test_a_streamed_quote_becomes_the_one_that_rest_reads(exchange: Served, signals: AlpacaSignals) -> None:
    symbols = exchange.value_of("symbols").split()[:3]
    market = AlpacaMarket(data_api(FixedKeys(SIMULATED), SystemRuntime().mount, exchange.url), "iex")
    with signals.open(PREFIX, symbols) as listener:

        def agrees(symbol: str) -> bool:
            return listener.quotes([symbol]).get(symbol) == market.quotes([symbol])[symbol]

        for symbol in symbols:
            hear(listener, lambda _, symbol=symbol: agrees(symbol))  # type: ignore[misc]


def test_a_dropped_connection_is_made_again_with_a_gap(exchange: Served, signals: AlpacaSignals) -> None:
    symbol = the_symbol(exchange)
    with signals.open(PREFIX, [symbol]) as listener:
        hear(listener, lambda heard: bool(heard.gaps))
        arm(exchange, failure="disconnect", event="fill")
        buy(exchange, 11)
        hear(listener, lambda heard: bool(heard.gaps))
        buy(exchange, 12)
        hear(listener, lambda heard: HintKind.FILL in heard.kinds.get(symbol, ()))


def test_a_frozen_connection_is_made_again_with_a_gap(exchange: Served, signals: AlpacaSignals) -> None:
    symbol = the_symbol(exchange)
    with signals.open(PREFIX, [symbol]) as listener:
        hear(listener, lambda heard: bool(heard.gaps))
        arm(exchange, failure="freeze", event="fill")
        buy(exchange, 21)
        hear(listener, lambda _: listener.source == "poll: silent for 1.5 s")
        hear(listener, lambda heard: bool(heard.gaps) and listener.source == "stream")


def test_a_second_listener_hears_fills_and_gets_no_quotes(exchange: Served, signals: AlpacaSignals) -> None:
    symbol = the_symbol(exchange)
    with signals.open(PREFIX, [symbol]) as first:
        hear(first, lambda _: bool(first.followed))
        with signals_of(exchange).open(PREFIX, [symbol]) as second:
            hear(second, lambda _: second.quote_source == "poll: connection limit exceeded")
            buy(exchange, 31)
            hear(second, lambda heard: HintKind.FILL in heard.kinds.get(symbol, ()))
    with signals_of(exchange).open(PREFIX, [symbol]) as third:
        hear(third, lambda _: bool(third.followed))


def test_a_listener_ends_with_its_step_and_leaves_no_thread(exchange: Served, signals: AlpacaSignals) -> None:
    before = set(threading.enumerate())
    listener = signals.open(PREFIX, [the_symbol(exchange)])
    hear(listener, lambda heard: bool(heard.gaps))
    assert len(set(threading.enumerate()) - before) >= 1
    assert seconds_to(lambda: listener.__exit__(None, None, None)) < LATE
    assert set(threading.enumerate()) - before == set()


def test_a_broker_that_goes_away_leaves_a_listener_that_only_waits(tmp_path: Path) -> None:
    with served(tmp_path, "--start", "10:00", "--speed", "1") as going:
        listener = signals_of(going).open(PREFIX, [the_symbol(going)])
        hear(listener, lambda heard: bool(heard.gaps))
        going.process.kill()
        going.process.wait()
        hear(listener, lambda _: listener.source.startswith("poll: ") and listener.quote_source.startswith("poll: "))
        assert 0.3 < seconds_to(lambda: nothing_in(listener.wait(0.3))) < LATE
        assert seconds_to(lambda: listener.__exit__(None, None, None)) < 5 * LATE


def nothing_in(hints: Hints) -> None:
    assert hints == Hints()


def test_thirty_symbols_are_followed_of_more(exchange: Served, signals: AlpacaSignals) -> None:
    symbols: Sequence[str] = [the_symbol(exchange), *(f"ZZ{chr(65 + n // 26)}{chr(65 + n % 26)}" for n in range(40))]
    with signals.open(PREFIX, symbols) as listener:
        hear(listener, lambda _: bool(listener.followed))
        assert listener.followed == set(symbols[:30])
