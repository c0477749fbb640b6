"""Malformed requests, aborted connections and concurrent clients cause no server error."""

import asyncio
import gzip
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from random import Random  # noqa: TID251 - seeded
from typing import Any

import pytest
import requests
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from hypothesis import given
from hypothesis import strategies as st

from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, quote
from repeg_workbench.exchange.streams.data_stream import DataStream
from repeg_workbench.exchange.streams.trade_stream import TradeStream
from repeg_workbench.exchange.time.clocks import RunningClock
from tests.conformance.alpaca_bench import Bench, a_bench, shares
from tests.conformance.streaming import until
from tests.exchange.auditor import Auditor
from tests.exchange.caller import FRIDAY, PROMPT, QUIET_BOOK, SECOND, a_caller, holding, order_body
from tests.exchange.test_fuzz import JSON, QUICK, WORDS

ORDER = json.dumps(order_body()).encode()
KEYS = "APCA-API-KEY-ID: PKSIMULATED000000000\r\nAPCA-API-SECRET-KEY: simulated-secret-key-of-forty-characters\r\n"
HANDSHAKE = (
    "GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: {version}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def post(headers: str = "", body: bytes = ORDER, version: str = "1.1") -> bytes:
    """A POST of an order in bytes."""
    length = "" if "Length" in headers or "chunked" in headers else f"Content-Length: {len(body)}\r\n"
    head = f"POST /v2/orders HTTP/{version}\r\nHost: x\r\nConnection: close\r\n{KEYS}{headers}{length}\r\n"
    return head.encode() + body


def get(target: str, headers: str = KEYS) -> bytes:
    """A GET in bytes."""
    return f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n".encode("latin-1")


def answer(bench: Bench, sent: bytes) -> bytes:
    """The answer to these bytes, until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", bench.server.port), timeout=10) as line:
        line.sendall(sent)
        return b"".join(iter(lambda: line.recv(65_536), b""))


def status(bench: Bench, sent: bytes) -> int:
    """The answer's HTTP status."""
    return int(answer(bench, sent).split()[1])


BAD_HANDSHAKE = HANDSHAKE.format(path="/stream", version=99).replace("Connection: Upgrade", "Connection: close")
CHUNKED = "Transfer-Encoding: chunked\r\n"
ODD: dict[str, tuple[bytes, int]] = {
    "HTTP 1.0": (post(version="1.0"), 200),
    "plain text": (post("Content-Type: text/plain\r\n"), 200),
    "a form": (post("Content-Type: application/x-www-form-urlencoded\r\n"), 200),
    "another charset": (post("Content-Type: application/json; charset=utf-16\r\n"), 200),
    "gzip": (post("Content-Encoding: gzip\r\n", gzip.compress(ORDER)), 200),
    "waits for a 100": (post("Expect: 100-continue\r\n"), 200),
    "chunked": (post(CHUNKED, b"%x\r\n%b\r\n0\r\n\r\n" % (len(ORDER), ORDER)), 200),
    "gzip that is none": (post("Content-Encoding: gzip\r\n"), 400),
    "brotli": (post("Content-Encoding: br\r\n"), 400),
    "chunks that are none": (post(CHUNKED, b"zz\r\n{}\r\n0\r\n\r\n"), 400),
    "a length below zero": (post("Content-Length: -5\r\n"), 400),
    "a length that is a word": (post("Content-Length: many\r\n"), 400),
    "a megabyte of nonsense": (post(body=b"x" * 1_000_000), 400),
    "two megabytes": (post(body=b"x" * 2_000_000), 413),
    "a gzip bomb": (post("Content-Encoding: gzip\r\n", gzip.compress(b"0" * 20_000_000)), 413),
    "a query that is not UTF-8": (get("/v2/orders?symbols=%ff%zz"), 200),
    "a path that is not UTF-8": (get("/v2/orders/%ff%zz"), 422),
    "a path with raw letters": (get("/v2/positions/\u00c4"), 400),
    "two slashes": (get("//v2/clock"), 404),
    "a long URL": (get(f"/v2/orders?symbols={'A' * 20_000}"), 400),
    "a long header": (get("/v2/clock", f"{KEYS}X: {'y' * 20_000}\r\n"), 400),
    "odd keys": (get("/v2/clock", "APCA-API-KEY-ID: \u00ff\r\nAPCA-API-SECRET-KEY: \u00e4\r\n"), 401),
    "TLS": (b"\x16\x03\x01\x00\xa5\x01" + b"\0" * 200, 400),
    "nothing like HTTP": (b"\x00\x01\xff\r\n\r\n", 400),
    "OPTIONS *": (b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 401),
    "a websocket of another age": (BAD_HANDSHAKE.encode(), 400),
}


@pytest.mark.parametrize(("sent", "expected"), ODD.values(), ids=ODD)
def test_malformed_http_causes_no_server_error(sent: bytes, expected: int) -> None:
    with a_bench() as bench:
        assert status(bench, sent) == expected
        assert bench.raw("GET", "/v2/clock").status_code == 200


def test_an_aborted_request_leaves_no_order_and_no_error() -> None:
    with a_bench() as bench:
        for sent in (post("Content-Length: 500\r\n"), post()[:-5], post()[:40]):
            with socket.create_connection(("127.0.0.1", bench.server.port)) as line:
                line.sendall(sent)
                _reset_on_close(line)
        assert bench.raw("GET", "/v2/orders").json() == []


def test_a_stream_reset_during_messages_does_not_affect_other_clients() -> None:
    with a_bench() as bench:
        for _ in range(10):
            with socket.create_connection(("127.0.0.1", bench.server.port)) as line:
                line.sendall(HANDSHAKE.format(path="/v2/iex", version=13).encode())
                line.sendall(_frame({"action": "auth", "key": bench.key_id, "secret": bench.secret}))
                line.sendall(_frame({"action": "subscribe", "quotes": ["AAPL"]}))
                until(bench, lambda: bench.server.sockets.subscribed == 1)
                _reset_on_close(line)
            bench.on_server(lambda: _send_quotes(bench, 200))
            until(bench, lambda: bench.server.sockets.subscribed == 0)
        assert bench.raw("GET", "/v2/clock").status_code == 200


def test_a_client_that_does_not_read_is_disconnected_as_slow() -> None:
    async def talk(line: ClientWebSocketResponse, bench: Bench) -> None:
        await _subscribed(line, bench, "AAPL")
        await asyncio.to_thread(bench.on_server, lambda: _send_quotes(bench, 20_001))
        assert json.loads((await line.receive()).data) == [{"T": "error", "code": 407, "msg": "slow client"}]
        assert (await line.receive()).type == WSMsgType.CLOSE

    with a_bench() as bench:
        _on_stream(bench, talk)


def test_a_star_subscribes_all_symbols_without_a_symbol_limit() -> None:
    async def talk(line: ClientWebSocketResponse, bench: Bench) -> None:
        assert await _subscribed(line, bench, "*") == ["*"]
        await asyncio.to_thread(bench.wait, 2_000)
        symbols = [json.loads((await line.receive()).data)[0]["S"] for _ in range(2)]
        assert symbols == ["AAPL", "KO"]
        await line.send_json({"action": "unsubscribe", "quotes": ["*"]})
        assert json.loads((await line.receive()).data)[0]["quotes"] == []

    market = ScriptedMarket({FRIDAY: {"AAPL": _moving(1), "KO": _moving(2)}})
    with a_bench(market=market, quirks=replace(PROMPT, stream_symbol_limit=None)) as bench:
        _on_stream(bench, talk)


def test_a_star_exceeds_any_symbol_limit() -> None:
    async def talk(line: ClientWebSocketResponse, bench: Bench) -> None:
        assert await _subscribed(line, bench, "*") == (405, "symbol limit exceeded")

    with a_bench() as bench:
        _on_stream(bench, talk)


ACTIONS = st.sampled_from(["auth", "authenticate", "listen", "subscribe", "unsubscribe"]) | JSON
MESSAGES = st.fixed_dictionaries(
    {"action": ACTIONS},
    optional={
        "data": st.fixed_dictionaries({"streams": st.just(["trade_updates"]) | JSON}) | JSON,
        "key": JSON,
        "secret": JSON,
        "quotes": st.lists(WORDS) | JSON,
        "trades": JSON,
        "dreams": JSON,
    },
)
FRAMES = st.one_of(
    (MESSAGES | JSON).map(json.dumps),
    (MESSAGES | JSON).map(lambda message: json.dumps(message).encode()),
    st.binary(max_size=60),
)


@QUICK
@given(frames=st.lists(FRAMES | st.just("[" * 100_000), max_size=5), packed=st.booleans())
def test_any_frame_on_a_stream_is_answered_or_ignored(frames: list[str | bytes], packed: bool) -> None:
    exchange, answers = a_caller().exchange, list[str | bytes]()
    content = "application/msgpack" if packed else ""
    keys = {"key": exchange.opening.key_id, "secret": exchange.opening.secret_key}
    data = DataStream("iex", content, exchange.gate, exchange.feed, answers.append, lambda: 0, lambda: exchange.now)
    updates = TradeStream(exchange.gate, answers.append)
    data.receive(json.dumps({"action": "auth", **keys}))
    updates.receive(json.dumps({"action": "auth", **keys}))
    for frame in frames:
        data.receive(frame)
        updates.receive(frame)
    data.close()
    assert len(answers) >= 3


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"qty": "1e30"}, "qty is too large"),
        ({"qty": "0.0000000001"}, "qty must be limited to 9 decimal places"),
        ({"qty": "-1"}, "qty must be > 0"),
        ({"qty": "many"}, "qty must be > 0"),
        ({"percentage": "0.000000001"}, "qty must be > 0"),
        ({"percentage": "101"}, "percentage must be between 0 and 100"),
        ({"percentage": "1e-30"}, "percentage must be limited to 9 decimal places"),
        ({"qty": "1", "percentage": "1"}, "only one of qty or percentage is accepted"),
    ],
)
def test_an_invalid_size_to_close_a_position_places_no_order(query: dict[str, str], message: str) -> None:
    caller = a_caller(positions=holding("0.5"))
    response = caller.call("DELETE", "/v2/positions/AAPL", query=query)
    assert (response.status, response.json()["message"]) == (422, message)
    assert caller.get("/v2/orders") == []


