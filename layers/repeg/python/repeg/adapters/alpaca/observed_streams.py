"""alpaca-py's two stream classes, bounded and observed: by themselves they retry forever and report no error.

Imports websockets and alpaca-py's models, a tenth of a second of CPU: only a step that listens imports this module.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

with warnings.catch_warnings():
    # alpaca-py 0.44 imports the legacy API of websockets.
    warnings.simplefilter("ignore", DeprecationWarning)
    from alpaca.data.enums import DataFeed
    from alpaca.data.live.stock import StockDataStream
    from alpaca.trading.stream import TradingStream
    from websockets.exceptions import ConnectionClosed

from repeg.adapters.alpaca import stream_messages
from repeg.adapters.alpaca.keys import Keys
from repeg.adapters.alpaca.stream_socket import Observed, parameters

# What trying again with the same keys cannot change.
_FINAL = ("failed to authenticate", "auth failed", "insufficient subscription", "HTTP 401", "HTTP 403")


class ObservedTradingStream(TradingStream):
    """Trade updates, unparsed: alpaca-py's model fails on a word that it does not know."""

    def __init__(self, keys: Keys, observed: Observed, url: str | None, *, is_paper: bool) -> None:
        pair = keys.key_id.get_secret_value(), keys.secret_key.get_secret_value()
        _require(TradingStream, "_start_ws", "_consume", "_dispatch", "_run_forever", "stop_ws")
        options = parameters(observed, url)
        super().__init__(*pair, paper=is_paper, raw_data=True, websocket_params=options, url_override=url)  # type: ignore[arg-type]  # it may be None
        self.observed = observed

    async def _start_ws(self) -> None:
        await _opening(self, super()._start_ws)

    async def _consume(self) -> None:
        await _observing(self, super()._consume)

    async def _dispatch(self, msg: dict[str, Any]) -> None:
        if stream_messages.confirms_listening(msg):
            self.observed.subscribed(frozenset())
        await super()._dispatch(msg)


class ObservedDataStream(StockDataStream):
    """Quotes, unparsed, of symbols that may change at any time."""

    def __init__(self, keys: Keys, observed: Observed, url: str | None, feed: str) -> None:
        pair = keys.key_id.get_secret_value(), keys.secret_key.get_secret_value()
        _require(StockDataStream, "_start_ws", "_consume", "_dispatch", "_run_forever", "stop_ws")
        _require(StockDataStream, "_send_subscribe_msg", "_send_unsubscribe_msg")
        options = parameters(observed, url)
        super().__init__(*pair, raw_data=True, feed=DataFeed(feed), websocket_params=options, url_override=url)
        self.observed = observed
        self._asking = asyncio.Lock()
        self._asked: frozenset[str] | None = None

    async def follow(self, symbols: list[str], handler: Callable[[Any], Awaitable[None]]) -> None:
        """Follow these symbols and no others, from now on or from the next connection on."""
        self._handlers["quotes"] = dict.fromkeys(symbols, handler)
        if self._running:
            with suppress(ConnectionClosed, AttributeError):  # lost meanwhile: the next connection asks for all of it
                await self._ask()

    async def _start_ws(self) -> None:
        self._asked = None
        await _opening(self, super()._start_ws)

    async def _consume(self) -> bool:
        stale: bool = await _observing(self, super()._consume)
        return stale

    async def _send_subscribe_msg(self) -> None:
        self._asked = (self._asked or frozenset()) | frozenset(self._handlers["quotes"])
        if self._asked:
            await super()._send_subscribe_msg()
        else:  # a request for nothing is an error to the broker
            self.observed.subscribed(frozenset())

    async def _dispatch(self, msg: dict[str, Any]) -> None:
        if not stream_messages.is_quote(msg):
            await self._read_answer(msg)
        await super()._dispatch(msg)

    async def _read_answer(self, message: dict[str, Any]) -> None:
        confirmed = stream_messages.confirmed_quotes(message)
        if confirmed is not None:
            self.observed.subscribed(confirmed & (self._asked or frozenset()))
            await self._ask()
        elif complaint := stream_messages.complaint(message):
            self.observed.said = complaint
            if not self.observed.is_subscribed:
                self.observed.abort(complaint)

    async def _ask(self) -> None:
        """Ask for what is wanted now, unless it has been asked for; first give up what is not, because of the limit."""
        async with self._asking:
            wanted, asked = frozenset(self._handlers["quotes"]), self._asked
            if asked is None or wanted == asked:
                return
            await self._send_unsubscribe_msg("quotes", sorted(asked - wanted))
            self._asked = asked & wanted
            if wanted - asked:
                await self._send_subscribe_msg()


async def _opening(stream: Any, start: Callable[[], Awaitable[None]]) -> None:
    """Connect and authenticate in time, and note the failure; the stream ends after one that is final."""
    try:
        async with asyncio.timeout(stream.observed.patience.opening):
            await start()
    except Exception as error:
        if stream.observed.failed(error).startswith(_FINAL):
            await stream.stop_ws()
        raise


async def _observing(stream: Any, consume: Callable[[], Awaitable[Any]]) -> Any:
    """Receive messages until the connection ends, and note its end. Any other error was that of one message."""
    try:
        return await consume()
    except ConnectionClosed as error:
        stream.observed.failed(error)
        raise


def _require(stream: type, *names: str) -> None:
    """Raises RuntimeError if a release of alpaca-py has renamed what is overridden here."""
    missing = [name for name in names if not hasattr(stream, name)]
    if missing:
        raise RuntimeError(f"alpaca-py no longer has {', '.join(missing)}")
