"""Signals on Alpaca's streams: a listener that hears order updates and quotes, and falls back to waiting by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from repeg.adapters.alpaca.inbox import Inbox
from repeg.adapters.alpaca.keys import Keys, KeySource, TradingMode
from repeg.adapters.polling_signals import PollingListener
from repeg.domain.hints import Hints
from repeg.domain.quote import Quote
from repeg.domain.setting_types import Feed
from repeg.ports import Listener, Runtime

# The symbols that one connection may follow on the Basic plan, and enough for one thread on any: each quote takes ten
# microseconds, and a busy symbol of the consolidated feed has hundreds in a second.
# https://docs.alpaca.markets/docs/about-market-data-api
MOST_FOLLOWED = 30

# The oldest quote that is given out: what a decision accepts of any feed by default. On one venue's feed an older quote
# may still stand, but a stream may also fall silent while its socket answers pings: REST is asked then.
# https://github.com/alpacahq/alpaca-py/issues/740
OLDEST_SECONDS = 10


class Streams(Protocol):
    """Two connections that fill an inbox."""

    def wait(self, seconds: float) -> Hints:
        """The inbox's hints, as soon as there are any, or none after that time."""

    def watch(self, symbols: Sequence[str]) -> None:
        """Follow the quotes of these symbols and no others."""

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """The inbox's quotes of these symbols."""

    def close(self) -> None:
        """Close the connections."""


Connect = Callable[[Keys, Inbox, Sequence[str]], Streams]


@dataclass(frozen=True)
class Addresses:
    """Where the streams are; None for Alpaca's own, of the paper or the live account."""

    trade: str | None
    data: str | None
    is_paper: bool


@dataclass(frozen=True)
class Patience:
    """How many seconds a connection may do without what.

    A ping goes out every `ping`, and its pong is heard like any message. A connection on which nothing arrives for
    `silence` is dead, though its socket is open: three pings went unanswered. The broker keeps the place of a dead
    connection for about 90 s and refuses another one until then, so its successor should ask well before. `opening` is
    for connecting and authenticating, which take a fraction of a second.
    https://github.com/alpacahq/alpaca-trade-api-csharp/issues/558
    """

    ping: float = 5.0
    silence: float = 15.0
    opening: float = 5.0
    check: float = 1.0


PATIENCE = Patience()


def addresses(mode: TradingMode, feed: Feed, trading_url: str | None, data_url: str | None) -> Addresses:
    """The streams of Alpaca, or those of the simulated broker with these URLs."""
    trade = None if trading_url is None else f"{_socket(trading_url)}/stream"
    data = None if data_url is None else f"{_socket(data_url)}/v2/{feed.value}"
    return Addresses(trade, data, is_paper=mode is TradingMode.PAPER)


def deployed(where: Addresses, feed: Feed, patience: Patience = PATIENCE) -> Connect:
    """Connects by alpaca-py, which is imported when a step listens for the first time: most steps never do."""

    def connect(keys: Keys, inbox: Inbox, symbols: Sequence[str]) -> Streams:
        from repeg.adapters.alpaca.live_streams import LiveStreams  # noqa: PLC0415

        return LiveStreams(keys, where, patience, feed, inbox, symbols)

    return connect


class AlpacaSignals:
    """Signals on the streams that `connect` opens, which may raise anything: then the listener only waits."""

    def __init__(self, connect: Connect, keys: KeySource, runtime: Runtime, most_followed: int = MOST_FOLLOWED) -> None:
        self._connect, self._keys, self._runtime = connect, keys, runtime
        self._most_followed = most_followed

    def open(self, prefix: str, symbols: Sequence[str]) -> Listener:
        """Connect to both streams, without waiting for them."""
        inbox = Inbox(prefix, self._runtime.now, OLDEST_SECONDS)
        try:
            keys = self._keys.current()
            if keys.is_placeholder:
                return PollingListener(self._runtime, "the secret holds no keys")
            streams = self._connect(keys, inbox, list(symbols)[: self._most_followed])
        except Exception as error:  # noqa: BLE001 - a stream only saves time, so its failure must not fail a step
            return PollingListener(self._runtime, type(error).__name__)
        return StreamListener(streams, inbox, self._most_followed)


class StreamListener:
    """Hears what two streams put into an inbox."""

    def __init__(self, streams: Streams, inbox: Inbox, most_followed: int) -> None:
        self._streams, self._inbox, self._most_followed = streams, inbox, most_followed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._streams.close()

    def wait(self, seconds: float) -> Hints:
        """The next hints. The first ones have a gap: wait for 0 seconds before a turn that reads everything anyway."""
        return self._streams.wait(seconds)

    def watch(self, symbols: Sequence[str]) -> None:
        """Follow as many of these symbols as the account's data plan allows."""
        self._streams.watch(list(symbols)[: self._most_followed])

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """The latest quotes, as far as they are young enough to be traded on."""
        return self._streams.quotes(symbols)

    @property
    def source(self) -> str:
        """Whether order updates are heard, or why not."""
        return self._inbox.orders.source

    @property
    def quote_source(self) -> str:
        """Whether quotes are heard, or why not."""
        return self._inbox.quotes_line.source

    @property
    def followed(self) -> frozenset[str]:
        """The symbols that the market data stream has confirmed."""
        return self._inbox.followed


def _socket(url: str) -> str:
    """The address of a websocket on a simulated broker, which has no TLS."""
    return f"ws{url.removeprefix('http')}"
