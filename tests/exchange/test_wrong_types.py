"""No body, header, query or frame with wrong types is a server error, ends the server or unbalances the ledger."""

import asyncio
import json
import logging
from collections.abc import Iterator
from itertools import product
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from aiohttp import ClientSession, WSMsgType

from repeg_workbench.exchange.messages import Request, Response
from tests.conformance.alpaca_bench import Bench, a_bench
from tests.exchange.auditor import Auditor
from tests.exchange.caller import Caller, a_caller, holding
from tests.exchange.wrong_values import ALWAYS_WRONG, BODIES, DEEP, LONG, TEXTS, Body, mixtures

_PARAMETERS = """
    status limit after until direction nested side symbols feed start end date page_size page_token since sort
    adjustment activity_types cancel_orders percentage qty client_order_id asset_class exchange currency
    timeframe asof category before_order_id after_order_id order_id
"""


@pytest.fixture
def audited() -> Iterator[Caller]:
    """An account with a position and an open order; its books are audited at the end."""
    caller = a_caller(positions=holding("50"))
    auditor = Auditor(caller.exchange)
    caller.submit(client_order_id="open", limit_price="95")
    caller.wait(50)
    yield caller
    caller.wait(60_000)
    auditor.check()
    assert caller.call("GET", "/v2/clock").status == 200


@pytest.mark.parametrize("body", BODIES, ids=lambda body: f"{body.method} {body.path}")
def test_a_wrong_type_in_any_field_of_a_body_is_refused(audited: Caller, body: Body) -> None:
    for text in body.cases():
        response = _send(audited, body.method, body.path, text)
        assert 400 <= response.status < 500, (text[:300], response)
        assert json.loads(response.body)["message"]


def test_500_random_bodies_cause_no_server_error(audited: Caller) -> None:
    for text in mixtures(seed=1, count=500):
        for body in BODIES:
            response = _send(audited, body.method, body.path, text)
            assert response.status < 500, (text[:300], response)


def test_a_wrong_value_of_any_query_parameter_is_no_server_error(audited: Caller) -> None:
    week = [("start", "2026-11-16"), ("end", "2026-11-20")]
    for path, name, value in product(_readable(audited), _PARAMETERS.split(), TEXTS):
        usual = [] if path.endswith(("latest", "snapshot", "snapshots")) else week
        query = [*usual, ("symbols", "AAPL"), ("timeframe", "1Min"), (name, value)]
        response = audited.exchange.handle(Request("GET", path, query, audited.headers))
        assert response.status < 500, (path, name, value[:100], response)


def test_a_wrong_path_segment_is_no_server_error(audited: Caller) -> None:
    for prefix, value in product([*audited.exchange.routes.keyed, "/v2/stocks/", "/_sim/"], TEXTS):
        for method in ("GET", "POST", "PATCH", "DELETE"):
            response = audited.exchange.handle(Request(method, prefix + value, [], audited.headers, b"{}"))
            assert response.status < 500, (method, prefix, value[:100], response)


def test_a_wrong_type_in_any_control_body_is_refused(audited: Caller) -> None:
    wrong = (*ALWAYS_WRONG, LONG, "true", "1e400", '"\\ud800"')
    for method, path in audited.exchange.control.calls:
        for field, value in product(_CONTROL_FIELDS.split(), wrong):
            body = f'{{"{field}": {value}}}'.encode()
            response = audited.exchange.handle(Request(method, f"/_sim{path}", [], {}, body))
            assert response.status < 500, (path, field, value[:100], response)
    audited.call("DELETE", "/_sim/faults")
    audited.call("POST", "/_sim/keys", {"revoked": False})


_CONTROL_FIELDS = """
    kind method path seconds delay status body rewrite times skip chance failure event race symbol revoked
    order_id client_order_id forgotten skew_seconds advance_seconds new old order
"""

