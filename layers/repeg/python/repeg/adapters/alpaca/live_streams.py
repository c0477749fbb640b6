"""Alpaca's streams on a thread of their own, which ends with the listener."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any

from repeg.adapters.alpaca.inbox import Inbox
from repeg.adapters.alpaca.keys import Keys
from repeg.adapters.alpaca.observed_streams import ObservedDataStream, ObservedTradingStream
from repeg.adapters.alpaca.signals import Addresses, Patience
from repeg.adapters.alpaca.stream_socket import CLOSE_SECONDS, Observed
from repeg.domain.hints import Hints
from repeg.domain.quote import Quote
from repeg.domain.setting_types import Feed

# A step waits so long for the thread to end. The thread would not keep a process alive.
JOIN_SECONDS = 8 * CLOSE_SECONDS

THREAD = "repeg-streams"

# alpaca-py logs each attempt and each error with its trace. What matters is in the listener's `source`.
for _name in ("alpaca.trading.stream", "alpaca.data.live.websocket"):
    logging.getLogger(_name).disabled = True


class LiveStreams:
    """Both streams, connected and reconnected until `close`. Raises RuntimeError if the thread cannot start."""

    def __init__(
        self,
        keys: Keys,
        addresses: Addresses,
        patience: Patience,
        feed: Feed,
        inbox: Inbox,
        symbols: Sequence[str],
    ) -> None:
        self._keys, self._addresses, self._patience, self._feed, self._inbox = keys, addresses, patience, feed, inbox
        self._wanted = list(symbols)
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._watched = asyncio.Event()
        self._thread = Thread(target=self._run, name=THREAD, daemon=True)
        try:
            self._thread.start()
        except RuntimeError:
            self._loop.close()
            raise

    def wait(self, seconds: float) -> Hints:
        """The next hints, or none after that time."""
        return self._inbox.wait(seconds)

    def watch(self, symbols: Sequence[str]) -> None:
        """Follow these symbols; the change is sent by the streams' thread."""
        wanted = list(symbols)

        def change() -> None:
            self._wanted = wanted
            self._watched.set()

        self._call(change)

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """The latest quotes."""
        return self._inbox.quotes(symbols)

    def close(self) -> None:
        """Close the connections and end the thread."""
        self._call(self._stop.set)
        self._thread.join(JOIN_SECONDS)

    def _call(self, change: Any) -> None:
        with suppress(RuntimeError):  # the thread has ended, and its loop with it
            self._loop.call_soon_threadsafe(change)

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        except Exception as error:  # noqa: BLE001 - the step continues without streams
            self._inbox.lose_orders(type(error).__name__)
            self._inbox.lose_quotes(type(error).__name__)

    async def _serve(self) -> None:
        inbox = self._inbox
        orders = Observed(self._patience, lambda _: inbox.connected(), inbox.lose_orders)
        quotes = Observed(self._patience, inbox.follow, inbox.lose_quotes)
        works = (
            _noted(self._hear_orders(orders), inbox.lose_orders),
            _noted(self._hear_quotes(quotes), inbox.lose_quotes),
            _keep_checking(self._patience, orders, quotes),
        )
        tasks = [asyncio.create_task(work) for work in works]
        await self._stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(_closed(observed) for observed in (orders, quotes)))

    async def _hear_orders(self, observed: Observed) -> None:
        addresses = self._addresses
        stream = ObservedTradingStream(self._keys, observed, addresses.trade, is_paper=addresses.is_paper)

        async def receive(message: Any) -> None:
            self._inbox.update(message)

        stream.subscribe_trade_updates(receive)
        # `run` would need a thread for each stream.
        await stream._run_forever()  # type: ignore[no-untyped-call]  # noqa: SLF001

    async def _hear_quotes(self, observed: Observed) -> None:
        stream = ObservedDataStream(self._keys, observed, self._addresses.data, self._feed)

        async def receive(message: Any) -> None:
            self._inbox.quote(message)

        while not self._wanted:
            await self._changed()
        await stream.follow(self._wanted, receive)
        running: Coroutine[Any, Any, None] = stream._run_forever()  # noqa: SLF001
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(running)
            while True:
                await self._changed()
                await stream.follow(self._wanted, receive)

    async def _changed(self) -> None:
        await self._watched.wait()
        self._watched.clear()


async def _noted(work: Coroutine[Any, Any, None], lost: Callable[[str], None]) -> None:
    """Do the work, and record in the inbox that the stream is lost if the work fails."""
    try:
        await work
    except Exception as error:  # noqa: BLE001 - the other stream continues
        lost(type(error).__name__)


async def _keep_checking(patience: Patience, *observed: Observed) -> None:
    while True:
        await asyncio.sleep(patience.check)
        for each in observed:
            each.check()


async def _closed(observed: Observed) -> None:
    """Close a connection in time, by the closing handshake if its peer answers: that frees its place at the broker."""
    socket = observed.socket
    if socket is None or socket.closed:
        return
    with suppress(Exception):
        async with asyncio.timeout(4 * CLOSE_SECONDS):
            await socket.close()
    observed.abort("closed")
