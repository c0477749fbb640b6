"""Runs alpaca-py's streams as their users do, and queues their messages."""

import asyncio
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, Queue
from threading import Thread
from time import monotonic
from typing import Any

from tests.conformance.alpaca_bench import Bench
from tests.conformance.sdk import StockDataStream, TradingStream

PATIENCE = 10.0


class Received:
    """The messages a client has received, in order."""

    def __init__(self) -> None:
        self._queue: Queue[Any] = Queue()

    async def receive(self, message: Any) -> None:
        """The stream's message handler."""
        self._queue.put(message)

    def next(self) -> Any:
        """The next message; fails if none arrives."""
        return self._queue.get(timeout=PATIENCE)

    def take(self, count: int) -> list[Any]:
        """The next messages, up to this number."""
        return [self.next() for _ in range(count)]

    def is_silent(self) -> bool:
        """Check that no more messages have arrived."""
        try:
            self._queue.get_nowait()
        except Empty:
            return True
        return False


@contextmanager
def trade_updates(bench: Bench, secret: str | None = None, *, waits: bool = True) -> Iterator[Received]:
    """A TradingStream that listens to trade updates."""
    stream = TradingStream(bench.key_id, secret or bench.secret, url_override=bench.server.trade_stream_url)
    received = Received()
    stream.subscribe_trade_updates(received.receive)
    with _running(bench, stream):
        if waits:
            until(bench, lambda: bench.server.sockets.listening == 1)
        yield received


@contextmanager
def market_data(bench: Bench, feed: str = "iex", *, waits: bool = True, **symbols: list[str]) -> Iterator[Received]:
    """A StockDataStream subscribed to quotes=[…], trades=[…] and so on."""
    stream = StockDataStream(bench.key_id, bench.secret, url_override=bench.server.data_stream_url(feed))
    received = Received()
    for channel, names in symbols.items():
        getattr(stream, f"subscribe_{channel}")(received.receive, *names)
    with _running(bench, stream):
        if waits:
            until(bench, lambda: bench.server.sockets.subscribed == 1)
        yield received


def until(bench: Bench, claim: Callable[[], bool]) -> None:
    """Wait for a condition to hold on the server."""
    deadline = monotonic() + PATIENCE
    while not bench.on_server(claim):
        assert monotonic() < deadline, "it never came true"


@contextmanager
def _running(bench: Bench, stream: Any) -> Iterator[None]:
    logging.getLogger("alpaca").setLevel(logging.CRITICAL)
    stream._reconnect_min_backoff = stream._reconnect_max_backoff = 0.01
    thread = Thread(target=_run, args=(stream,))
    thread.start()
    try:
        yield
    finally:
        stream.stop()
        asyncio.run_coroutine_threadsafe(bench.server.sockets.close(), bench.server.loop).result(PATIENCE)
        thread.join(PATIENCE)
        assert not thread.is_alive()


def _run(stream: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        stream.run()