FRAMES: tuple[Any, ...] = (
    None,
    [],
    [[]],
    5,
    1e300,
    "x",
    {},
    {"action": None},
    {"action": []},
    {"action": {}},
    {"action": "auth"},
    {"action": "auth", "key": {}, "secret": []},
    {"action": "auth", "key": None, "secret": 5},
    {"action": "authenticate", "data": []},
    {"action": "authenticate", "data": {"key_id": {}, "secret_key": []}},
    {"action": "listen"},
    {"action": "listen", "data": []},
    {"action": "listen", "data": {"streams": None}},
    {"action": "listen", "data": {"streams": {}}},
    {"action": "listen", "data": {"streams": [[], {}, None]}},
    {"action": "subscribe"},
    {"action": "subscribe", "quotes": None},
    {"action": "subscribe", "quotes": {}},
    {"action": "subscribe", "quotes": "AAPL"},
    {"action": "subscribe", "quotes": [None]},
    {"action": "subscribe", "quotes": [[]]},
    {"action": "subscribe", "quotes": [{}]},
    {"action": "subscribe", "quotes": ["\ud800"]},
    {"action": "subscribe", "quotes": ["\x00"]},
    {"action": "subscribe", "bars": ["\ud800"]},
    {"action": "subscribe", "quotes": ["x" * 50_000]},
    {"action": "subscribe", "\ud800": ["AAPL"]},
    {"action": "subscribe", "dreams": ["AAPL"]},
    {"action": "unsubscribe", "bars": ["\ud800"]},
    {"action": "unsubscribe", "trades": [None, {}]},
)
RAW_FRAMES: tuple[bytes, ...] = (
    b"",
    b"\x00",
    b"{",
    b"\xff\xfe\xfd",
    b"NaN",
    DEEP.encode(),
    b'{"action": "subscribe", "action": "auth"}',
    b"9" * 5_000,
    msgpack.packb({1: 2}),
    msgpack.packb({"action": {b"\xff": [1]}}),
    msgpack.packb(msgpack.Timestamp(1, 2)),
    msgpack.packb(msgpack.ExtType(5, b"x")),
    b"\x81\x90\x01",
    b"\xdd\xff\xff\xff\xff",
    b"\x91" * 5_000,
)


@pytest.mark.parametrize("stream", ["/stream", "/v2/iex"])
@pytest.mark.parametrize("content", ["", "application/msgpack"])
def test_a_wrong_frame_on_a_stream_does_not_end_the_server(stream: str, content: str) -> None:
    with a_bench() as bench:
        auditor = Auditor(bench.exchange)
        asyncio.run(_talk(bench, stream, content))
        assert bench.raw("GET", "/v2/clock").status_code == 200
        bench.limit()
        bench.on_server(auditor.check)


async def _talk(bench: Bench, stream: str, content: str) -> None:
    keys = {"action": "auth", "key": bench.key_id, "secret": bench.secret}
    frames = [json.dumps(frame) for frame in FRAMES] + list(RAW_FRAMES)
    async with ClientSession() as session:
        for frame, is_binary in product(frames, (False, True)):
            url = bench.server.trading_url + stream
            async with session.ws_connect(url, headers={"Content-Type": content}, max_msg_size=0) as line:
                await line.send_json(keys)
                raw = frame if isinstance(frame, bytes) else frame.encode()
                await (line.send_bytes(raw) if is_binary else line.send_str(raw.decode("latin-1")))
                await line.close()
                while not line.closed:
                    if (await line.receive()).type in {WSMsgType.CLOSED, WSMsgType.ERROR}:
                        break


def _send(caller: Caller, method: str, path: str, text: str) -> Response:
    order = caller.exchange.account.orders.by_client_id["open"].id
    request = Request(method, path.format(order=order), [], caller.headers, text.encode())
    return caller.exchange.handle(request)


def _readable(caller: Caller) -> list[str]:
    routes = caller.exchange.routes
    keyed = [f"{prefix}{key}" for prefix, key in product(routes.keyed, ("AAPL", "FILL"))]
    fixed = [path for path, methods in routes.fixed.items() if "GET" in methods]
    return [*fixed, *keyed, "/_sim/ledger", "/v2/stocks/AAPL/snapshot"]


def test_an_unexpected_error_is_logged_with_the_answers_request_id(caplog: pytest.LogCaptureFixture) -> None:
    with a_bench() as bench, caplog.at_level(logging.ERROR):
        bench.on_server(lambda: bench.exchange.routes.fixed["/v2/clock"].update(GET=_fail))
        answer = bench.raw("GET", "/v2/clock")
        assert (answer.status_code, answer.json()["code"]) == (500, 50010000)
        (record,) = [each for each in caplog.records if each.message == "request_failed"]
        assert record.__dict__["request_id"] == answer.headers["X-Request-ID"]
        assert bench.raw("GET", "/v2/orders").status_code == 200
        assert bench.limit().status


def _fail(request: Request) -> Response:
    raise ZeroDivisionError(request.path)
