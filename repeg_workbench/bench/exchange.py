"""Measures the simulated exchange: in process, and over loopback with client and server on one core."""

import json
import os
import socket
import sys
from collections.abc import Callable, Iterator
from datetime import date
from time import perf_counter
from typing import Any

from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.market.scripted import ScriptedMarket, quote
from repeg_workbench.exchange.messages import Request
from repeg_workbench.exchange.serving.server import ExchangeServer
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.exchange.time.clocks import SteppedClock

DAY = date(2026, 11, 20)
CALLS, ROUNDS = 2_000, 3
TARGET_PER_SECOND = 2_000
TARGETS = {"POST an order": 60, "GET an order by id": 40}
QUOTE = [("symbols", "AAPL"), ("feed", "iex")]
LIMITLESS = BrokerQuirks(requests_per_minute=None, data_requests_per_minute=None)


def main() -> None:
    """Print microseconds per call in process, and calls per second over loopback."""
    _in_process()
    _over_loopback()


def _in_process() -> None:
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for what, microseconds in _round():
            best[what] = min(best.get(what, microseconds), microseconds)
    for what, microseconds in best.items():
        _line(f"{what}, in process", microseconds, TARGETS.get(what))


def _round() -> Iterator[tuple[str, float]]:
    exchange, clock = _exchange()
    posts = [_post(exchange, number) for number in range(CALLS)]
    yield "GET a latest quote", _microseconds(_caller(exchange, "GET", "/v2/stocks/quotes/latest", QUOTE))
    yield "POST an order", _microseconds(lambda i: exchange.handle(posts[i]))
    clock.move(1)
    exchange.advance()
    ids = list(exchange.account.orders.by_id)
    yield "GET an order by id", _microseconds(_caller(exchange, "GET", f"/v2/orders/{ids[0]}"))
    yield "GET 50 orders", _microseconds(_caller(exchange, "GET", "/v2/orders"), CALLS // 10)
    yield "PATCH an order", _microseconds(lambda i: _patch(exchange, ids[i]))
    yield "GET the account", _microseconds(_caller(exchange, "GET", "/v2/account"))


def _over_loopback() -> None:
    _pin_to_one_core()
    rate = max(_loopback_rate() for _ in range(ROUNDS))
    what = "POST an order, over loopback on one core"
    sys.stdout.write(f"{what:<44} {rate:>9,.0f} per second   target {TARGET_PER_SECOND:,}\n")


def _loopback_rate() -> float:
    exchange, _ = _exchange()
    calls = [_http(exchange, "POST", "/v2/orders", _post(exchange, number).body) for number in range(CALLS)]
    with ExchangeServer(exchange) as server, socket.create_connection(("127.0.0.1", server.port)) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        began = perf_counter()
        for call in calls:
            _exchange_bytes(line, call)
        return CALLS / (perf_counter() - began)


def _exchange() -> tuple[Exchange, SteppedClock]:
    market = ScriptedMarket({DAY: {"AAPL": [quote("09:30", "300 @ 189.40", "200 @ 189.44")]}})
    clock = SteppedClock(new_york(DAY, "10:00"))
    return Exchange(market, clock, LIMITLESS, OpeningAccount()), clock


def _post(exchange: Exchange, number: int) -> Request:
    body = {
        "symbol": "AAPL",
        "qty": 1,
        "side": "buy",
        "type": "limit",
        "time_in_force": "day",
        "limit_price": f"1.{number % 100:02}",
        "client_order_id": f"bench-{number}",
    }
    return Request("POST", "/v2/orders", [], _headers(exchange), json.dumps(body).encode())


def _patch(exchange: Exchange, order_id: str) -> None:
    exchange.handle(Request("PATCH", f"/v2/orders/{order_id}", [], _headers(exchange), b'{"limit_price": 7.77}'))


def _caller(
    exchange: Exchange, method: str, path: str, query: list[tuple[str, str]] | None = None
) -> Callable[[int], Any]:
    request = Request(method, path, query or [], _headers(exchange))
    return lambda number: exchange.handle(request)  # noqa: ARG005 - the same call every time


def _headers(exchange: Exchange) -> dict[str, str]:
    return {"APCA-API-KEY-ID": exchange.opening.key_id, "APCA-API-SECRET-KEY": exchange.opening.secret_key}


def _http(exchange: Exchange, method: str, path: str, body: bytes) -> bytes:
    headers = {"Host": "127.0.0.1", "Content-Length": str(len(body)), **_headers(exchange)}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def _exchange_bytes(line: socket.socket, request: bytes) -> None:
    line.sendall(request)
    answer = line.recv(65_536)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the exchange answered {answer[:200]!r}")


def _pin_to_one_core() -> None:
    # Client and server share one core, as in a container with one CPU.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def _microseconds(call: Callable[[int], Any], times: int = CALLS) -> float:
    began = perf_counter()
    for number in range(times):
        call(number)
    return (perf_counter() - began) / times * 1_000_000


def _line(what: str, microseconds: float, target: int | None = None) -> None:
    aim = f"   target {target} µs" if target else ""
    sys.stdout.write(f"{what:<44} {microseconds:>9,.1f} µs{aim}\n")


if __name__ == "__main__":
    main()
