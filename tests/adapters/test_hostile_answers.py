"""Answers without bounds, over a real socket: each ends as an unreadable answer, in time and in little memory."""

from __future__ import annotations

import gzip
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Callable
from decimal import Decimal
from time import monotonic

import pytest

from repeg.adapters.transport import MAX_BODY_BYTES, MAX_HEAD_BYTES, BoundedTransport, _BoundedResponse
from repeg.domain.broker import Unknown
from repeg.domain.errors import BrokerUnavailable
from tests.adapters.brokers import OURS, a_broker, an_account_row, an_order_row
from tests.adapters.scripted_server import Reply, Script, answer, scripted
from tests.contracts.words import an_intent, an_order

MEGABYTE = 1_000_000
BOMB_BYTES = 100 * MEGABYTE

# Twice the limit: the chunks and the body that they are joined to. An unpacked bomb needs ten times as much.
LITTLE_MEMORY = 2.5 * MAX_BODY_BYTES


def bomb(wbits: int = 16 + zlib.MAX_WBITS) -> bytes:
    """Many spaces, compressed to a thousandth."""
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    megabyte = b" " * MEGABYTE
    return b"".join(packer.compress(megabyte) for _ in range(BOMB_BYTES // MEGABYTE)) + packer.flush()


def repeated(head: bytes, again: bytes, pause: float = 0.0) -> Callable[[socket.socket, threading.Event], None]:
    """A reply that begins with `head` and repeats `again` until the test ends."""

    def reply(connection: socket.socket, stop: threading.Event) -> None:
        connection.sendall(head)
        while not stop.wait(pause):
            connection.sendall(again)

    return reply


def packed(content: bytes, encoding: str = "gzip") -> bytes:
    """An answer with a compressed body."""
    return answer(200, content, Content_Encoding=encoding)


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"10000\r\n" + b" " * 65_536 + b"\r\n"

HOSTILE: dict[str, Reply] = {
    "a gzip bomb": packed(bomb()),
    "a bomb of two layers": packed(gzip.compress(bomb()), "gzip, gzip"),
    "a deflate bomb": packed(bomb(zlib.MAX_WBITS), "deflate"),
    "an endless chunked body": repeated(CHUNKED, CHUNK),
    "endless trailers": repeated(CHUNKED + b"0\r\n", b"X-Trailer: " + b"x" * 60_000 + b"\r\n"),
    "an endless trailer": repeated(CHUNKED + b"0\r\n", b"x" * 65_536),
    "an endless body without a length": repeated(OK + b"\r\n", b" " * 65_536),
    "a body longer than the limit": answer(200, b" " * (MAX_BODY_BYTES + 1)),
    "a length beyond all memory": OK + b"Content-Length: 99999999999999\r\n\r\n{}",
    "a length greater than the body": OK + b"Content-Length: 1000\r\n\r\n{}",
    "a length smaller than the body": OK + b"Content-Length: 1\r\n\r\n{}",
    "endless headers": repeated(OK, b"X-Header: " + b"x" * 1_000 + b"\r\n"),
    "an endless header line": repeated(OK + b"X: ", b"x" * 1_000),
    "endless interim answers": repeated(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 10),
    "headers larger than the limit": OK + (b"X: " + b"y" * 1_000 + b"\r\n") * (MAX_HEAD_BYTES // 900) + b"\r\n{}",
    "headers that drip": repeated(OK, b"X", pause=0.05),
    "interim answers that drip": repeated(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.05),
    "a body that drips": repeated(CHUNKED, b"1\r\n \r\n", pause=0.05),
    "a bomb that drips": repeated(OK + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b""), pause=0.05),
    "JSON nested without end": answer(200, b"[" * MEGABYTE),
    "an error nested without end": answer(500, b"[" * MEGABYTE),
    "a number without end": answer(200, b"1" * MEGABYTE),
}


def in_bounds(reply: Reply, ask: Callable[[Script], None]) -> None:
    """Ask a server that gives this reply twice, within time and memory."""
    with scripted(reply, reply) as script:
        began = monotonic()
        tracemalloc.start()
        try:
            ask(script)
            assert tracemalloc.get_traced_memory()[1] < LITTLE_MEMORY
        finally:
            tracemalloc.stop()
        assert monotonic() - began < 8


@pytest.mark.parametrize("reply", HOSTILE.values(), ids=HOSTILE)
def test_an_order_with_a_hostile_answer_is_unknown(reply: Reply) -> None:
    def ask(script: Script) -> None:
        assert isinstance(a_broker(script).submit(an_intent(an_order())), Unknown)
        assert script.methods == ["POST"]

    in_bounds(reply, ask)


@pytest.mark.parametrize("reply", HOSTILE.values(), ids=HOSTILE)
def test_a_read_with_a_hostile_answer_is_unavailable(reply: Reply) -> None:
    def ask(script: Script) -> None:
        with pytest.raises(BrokerUnavailable):
            a_broker(script).order(OURS)

    in_bounds(reply, ask)


@pytest.mark.parametrize("name", ["a gzip bomb", "an endless chunked body", "headers larger than the limit"])
def test_an_oversized_answer_is_not_requested_twice(name: str) -> None:
    with scripted(HOSTILE[name], HOSTILE[name]) as script, pytest.raises(BrokerUnavailable, match="AnswerTooLarge"):
        a_broker(script).order(OURS)
    assert script.methods == ["GET"]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "identity"])
def test_a_compressed_answer_within_the_limit_is_read(encoding: str) -> None:
    body = b'{"symbol": "AAPL", "tradable": true}'.ljust(6 * MEGABYTE)
    content = {"gzip": gzip.compress(body), "deflate": zlib.compress(body), "identity": body}[encoding]
    with scripted(packed(content, encoding)) as script:
        assert a_broker(script).assets(["AAPL"])["AAPL"].is_tradable


def test_an_answer_after_an_interim_one_is_read() -> None:
    with scripted(b"HTTP/1.1 100 Continue\r\n\r\n" + answer(200, an_order_row())) as script:
        assert a_broker(script).order(OURS) is not None


@pytest.mark.parametrize("amount", ["1e999999999", "1e-999999999", "-1e99", "9" * 5_000])
def test_an_amount_beyond_all_money_makes_the_answer_unreadable(amount: str) -> None:
    """Such a number is short in JSON, and a gigabyte when it is written out."""
    with scripted(answer(200, an_account_row(cash=amount))) as script, pytest.raises(BrokerUnavailable):
        a_broker(script).account()


@pytest.mark.parametrize("amount", ["0", "0.000000001", "123456789012.345678901"])
def test_an_amount_of_money_is_read_exactly(amount: str) -> None:
    with scripted(answer(200, an_account_row(cash=amount, equity=amount))) as script:
        assert a_broker(script).account().equity == Decimal(amount)


@pytest.mark.parametrize("url", ["https://api.alpaca.markets", "http://127.0.0.1:8080"])
def test_connections_of_both_schemes_read_bounded_answers(url: str) -> None:
    pool = BoundedTransport().poolmanager.connection_from_url(url)
    assert pool.ConnectionCls.response_class is _BoundedResponse
