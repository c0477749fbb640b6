"""Rows 113 to 119: the two streams, tested with alpaca-py's stream clients and plain websockets."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.stream_faults import StreamFailure, StreamFault
from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, halt, quote, trade
from repeg_workbench.exchange.serving.sockets import Sockets
from repeg_workbench.exchange.triggers import When
from tests.conformance.alpaca_bench import FIRST_EVENT, Bench, a_bench
from tests.conformance.streaming import Received, market_data, trade_updates, until
from tests.exchange.caller import FRIDAY, PROMPT, QUIET_BOOK

MOVING: list[Event] = [
    quote("09:30", "300 @ 100.00", "200 @ 100.05"),
    quote("10:00:01", "300 @ 100.01", "200 @ 100.05"),
    trade("10:00:02", "50 @ 100.01", side=-1),
    quote("10:00:03", "250 @ 100.01", "200 @ 100.05"),
]


def test_row_113_the_stream_can_drop_an_orders_fill() -> None:
    with a_bench() as bench, trade_updates(bench) as received:
        _fail(bench, StreamFault(failure=StreamFailure.DROP, event="fill"))
        order = bench.working(price=101)
        assert order.status == "filled"
        second = bench.working(price=99)
        assert [(u.event, u.order.id) for u in received.take(4)] == [
            (FIRST_EVENT, order.id),
            ("new", order.id),
            (FIRST_EVENT, second.id),
            ("new", second.id),
        ]


def test_row_114_the_trade_stream_authorizes_and_listens_in_binary_frames() -> None:
    async def talk(socket: ClientWebSocketResponse, bench: Bench) -> None:
        await socket.send_json(_credentials(bench))
        authorized = await socket.receive()
        await socket.send_json({"action": "listen", "data": {"streams": ["trade_updates"]}})
        listening = await socket.receive()
        assert authorized.type == listening.type == WSMsgType.BINARY
        assert json.loads(authorized.data) == {
            "stream": "authorization",
            "data": {"status": "authorized", "action": "authenticate"},
        }
        assert json.loads(listening.data) == {"stream": "listening", "data": {"streams": ["trade_updates"]}}

    with a_bench() as bench:
        _on_socket(bench, bench.server.trade_stream_url, talk)


def test_row_114_a_wrong_or_missing_key_is_unauthorized() -> None:
    async def talk(socket: ClientWebSocketResponse, bench: Bench) -> None:
        await socket.send_json({"action": "auth", "key": bench.key_id, "secret": "wrong"})
        refused = json.loads((await socket.receive()).data)
        await socket.send_json({"action": "listen", "data": {"streams": ["trade_updates"]}})
        unauthorized = json.loads((await socket.receive()).data)
        await socket.send_json({"action": "auth", "key": bench.key_id, "secret": bench.secret})
        welcome = json.loads((await socket.receive()).data)
        assert refused["data"] == {"status": "unauthorized", "action": "authenticate"}
        assert unauthorized["data"] == {"status": "unauthorized", "action": "listen"}
        assert welcome["data"]["status"] == "authorized"

    with a_bench() as bench:
        _on_socket(bench, bench.server.trade_stream_url, talk)


def test_row_114_alpaca_py_with_a_wrong_secret_receives_nothing() -> None:
    with a_bench() as bench, trade_updates(bench, secret="wrong", waits=False) as received:
        bench.working(price=101)
        assert bench.on_server(lambda: bench.server.sockets.listening) == 0
        assert received.is_silent()


def test_row_115_an_order_streams_new_partial_fill_and_fill() -> None:
    book = [*QUIET_BOOK, quote("10:30", "300 @ 100.00", "300 @ 100.04")]
    with a_bench(book) as bench, trade_updates(bench) as received:
        order = bench.working(price=100.05, qty=300)
        bench.wait_for("10:31")
        updates = received.take(4)
        assert [update.event for update in updates] == [FIRST_EVENT, "new", "partial_fill", "fill"]
        assert {update.order.id for update in updates} == {order.id}
        assert [update.order.status for update in updates] == [FIRST_EVENT, "new", "partially_filled", "filled"]


def test_row_115_a_cancel_streams_pending_cancel_and_canceled() -> None:
    with a_bench() as bench, trade_updates(bench) as received:
        order = bench.working()
        bench.trading.cancel_order_by_id(order.id)
        bench.wait(50)
        assert [update.event for update in received.take(4)] == [FIRST_EVENT, "new", "pending_cancel", "canceled"]


def test_row_115_a_replace_streams_the_old_order_and_then_the_new() -> None:
    with a_bench() as bench, trade_updates(bench) as received:
        old = bench.working(price=99)
        new = bench.replace(old, limit_price=99.5)
        bench.wait(50)
        updates = received.take(6)[2:]
        assert [(update.event, update.order.id) for update in updates] == [
            ("pending_replace", old.id),
            ("pending_new", new.id),
            ("replaced", old.id),
            ("new", new.id),
        ]
        assert updates[2].order.replaced_by == new.id


def test_row_115_a_failed_replace_streams_order_replace_rejected() -> None:
    with a_bench() as bench, trade_updates(bench) as received:
        bench.on_server(lambda: bench.exchange.races.arm(Race.REPLACE_LOSES))
        old = bench.working(price=99)
        new = bench.replace(old, limit_price=99.5)
        bench.wait(50)
        updates = received.take(7)[4:]
        assert [(update.event, update.order.id) for update in updates] == [
            ("fill", old.id),
            ("order_replace_rejected", old.id),
            ("rejected", new.id),
        ]


def test_row_116_a_fill_event_has_the_executions_size_and_the_total() -> None:
    book = [*QUIET_BOOK, quote("10:30", "300 @ 100.00", "300 @ 100.04")]
    with a_bench(book) as bench, trade_updates(bench) as received:
        bench.working(price=100.05, qty=300)
        bench.wait_for("10:31")
        _, _, first, second = received.take(4)
    assert (first.qty, first.price, first.order.filled_qty, first.position_qty) == (200, 100.05, "200", 200)
    assert (second.qty, second.price, second.order.filled_qty, second.position_qty) == (100, 100.05, "300", 300)
    assert first.execution_id != second.execution_id


def test_row_117_nothing_is_replayed_after_a_reconnect() -> None:
    with a_bench() as bench, trade_updates(bench) as received:
        _fail(bench, StreamFault(failure=StreamFailure.DISCONNECT, event=FIRST_EVENT))
        lost = bench.limit(price=99)
        assert received.next().event == FIRST_EVENT
        until(bench, lambda: bench.server.sockets.listening == 0)
        bench.wait(50)
        until(bench, lambda: bench.server.sockets.listening == 1)
        assert bench.status(lost) == "new"
        bench.trading.cancel_order_by_id(lost.id)
        assert received.next().event in {"new", "pending_cancel"}


def test_a_stream_fault_can_duplicate_an_event() -> None:
    with a_bench() as bench, trade_updates(bench) as received:
        _fail(bench, StreamFault(failure=StreamFailure.DUPLICATE, event="fill"))
        bench.working(price=101)
        updates = received.take(4)
    assert [update.event for update in updates] == [FIRST_EVENT, "new", "fill", "fill"]
    assert updates[2].execution_id == updates[3].execution_id


def test_row_118_market_data_streams_quotes_and_trades_in_time() -> None:
    with a_bench(MOVING) as bench, market_data(bench, quotes=["AAPL"], trades=["AAPL"]) as received:
        bench.wait(5_000)
        first, print_, second = received.take(3)
    assert (first.symbol, first.bid_price, first.bid_size) == ("AAPL", 100.01, 300)
    assert first.timestamp.isoformat() == "2026-11-20T15:00:01+00:00"
    assert (print_.price, print_.size) == (100.01, 50)
    assert second.bid_size == 250


def test_row_118_our_own_order_changes_the_streamed_quote() -> None:
    with a_bench() as bench, market_data(bench, quotes=["AAPL"]) as received:
        order = bench.working(price=100.02, qty=7)
        shown = received.next()
        bench.trading.cancel_order_by_id(order.id)
        bench.wait(50)
        gone = received.next()
    assert (shown.bid_price, shown.bid_size) == (100.02, 7)
    assert (gone.bid_price, gone.bid_size) == (100.0, 300)


def test_row_118_an_immediate_cancel_updates_the_streamed_quote() -> None:
    with a_bench(quirks=replace(PROMPT, cancel_delay=(0, 0))) as bench, market_data(bench, quotes=["AAPL"]) as received:
        order = bench.working(price=100.02, qty=7)
        bench.trading.cancel_order_by_id(order.id)
        assert [received.next().bid_price for _ in range(2)] == [100.02, 100.0]


def test_row_118_bars_and_halts_are_streamed() -> None:
    book: list[Event] = [*MOVING, halt("10:05", "10:10"), quote("10:11", "300 @ 100.00", "200 @ 100.05")]
    symbols: dict[str, Any] = {"bars": ["AAPL"], "trading_statuses": ["AAPL"]}
    with a_bench(book) as bench, market_data(bench, **symbols) as received:
        bench.wait_for("10:12")
        bar, halted, resumed = received.take(3)
    assert (bar.open, bar.volume, bar.timestamp.isoformat()) == (100.01, 50, "2026-11-20T15:00:00+00:00")
    assert (halted.status_code, resumed.status_code) == ("H", "T")


@pytest.mark.parametrize("content_type", ["application/msgpack", "application/json"])
def test_row_118_the_content_type_selects_msgpack_or_json(content_type: str) -> None:
    async def talk(socket: ClientWebSocketResponse, bench: Bench) -> None:
        pack = msgpack.packb if content_type.endswith("msgpack") else json.dumps
        unpack = msgpack.unpackb if content_type.endswith("msgpack") else json.loads
        send: Any = socket.send_bytes if content_type.endswith("msgpack") else socket.send_str

        async def received() -> Any:
            return unpack((await socket.receive()).data)

        assert await received() == [{"T": "success", "msg": "connected"}]
        await send(pack({"action": "auth", "key": bench.key_id, "secret": bench.secret}))
        assert await received() == [{"T": "success", "msg": "authenticated"}]
        await send(pack({"action": "subscribe", "quotes": ["AAPL"], "trades": ["KO"]}))
        (subscription,) = await received()
        assert (subscription["quotes"], subscription["trades"], subscription["bars"]) == (["AAPL"], ["KO"], [])
        await asyncio.to_thread(bench.wait, 1_500)
        (message,) = await received()
        is_packed = content_type.endswith("msgpack")
        assert message["t"] == (msgpack.Timestamp(1795186801) if is_packed else "2026-11-20T15:00:01Z")
        assert (message["T"], message["S"], message["bp"], message["as"]) == ("q", "AAPL", 100.01, 200)

    with a_bench(MOVING) as bench:
        _on_socket(bench, bench.server.data_stream_url(), talk, content_type)


def test_row_118_a_second_connection_exceeds_the_limit() -> None:
    async def talk(socket: ClientWebSocketResponse, bench: Bench) -> None:
        assert await _errors(socket, _login(bench)) == [(406, "connection limit exceeded")]
        assert (await socket.receive()).type == WSMsgType.CLOSE

    quirks = replace(PROMPT, stream_connection_limit=1)
    with a_bench(quirks=quirks) as bench, market_data(bench, quotes=["AAPL"]):
        _on_socket(bench, bench.server.data_stream_url(), talk)


def test_row_118_two_connections_are_accepted_under_a_limit_of_two() -> None:
    async def talk(socket: ClientWebSocketResponse, bench: Bench) -> None:
        assert await _errors(socket, _login(bench)) == []

    quirks = replace(PROMPT, stream_connection_limit=2)
    with a_bench(quirks=quirks) as bench, market_data(bench, quotes=["AAPL"]):
        _on_socket(bench, bench.server.data_stream_url(), talk)


@pytest.mark.parametrize(("limit", "errors"), [(30, [(405, "symbol limit exceeded")]), (None, [])])
def test_row_118_thirty_one_symbols_exceed_the_limit(limit: int | None, errors: list[tuple[int, str]]) -> None:
    async def talk(socket: ClientWebSocketResponse, bench: Bench) -> None:
        assert await _errors(socket, _login(bench)) == []
        thirty = {"action": "subscribe", "quotes": [f"S{number}" for number in range(30)]}
        assert await _errors(socket, thirty) == []
        assert await _errors(socket, {"action": "subscribe", "trades": ["S0"]}) == []
        assert await _errors(socket, {"action": "subscribe", "trades": ["MORE"]}) == errors

    with a_bench(quirks=replace(PROMPT, stream_symbol_limit=limit)) as bench:
        _on_socket(bench, bench.server.data_stream_url(), talk)


def test_row_118_the_symbol_limit_counts_trades_and_quotes_only() -> None:
    others: dict[str, Any] = {"action": "subscribe", "bars": ["*"], "updatedBars": ["*"], "dailyBars": ["*"]}

    async def talk(socket: ClientWebSocketResponse, bench: Bench) -> None:
        assert await _errors(socket, _login(bench)) == []
        assert await _errors(socket, others | {"statuses": ["*"]}) == []
        assert await _errors(socket, {"action": "subscribe", "quotes": ["AAPL"]}) == []
        assert await _errors(socket, {"action": "subscribe", "trades": ["*"]}) == [(405, "symbol limit exceeded")]

    with a_bench() as bench:
        _on_socket(bench, bench.server.data_stream_url(), talk)


def test_row_118_a_daily_bar_is_streamed_after_each_minute_with_trades() -> None:
    book = [*QUIET_BOOK, trade("09:31", "10 @ 100.05"), trade("10:00:10", "20 @ 100.02"), trade("10:02", "5 @ 99.99")]
    with a_bench(book) as bench, market_data(bench, daily_bars=["AAPL"]) as received:
        bench.wait(60_000)
        bar = received.next()
        bench.wait(120_000)
        later = received.next()
    assert (bar.open, bar.close, bar.volume, bar.timestamp.hour) == (100.05, 100.02, 30, 5)
    assert (later.low, later.volume) == (99.99, 35)


@pytest.mark.parametrize(("entitled", "errors"), [("no", [(409, "insufficient subscription")]), ("yes", [])])
def test_row_118_the_consolidated_feed_needs_its_subscription(entitled: str, errors: list[tuple[int, str]]) -> None:
    async def talk(socket: ClientWebSocketResponse, bench: Bench) -> None:
        assert await _errors(socket, _login(bench)) == errors

    with a_bench(quirks=replace(PROMPT, sip_entitled=entitled == "yes")) as bench:
        _on_socket(bench, bench.server.data_stream_url("sip"), talk)


def test_row_118_an_invalid_frame_is_answered_with_an_error_code() -> None:
    async def talk(socket: ClientWebSocketResponse, bench: Bench) -> None:
        assert await _errors(socket, {"action": "subscribe", "quotes": ["AAPL"]}) == [(401, "not authenticated")]
        assert await _errors(socket, ["nonsense"]) == [(400, "invalid syntax")]
        assert await _errors(socket, _login(bench)) == []
        assert await _errors(socket, _login(bench)) == [(403, "already authenticated")]
        assert await _errors(socket, {"action": "dance"}) == [(400, "invalid syntax")]
        assert await _errors(socket, {"action": "subscribe", "quotes": "AAPL"}) == [(400, "invalid syntax")]
        assert await _errors(socket, {"action": "subscribe", "dreams": ["AAPL"]}) == [
            (410, "invalid subscribe action for this feed")
        ]
        assert await _errors(socket, {"action": "unsubscribe", "quotes": ["AAPL"]}) == []

    with a_bench() as bench:
        _on_socket(bench, bench.server.data_stream_url(), talk)


def test_row_118_a_wrong_secret_ends_the_connection() -> None:
    async def talk(socket: ClientWebSocketResponse, bench: Bench) -> None:
        assert await _errors(socket, _login(bench) | {"secret": "wrong"}) == [(402, "auth failed")]
        assert (await socket.receive()).type == WSMsgType.CLOSE

    with a_bench() as bench:
        _on_socket(bench, bench.server.data_stream_url(), talk)


def test_row_118_a_client_that_authenticates_too_late_is_disconnected() -> None:
    async def talk(socket: ClientWebSocketResponse, bench: Bench) -> None:
        assert json.loads((await socket.receive()).data) == [{"T": "success", "msg": "connected"}]
        assert json.loads((await socket.receive()).data) == [{"T": "error", "code": 404, "msg": "auth timeout"}]
        assert (await socket.receive()).type == WSMsgType.CLOSE

    with a_bench() as bench:
        bench.server.sockets = Sockets(bench.exchange, patience=0.05)
        _on_socket(bench, bench.server.data_stream_url(), talk)


def test_row_118_an_unsubscribed_symbol_is_no_longer_streamed() -> None:
    async def talk(socket: ClientWebSocketResponse, bench: Bench) -> None:
        await _errors(socket, _login(bench))
        await _errors(socket, {"action": "subscribe", "quotes": ["AAPL", "KO"]})
        await _errors(socket, {"action": "unsubscribe", "quotes": ["AAPL"]})
        await asyncio.to_thread(bench.wait, 10_000)
        assert [message["S"] for message in json.loads((await socket.receive()).data)] == ["KO"]

    script = {FRIDAY: {"AAPL": MOVING, "KO": MOVING}}
    with a_bench(market=ScriptedMarket(script)) as bench:
        _on_socket(bench, bench.server.data_stream_url(), talk)


def test_row_119_a_stream_can_accept_a_client_and_stay_silent() -> None:
    with a_bench() as bench:
        _fail(bench, StreamFault(failure=StreamFailure.SILENT, event="connect"), times=None)
        with trade_updates(bench, waits=False) as updates, market_data(bench, waits=False, quotes=["AAPL"]) as data:
            until(bench, lambda: bench.server.sockets.silent == 2)
            bench.working(price=101)
            assert (updates.is_silent(), data.is_silent()) == (True, True)


def test_alpaca_py_survives_a_disconnect_of_market_data() -> None:
    with a_bench(MOVING) as bench, market_data(bench, quotes=["AAPL"]) as received:
        asyncio.run_coroutine_threadsafe(bench.server.sockets.close(), bench.server.loop).result(5)
        until(bench, lambda: bench.server.sockets.subscribed == 0)
        until(bench, lambda: bench.server.sockets.subscribed == 1)
        bench.wait(5_000)
        assert isinstance(received, Received)
        assert received.next().bid_price == 100.01


Talk = Callable[[ClientWebSocketResponse, Bench], Awaitable[None]]


def _on_socket(bench: Bench, url: str, talk: Talk, content_type: str = "application/json") -> None:
    async def converse() -> None:
        headers = {"Content-Type": content_type}
        async with ClientSession() as session, session.ws_connect(url, headers=headers) as socket:
            await asyncio.wait_for(talk(socket, bench), 10)

    asyncio.run(converse())


async def _errors(socket: ClientWebSocketResponse, frame: Any) -> list[tuple[int, str]]:
    """Send a frame and return the error it is answered with, skipping greetings."""
    await socket.send_json(frame)
    while True:
        (message,) = json.loads((await socket.receive()).data)
        if message.get("msg") != "connected":
            return [(message["code"], message["msg"])] if message["T"] == "error" else []


def _login(bench: Bench) -> dict[str, str]:
    return {"action": "auth", "key": bench.key_id, "secret": bench.secret}


def _credentials(bench: Bench) -> dict[str, Any]:
    return {"action": "authenticate", "data": {"key_id": bench.key_id, "secret_key": bench.secret}}


def _fail(bench: Bench, fault: StreamFault, **when: Any) -> None:
    bench.on_server(lambda: bench.exchange.faults.arm_stream(fault, When(**when)))
