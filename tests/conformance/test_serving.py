"""A bot connected to a served exchange places, replaces, cancels and streams; the server ends cleanly."""

import signal
import socket
import sys
from contextlib import suppress
from datetime import date

import pytest
import requests

from repeg_workbench.exchange.broker.ledger import USD
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.market.scripted import Event as TapeEvent
from repeg_workbench.exchange.market.scripted import ScriptedMarket, quote
from repeg_workbench.exchange.market.symbol_day import SymbolDay
from repeg_workbench.exchange.messages import Request, Response
from repeg_workbench.exchange.serving.serve import Stop, clock_for, greeting, serve, serving, stopped_by_signals
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.exchange.time.clocks import RealClock, RunningClock, SteppedClock
from tests.conformance.alpaca_bench import Bench
from tests.conformance.streaming import market_data, trade_updates
from tests.exchange.caller import FRIDAY, QUIET_BOOK

TICKING: list[TapeEvent] = [
    *QUIET_BOOK,
    *(
        quote(f"10:{second // 60:02}:{second % 60:02}", "300 @ 100.00", f"{200 + second} @ 100.05")
        for second in range(600)
    ),
]


def test_a_bot_places_replaces_cancels_and_streams_while_time_runs() -> None:
    clock = clock_for(FRIDAY, "10:00", real_time=False, speed=20)
    with serving(ScriptedMarket({FRIDAY: {"AAPL": TICKING}}), clock, port=0) as server:
        bench = Bench(server, [0])
        with trade_updates(bench) as updates:
            order = bench.limit(price=99)
            assert [updates.next().event for _ in range(2)] == ["pending_new", "new"]
            new = bench.replace(order, limit_price=99.5)
            events = [updates.next() for _ in range(4)]
            assert {(update.event, update.order.id) for update in events[2:]} == {
                ("replaced", order.id),
                ("new", new.id),
            }
            bench.trading.cancel_order_by_id(new.id)
            assert [updates.next().event for _ in range(2)] == ["pending_cancel", "canceled"]
        bench.close()


def test_quotes_stream_without_requests_while_time_runs() -> None:
    clock = clock_for(FRIDAY, "10:00", real_time=False, speed=20)
    with serving(ScriptedMarket({FRIDAY: {"AAPL": TICKING}}), clock, port=0) as server:
        bench = Bench(server, [0])
        with market_data(bench, quotes=["AAPL"]) as received:
            sizes = [received.next().ask_size for _ in range(3)]
        bench.close()
    assert sizes == [sizes[0], sizes[0] + 1, sizes[0] + 2]


def test_the_server_shows_its_addresses_and_ends_when_stopped() -> None:
    lines, stop, clock = list[str](), Stop(), SteppedClock(new_york(FRIDAY, "10:00"))
    with serving(ScriptedMarket({FRIDAY: {"AAPL": QUIET_BOOK}}), clock, port=0) as server:
        stop.set()
        serve(server, clock, lines.append, stop)
        assert lines == [*greeting(server, clock), "stopped"]
        account = requests.get(_value_of(lines, "trading API") + "/v2/account", headers=_headers(lines), timeout=5)
        assert account.json()["status"] == "ACTIVE"
        address = ("127.0.0.1", server.port)
    assert not _is_open(address)


def test_signal_handlers_are_restored_if_no_signal_arrived() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with stopped_by_signals():
        assert signal.getsignal(signal.SIGTERM) not in before
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_does_not_interrupt_the_cleanup(number: int) -> None:
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        with stopped_by_signals() as stop:
            signal.raise_signal(number)
            stop.wait(5)
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def test_the_control_plane_moves_a_stepped_clock() -> None:
    clock = clock_for(FRIDAY, "10:00", real_time=False, speed=0)
    with serving(ScriptedMarket({FRIDAY: {"AAPL": QUIET_BOOK}}), clock, port=0) as server, requests.Session() as http:
        moved = http.post(f"{server.trading_url}/_sim/clock", json={"advance_seconds": 60}, timeout=5).json()
    assert moved == {"now": "2026-11-20T15:01:00Z"}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
def test_a_server_answers_only_on_the_address_that_it_was_given() -> None:
    clock = clock_for(FRIDAY, "10:00", real_time=False, speed=0)
    market = ScriptedMarket({FRIDAY: {"AAPL": QUIET_BOOK}})

    def answers(port: int, host: str) -> bool:
        with suppress(requests.ConnectionError):
            return requests.post(f"http://{host}:{port}/_sim/clock", json={}, timeout=5).ok
        return False

    with serving(market, clock, 0, "127.0.0.1") as server:
        assert (answers(server.port, "127.0.0.1"), answers(server.port, "127.0.0.2")) == (True, False)
    with serving(market, clock, 0, "127.0.0.2") as server:
        assert server.trading_url == f"http://127.0.0.2:{server.port}"
        assert (answers(server.port, "127.0.0.1"), answers(server.port, "127.0.0.2")) == (False, True)
    with serving(market, clock, 0, "0.0.0.0") as server:  # noqa: S104 - for a moment, in a test
        assert server.trading_url == f"http://127.0.0.1:{server.port}"
        assert (answers(server.port, "127.0.0.1"), answers(server.port, "127.0.0.2")) == (True, True)


def test_a_port_in_use_is_an_error_and_leaves_no_thread() -> None:
    market, clock = ScriptedMarket({FRIDAY: {"AAPL": QUIET_BOOK}}), SteppedClock(new_york(FRIDAY, "10:00"))
    with serving(market, clock, port=0) as server, pytest.raises(OSError, match="address"):
        serving(market, clock, port=server.port).__enter__()