def test_a_split_that_rounds_a_position_to_zero_removes_it() -> None:
    caller = a_caller(positions=holding("0.000000001"))
    assert caller.call("POST", "/_sim/splits", {"symbol": "AAPL", "new": 1, "old": 2}).status == 200
    assert caller.get("/v2/positions") == []
    assert caller.get("/v2/account")["equity"] == "100000"


def test_canceling_all_orders_while_they_fill_ends_each_order_once() -> None:
    caller = a_caller(cash=Decimal(1_000_000), quirks=replace(PROMPT, ack_delay=(0, 20), cancel_delay=(0, 20)))
    auditor = Auditor(caller.exchange)
    orders = [caller.submit(qty="20", limit_price="100.05") for _ in range(30)]
    caller.wait(10)
    assert len(caller.call("DELETE", "/v2/orders").json()) + len(caller.exchange.ledger.executions) >= 30
    for _ in range(30):
        caller.wait(1)
        caller.call("DELETE", "/v2/orders")
        auditor.check()
    caller.wait(1_000)
    auditor.check()
    auditor.check_closed()
    assert {caller.status(order["id"]) for order in orders} == {"filled", "canceled"}


def test_an_account_shared_by_two_concurrent_clients_balances() -> None:
    with a_bench(positions=shares("100")) as bench:
        auditor = Auditor(bench.exchange)
        start = bench.exchange.now
        # From here on time runs by itself, so that orders fill and end between the clients' calls.
        clock = RunningClock(start, speed=20)
        bench.exchange._clock = clock
        with ThreadPoolExecutor(2) as clients:
            seen = list(clients.map(lambda seed: _trade(bench, seed), (1, 2)))
        assert all(statuses <= {200, 204, 207, 403, 404, 422} for statuses in seen)
        bench.raw("DELETE", "/v2/orders")
        clock.move(60)
        bench.on_server(bench.exchange.advance)
        bench.on_server(auditor.check)
        bench.on_server(auditor.check_closed)
        assert bench.exchange.ledger.executions


