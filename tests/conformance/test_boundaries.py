"""Rows 125 to 129: wrong types, the ways to authenticate a stream, clients that do not read, and asset ids."""

import asyncio
import json
from collections.abc import Mapping
from threading import Thread
from typing import Any

import requests
from aiohttp import ClientSession

from repeg_workbench.exchange.market.generated import GeneratedMarket
from repeg_workbench.exchange.serving.serve import clock_for, serving
from repeg_workbench.exchange.serving.sockets import SocketLine
from tests.conformance.alpaca_bench import Bench, a_bench
from tests.conformance.streaming import market_data, until
from tests.exchange.auditor import Auditor
from tests.exchange.caller import FRIDAY, PROMPT

Exchanged = list[dict[str, Any]]


def test_row_125_a_field_of_the_wrong_type_is_refused_and_the_server_goes_on() -> None:
    with a_bench() as bench:
        auditor = Auditor(bench.exchange)
        answer = bench.raw("PATCH", "/v2/account/configurations", json={"max_margin_multiplier": {}})
        assert (answer.status_code, answer.json()["code"]) == (400, 40010000)
        assert bench.post(qty={"a": []}).status_code == 400
        assert bench.limit().status
        bench.on_server(auditor.check)


def test_row_126_the_trade_streams_path_may_end_with_a_slash() -> None:
    with a_bench() as bench:
        login = {"action": "authenticate", "data": {"key_id": bench.key_id, "secret_key": bench.secret}}
        (answer,) = _exchanged(bench, "/stream/", login, answers=1)
        assert answer["data"] == {"status": "authorized", "action": "authenticate"}


def test_row_127_upgrade_headers_authenticate_the_trade_stream() -> None:
    with a_bench() as bench:
        listen = {"action": "listen", "data": {"streams": ["trade_updates"]}}
        (good,) = _exchanged(bench, "/stream", listen, answers=1, headers=_keys(bench))
        (bad,) = _exchanged(bench, "/stream", listen, answers=1, headers=_keys(bench, "wrong"))
        assert good == {"stream": "listening", "data": {"streams": ["trade_updates"]}}
        assert bad["data"]["status"] == "unauthorized"


def test_row_127_upgrade_headers_authenticate_the_market_data_stream() -> None:
    with a_bench() as bench:
        wanted = {"action": "subscribe", "quotes": ["AAPL"]}
        good = _exchanged(bench, "/v2/iex", wanted, answers=3, headers=_keys(bench))
        assert [message.get("msg") for message in good[:2]] == ["connected", "authenticated"]
        assert good[2]["quotes"] == ["AAPL"]
        bad = _exchanged(bench, "/v2/iex", wanted, answers=2, headers=_keys(bench, "wrong"))
        assert bad[1]["code"] == 402


def test_row_128_a_stream_client_that_never_reads_is_disconnected() -> None:
    async def listen(bench: Bench) -> None:
        async with ClientSession() as session, session.ws_connect(bench.server.trade_stream_url) as line:
            await line.send_json({"action": "auth", "key": bench.key_id, "secret": bench.secret})
            await line.send_json({"action": "listen", "data": {"streams": ["trade_updates"]}})
            await asyncio.to_thread(until, bench, lambda: bench.server.sockets.listening == 1)
            (queue,) = bench.server.sockets.hub._trade.values()
            assert isinstance(queue, SocketLine)
            await asyncio.to_thread(bench.on_server, lambda: _repeat_last_event(bench, 21_000))
            assert queue._waiting.qsize() <= 1
            await asyncio.to_thread(until, bench, lambda: bench.server.sockets.listening == 0)

    with a_bench() as bench:
        bench.limit()
        asyncio.run(listen(bench))
        assert bench.raw("GET", "/v2/clock").status_code == 200


def test_row_129_an_orders_symbol_may_be_an_asset_id() -> None:
    with a_bench() as bench:
        asset = bench.raw("GET", "/v2/assets/AAPL").json()["id"]
        assert bench.limit(symbol=asset).symbol == "AAPL"
        assert bench.post(symbol="00000000-0000-4000-8000-000000000000").status_code == 422


def test_other_clients_are_answered_while_the_clock_moves() -> None:
    """Ten minutes of nine streamed symbols are tens of thousands of messages; a call in between waits for a few."""
    symbols = list(GeneratedMarket(1).symbols()[:9])
    clock = clock_for(FRIDAY, "10:00", real_time=False, speed=0)
    with serving(GeneratedMarket(1), clock, port=0, quirks=PROMPT) as server:
        bench, moved = Bench(server, [0]), list[Any]()
        url = f"{server.trading_url}/_sim/clock"
        move = Thread(
            target=lambda: moved.append(requests.post(url, json={"advance_seconds": 600}, timeout=300).json())
        )
        with market_data(bench, quotes=symbols) as received:
            start = server.exchange.now
            move.start()
            received.next()
            answered = [bench.raw("GET", "/v2/clock").json()["timestamp"] for _ in range(3)]
            assert not moved
            move.join()
            assert server.exchange.now == start + 600 * 10**9
        assert len(set(answered)) == 3
        assert moved == [{"now": "2026-11-20T15:10:00Z"}]
        bench.close()


def _repeat_last_event(bench: Bench, count: int) -> None:
    event, order = bench.exchange.ledger.events[-1], next(iter(bench.exchange.account.orders.by_id.values()))
    for _ in range(count):
        for listener in bench.exchange.records.listeners:
            listener(event, order, None)


def _keys(bench: Bench, secret: str | None = None) -> dict[str, str]:
    return {"APCA-API-KEY-ID": bench.key_id, "APCA-API-SECRET-KEY": secret or bench.secret}


def _exchanged(
    bench: Bench, path: str, sent: dict[str, Any], *, answers: int, headers: Mapping[str, str] | None = None
) -> Exchanged:
    """The first answers of a stream to one message."""

    async def talk() -> Exchanged:
        url = bench.server.trading_url + path
        async with ClientSession() as session, session.ws_connect(url, headers=headers) as line:
            await line.send_json(sent)
            messages = [json.loads((await line.receive()).data) for _ in range(answers)]
        return [message[0] if isinstance(message, list) else message for message in messages]

    return asyncio.run(talk())