class Broken(ScriptedMarket):
    """A market whose days cannot be read."""

    def day(self, symbol: str, day: date) -> SymbolDay | None:
        raise ZeroDivisionError(f"{symbol} on {day}")


def test_an_unexpected_error_in_a_call_is_a_500_and_the_server_goes_on() -> None:
    broken, clock = Broken({FRIDAY: {"AAPL": QUIET_BOOK}}), SteppedClock(new_york(FRIDAY, "10:00"))
    with serving(broken, clock, port=0) as server:
        headers = _headers(greeting(server, clock))
        quote = requests.get(f"{server.trading_url}/v2/stocks/AAPL/quotes/latest", headers=headers, timeout=5)
        orders = requests.get(f"{server.trading_url}/v2/orders", headers=headers, timeout=5)
    assert (quote.status_code, orders.status_code) == (500, 200)


def test_an_error_while_time_advances_ends_the_server() -> None:
    market, clock, stop = (
        ScriptedMarket({FRIDAY: {"AAPL": QUIET_BOOK}}),
        SteppedClock(new_york(FRIDAY, "10:00")),
        Stop(),
    )
    answers = []

    def ask() -> None:
        with serving(market, clock, port=0, stop=stop) as server:
            server.exchange.timers.at(server.exchange.now + 1, _divide, 0)
            answers.append(requests.post(f"{server.trading_url}/_sim/clock", json={"advance_seconds": 1}, timeout=5))
            stop.wait(5)

    with pytest.raises(ZeroDivisionError):
        ask()
    assert answers[0].status_code == 500


def test_an_error_that_leaves_the_books_unsound_ends_the_server() -> None:
    market, clock, stop = (
        ScriptedMarket({FRIDAY: {"AAPL": QUIET_BOOK}}),
        SteppedClock(new_york(FRIDAY, "10:00")),
        Stop(),
    )

    def ask() -> None:
        with serving(market, clock, port=0, stop=stop) as server:
            ledger, headers = server.exchange.ledger, _headers(greeting(server, clock))

            def fail_halfway(request: Request) -> Response:
                ledger.hold(server.exchange.now, "nobody's order", USD, 5)
                raise ZeroDivisionError(request.path)

            server.exchange.routes.fixed["/v2/clock"]["GET"] = fail_halfway
            requests.get(f"{server.trading_url}/v2/clock", headers=headers, timeout=5)
            stop.wait(5)

    with pytest.raises(ZeroDivisionError, match="/v2/clock"):
        ask()


@pytest.mark.parametrize(
    ("speed", "pace"),
    [
        (0, " in New York; stands still; to move it: curl -X POST "),
        (1, " in New York; runs as fast as the wall clock; to move it forward: curl -X POST "),
        (60, " in New York; runs 60 times as fast as the wall clock; to move it forward: curl -X POST "),
    ],
)
def test_the_greeting_describes_how_time_advances(speed: float, pace: str) -> None:
    clock = clock_for(FRIDAY, "10:00", real_time=False, speed=speed)
    with serving(ScriptedMarket({FRIDAY: {"AAPL": QUIET_BOOK}}), clock, port=0) as server:
        line = _value_of(greeting(server, clock), "time")
    assert line.startswith("2026-11-20 10:")
    assert pace in line


def test_real_time_follows_the_wall_clock_and_cannot_be_moved() -> None:
    with serving(ScriptedMarket({FRIDAY: {"AAPL": QUIET_BOOK}}), RealClock(), port=0) as server:
        assert _value_of(greeting(server, RealClock()), "time").endswith("in New York, from the wall clock")
        answer = requests.post(f"{server.trading_url}/_sim/clock", json={"advance_seconds": 60}, timeout=5)
        assert answer.json()["message"] == "this exchange runs in real time; its clock cannot be moved"


def test_the_control_plane_moves_a_running_clock_forward() -> None:
    clock = clock_for(FRIDAY, "10:00", real_time=False, speed=1)
    with serving(ScriptedMarket({FRIDAY: {"AAPL": QUIET_BOOK}}), clock, port=0) as server:
        answer = requests.post(f"{server.trading_url}/_sim/clock", json={"advance_seconds": 21_599}, timeout=5)
        assert "2026-11-20T20:59:59" <= answer.json()["now"] < "2026-11-20T21:00:59"


def test_a_clock_needs_a_day_and_refuses_a_negative_speed() -> None:
    assert isinstance(clock_for(None, "09:30", real_time=True, speed=1), RealClock)
    assert isinstance(clock_for(FRIDAY, "09:30", real_time=False, speed=60), RunningClock)
    with pytest.raises(ValueError, match="a day to start on"):
        clock_for(None, "09:30", real_time=False, speed=1)
    with pytest.raises(ValueError, match="speed -1"):
        clock_for(FRIDAY, "09:30", real_time=False, speed=-1)


def test_the_real_clock_is_the_wall_clock() -> None:
    first, second = RealClock()(), RealClock()()
    assert 1_700_000_000 * 10**9 < first <= second
    assert BrokerQuirks().requests_per_minute == 200


def _divide(at: int, divisor: int) -> None:
    _ = at // divisor


def _value_of(lines: list[str], name: str) -> str:
    (value,) = (line.removeprefix(name).strip() for line in lines if line.startswith(name))
    return value


def _headers(lines: list[str]) -> dict[str, str]:
    return {"APCA-API-KEY-ID": _value_of(lines, "key id"), "APCA-API-SECRET-KEY": _value_of(lines, "secret key")}


def _is_open(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(address) == 0