def _trade(bench: Bench, seed: int) -> set[int]:
    dice, ids, statuses = Random(seed), ["00000000-0000-4000-8000-000000000000"], set[int]()
    with requests.Session() as session:
        session.headers.update({"APCA-API-KEY-ID": bench.key_id, "APCA-API-SECRET-KEY": bench.secret})
        for _ in range(150):
            method, path, body = _some_call(dice, ids)
            response = session.request(method, bench.server.trading_url + path, json=body, timeout=10)
            statuses.add(response.status_code)
            if response.status_code == 200 and "replaces" in response.text:
                ids.append(response.json()["id"])
    return statuses


def _some_call(dice: Random, ids: list[str]) -> tuple[str, str, dict[str, Any] | None]:
    price = f"{dice.choice((99, 100, 100.05, 101)):.2f}"
    return dice.choice(
        (
            ("POST", "/v2/orders", order_body(side=dice.choice(("buy", "sell")), limit_price=price)),
            ("PATCH", f"/v2/orders/{ids[-1]}", {"limit_price": price}),
            ("DELETE", f"/v2/orders/{dice.choice(ids)}", None),
            ("DELETE", "/v2/positions/AAPL?percentage=50", None),
        )
    )


def _reset_on_close(line: socket.socket) -> None:
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _frame(content: dict[str, Any]) -> bytes:
    body = json.dumps(content).encode()
    length = bytes([0x80 | len(body)]) if len(body) < 126 else b"\xfe" + struct.pack(">H", len(body))
    return b"\x81" + length + b"\0\0\0\0" + body


def _moving(second: int) -> list[Event]:
    return [*QUIET_BOOK, quote(f"10:00:0{second}", "300 @ 100.01", "200 @ 100.05")]


def _send_quotes(bench: Bench, count: int) -> None:
    message = {"T": "q", "S": "AAPL", "bp": 100, "ap": 100.05, "t": bench.exchange.now - SECOND}
    for _ in range(count):
        for listener in bench.exchange.feed.listeners:
            listener("quotes", "AAPL", message)


async def _subscribed(line: ClientWebSocketResponse, bench: Bench, symbol: str) -> Any:
    """The resulting subscriptions, or the error."""
    await line.send_json({"action": "auth", "key": bench.key_id, "secret": bench.secret})
    await line.send_json({"action": "subscribe", "quotes": [symbol]})
    (message,) = [json.loads((await line.receive()).data)[0] for _ in range(3)][2:]
    return message["quotes"] if message["T"] == "subscription" else (message["code"], message["msg"])


def _on_stream(bench: Bench, talk: Callable[[ClientWebSocketResponse, Bench], Awaitable[None]]) -> None:
    async def converse() -> None:
        async with (
            ClientSession() as session,
            session.ws_connect(bench.server.data_stream_url(), autoclose=False) as line,
        ):
            await talk(line, bench)

    asyncio.run(converse())
