"""Rows 139 to 141, and the other faults of the streams, with alpaca-py's stream clients and plain websockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError

from repeg_workbench.exchange.faults.stream_faults import StreamFailure, StreamFault
from repeg_workbench.exchange.market.scripted import Event, quote
from repeg_workbench.exchange.triggers import When
from tests.conformance.alpaca_bench import FIRST_EVENT, Bench, a_bench
from tests.conformance.streaming import market_data, trade_updates, until
from tests.exchange.caller import PROMPT

PATIENCE = 10
MOVING: list[Event] = [
    quote("09:30", "300 @ 100.00", "200 @ 100.05"),
    quote("10:00:01", "300 @ 100.01", "200 @ 100.05"),
    quote("10:00:03", "250 @ 100.01", "200 @ 100.05"),
]


def arm(bench: Bench, failure: StreamFailure, event: str, *, status: int = 429) -> None:
    fault = StreamFault(failure=failure, event=event, seconds=5, status=status)
    bench.on_server(lambda: bench.exchange.faults.arm_stream(fault, When()))


def test_row_139_an_update_may_come_late() -> None:
    with a_bench() as bench, trade_updates(bench) as received:
        arm(bench, StreamFailure.DELAY, "fill")
        bench.working(price=101)
        assert [update.event for update in received.take(2)] == [FIRST_EVENT, "new"]
        bench.wait(4_900)
        second = bench.limit(price=99)
        assert received.next().order.id == second.id
        bench.wait(200)
        assert [update.event for update in received.take(2)] == ["new", "fill"]


def test_row_139_an_update_may_come_again() -> None:
    with a_bench() as bench, trade_updates(bench) as received:
        arm(bench, StreamFailure.REPEAT, "fill")
        bench.working(price=101)
        assert [update.event for update in received.take(3)] == [FIRST_EVENT, "new", "fill"]
        bench.wait(4_900)
        bench.limit(price=99)
        assert received.next().event == FIRST_EVENT
        bench.wait(200)
        assert [update.event for update in received.take(2)] == ["new", "fill"]


def test_row_139_a_fill_may_come_before_the_order_is_new() -> None:
    with a_bench() as bench, trade_updates(bench) as received:
        arm(bench, StreamFailure.REORDER, "new")
        bench.working(price=101)
        assert [update.event for update in received.take(3)] == [FIRST_EVENT, "fill", "new"]


def test_row_139_a_held_update_is_not_replayed_to_a_later_client() -> None:
    with a_bench() as bench:
        with trade_updates(bench) as first:
            arm(bench, StreamFailure.REORDER, "new")
            bench.working(price=99)
            assert first.next().event == FIRST_EVENT
        until(bench, lambda: bench.server.sockets.listening == 0)
        bench.working(price=98)
        with trade_updates(bench) as second:
            order = bench.working(price=97)
            assert {update.order.id for update in second.take(2)} == {order.id}


def test_row_139_a_fill_may_be_forged() -> None:
    with a_bench() as bench, trade_updates(bench) as received:
        arm(bench, StreamFailure.FORGED, "new")
        order = bench.working(price=99)
        updates = received.take(3)
        assert [update.event for update in updates] == [FIRST_EVENT, "fill", "new"]
        assert (updates[1].order.id, updates[1].qty) == (order.id, 1_000_000)
        assert bench.order(order).filled_qty == "0"


def test_row_139_an_update_may_be_about_an_order_that_nobody_knows() -> None:
    with a_bench() as bench, trade_updates(bench) as received:
        arm(bench, StreamFailure.UNKNOWN_ORDER, "new")
        order = bench.working(price=99)
        updates = received.take(3)
        assert updates[1].order.client_order_id == f"{order.client_order_id}999"
        assert updates[2].order.id == order.id


def test_row_139_an_update_may_have_an_unknown_name_or_no_ids() -> None:
    async def talk(bench: Bench) -> list[dict[str, Any]]:
        async with listening(bench) as socket:
            await asyncio.to_thread(bench.working, price=99)
            return [json.loads((await socket.receive(PATIENCE)).data)["data"] for _ in range(4)]

    with a_bench() as bench:
        arm(bench, StreamFailure.UNKNOWN_EVENT, FIRST_EVENT)
        arm(bench, StreamFailure.NAMELESS, "new")
        unknown, first, nameless, new = asyncio.run(talk(bench))
    assert (unknown["event"], "event_id" in unknown) == ("reconsidered", False)
    assert (first["event"], new["event"]) == (FIRST_EVENT, "new")
    assert {"id", "client_order_id"}.isdisjoint(nameless["order"])


@pytest.mark.parametrize("status", [406, 429])
def test_row_140_an_upgrade_can_be_refused(status: int) -> None:
    async def talk(bench: Bench) -> int:
        async with ClientSession() as session:
            with pytest.raises(WSServerHandshakeError) as refused:
                await session.ws_connect(bench.server.data_stream_url())
            async with (
                session.ws_connect(bench.server.trade_stream_url),
                session.ws_connect(bench.server.data_stream_url()),
            ):
                return refused.value.status

    with a_bench() as bench:
        arm(bench, StreamFailure.REFUSE, "iex", status=status)
        assert asyncio.run(talk(bench)) == status


def test_row_141_a_frozen_connection_answers_no_ping() -> None:
    async def talk(bench: Bench) -> None:
        async with listening(bench, autoping=False) as socket:
            await socket.ping()
            assert (await socket.receive(PATIENCE)).type is WSMsgType.PONG
            arm(bench, StreamFailure.FREEZE, "new")
            await asyncio.to_thread(bench.working, price=101)
            assert json.loads((await socket.receive(PATIENCE)).data)["data"]["event"] == FIRST_EVENT
            await socket.ping()
            with pytest.raises(TimeoutError):
                await socket.receive(0.2)
            assert bench.server.sockets.connected == 1

    with a_bench() as bench:
        asyncio.run(talk(bench))


def test_row_141_a_dead_connection_keeps_its_place_until_the_broker_notices() -> None:
    async def authenticated(bench: Bench) -> list[str]:
        async with ClientSession() as session, session.ws_connect(bench.server.data_stream_url()) as socket:
            await socket.send_json({"action": "auth", "key": bench.key_id, "secret": bench.secret})
            return [json.loads((await socket.receive(PATIENCE)).data)[0]["msg"] for _ in range(2)]

    with a_bench(MOVING, quirks=replace(PROMPT, dead_stream_held=90)) as bench:
        with market_data(bench, quotes=["AAPL"]):
            arm(bench, StreamFailure.FREEZE, "quotes")
            bench.wait(2_000)
        until(bench, lambda: bench.server.sockets.connected == 0)
        bench.wait(89_000)
        assert asyncio.run(authenticated(bench)) == ["connected", "connection limit exceeded"]
        bench.wait(2_000)
        assert asyncio.run(authenticated(bench)) == ["connected", "authenticated"]


def test_a_stream_fault_can_call_a_client_too_slow() -> None:
    with a_bench(MOVING) as bench, market_data(bench, quotes=["AAPL"]) as received:
        arm(bench, StreamFailure.SLOW, "quotes")
        bench.wait(1_500)
        assert received.next().bid_price == 100.01
        until(bench, lambda: bench.server.sockets.subscribed == 0)
        until(bench, lambda: bench.server.sockets.subscribed == 1)
        bench.wait(2_000)
        assert received.next().bid_size == 250


@pytest.mark.parametrize(("failure", "sizes"), [(StreamFailure.DROP, [250]), (StreamFailure.DUPLICATE, [300, 300])])
def test_a_stream_fault_can_strike_a_quote(failure: StreamFailure, sizes: list[int]) -> None:
    with a_bench(MOVING) as bench, market_data(bench, quotes=["AAPL"]) as received:
        arm(bench, failure, "quotes")
        bench.wait(5_000)
        assert [quote.bid_size for quote in received.take(len(sizes))] == sizes


def test_row_139_quotes_may_come_late() -> None:
    with a_bench(MOVING) as bench, market_data(bench, quotes=["AAPL"]) as received:
        arm(bench, StreamFailure.DELAY, "quotes")
        bench.wait(5_900)
        assert received.next().bid_size == 250
        bench.wait(200)
        assert received.next().bid_size == 300


@asynccontextmanager
async def listening(bench: Bench, **options: Any) -> AsyncIterator[ClientWebSocketResponse]:
    """A plain websocket that listens to trade updates."""
    is_listening: Callable[[], bool] = lambda: bench.server.sockets.listening == 1  # noqa: E731 - a condition
    async with ClientSession() as session, session.ws_connect(bench.server.trade_stream_url, **options) as socket:
        await socket.send_json({"action": "auth", "key": bench.key_id, "secret": bench.secret})
        await socket.send_json({"action": "listen", "data": {"streams": ["trade_updates"]}})
        for _ in range(2):
            await socket.receive(PATIENCE)
        await asyncio.to_thread(until, bench, is_listening)
        yield socket
