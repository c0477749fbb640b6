"""The broker's streams in virtual time: the frames of the simulated exchange, read by the deployed adapter's code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from heapq import heappop, heappush

from repeg.adapters.alpaca.inbox import Inbox
from repeg.adapters.alpaca.keys import Keys
from repeg.domain.hints import Hints
from repeg.domain.quote import Quote
from repeg_workbench.engine.scheduler import NANOSECONDS, Killed, Scheduler
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.serving.hub import Hub
from repeg_workbench.exchange.time.timers import NEVER
from repeg_workbench.twins.stream_clients import Client, DataClient, TradeClient

# A waiting listener looks at the exchange at most this often, however much happens where its orders rest.
GRANULE = NANOSECONDS // 20

# It looks at least this often. A frame wakes it: after what another thread has done, more may be due.
LONGEST_SLEEP = NANOSECONDS


_Due = tuple[int, int, Callable[[], None]]
"""An instant (ns), a number that keeps the order, and what a client does then."""


class StreamTwin:
    """The streams of one exchange. A frame takes `latency` seconds, either way."""

    def __init__(self, exchange: Exchange, scheduler: Scheduler, feed: str = "iex", latency: float = 0.05) -> None:
        self.exchange, self.scheduler, self.feed = exchange, scheduler, feed
        self.latency = round(latency * NANOSECONDS)
        self._hub: Hub | None = None

    @property
    def hub(self) -> Hub:
        """The exchange's side of the streams. An exchange that nobody listens to has none, and pays for none."""
        if self._hub is None:
            self._hub = Hub(self.exchange)
        return self._hub

    def connect(self, keys: Keys, inbox: Inbox, symbols: Sequence[str]) -> VirtualStreams:
        """Connect a listener."""
        return VirtualStreams(self, keys, inbox, symbols)


class VirtualStreams:
    """Two connections without a thread: all that has arrived by now is read when the listener is used."""

    def __init__(self, twin: StreamTwin, keys: Keys, inbox: Inbox, symbols: Sequence[str]) -> None:
        self._twin, self._inbox = twin, inbox
        self._due_hints: list[_Due] = []
        self._due_quotes: list[_Due] = []
        self._count = 0
        self._stirred = twin.scheduler.event()
        pair = keys.key_id.get_secret_value(), keys.secret_key.get_secret_value()
        twin.exchange.advance()
        shared = twin.exchange, twin.hub, twin.latency
        self._data = DataClient(*shared, partial(self._later, self._due_quotes), inbox, pair, twin.feed)
        self._trade = TradeClient(*shared, partial(self._later, self._due_hints), inbox, pair)
        self._clients: tuple[Client, ...] = self._trade, self._data
        self.on_update, self.on_quote = self._trade.on_sent, self._data.on_sent
        self._data.wanted = list(symbols)
        for client in self._clients:
            client.connect()

    def wait(self, seconds: float) -> Hints:
        """The next hints, or none after that time."""
        scheduler = self._twin.scheduler
        deadline = scheduler.now_ns + round(max(0.0, seconds) * NANOSECONDS)
        while True:
            self._catch_up()
            hints = self._inbox.take()
            if hints or scheduler.now_ns >= deadline:
                return hints
            self._stirred.clear()
            self._stirred.wait((min(deadline, self._next_at()) - scheduler.now_ns) / NANOSECONDS)

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """The latest quotes that have arrived."""
        self._catch_up()
        return self._inbox.quotes(symbols)

    def watch(self, symbols: Sequence[str]) -> None:
        """Follow these symbols."""
        self._catch_up()
        self._data.watch(list(symbols))

    def close(self) -> None:
        """Disconnect; a step that is being killed sends nothing any more."""
        is_killed = isinstance(sys.exception(), Killed)
        for client in self._clients:
            client.close(is_noticed=not is_killed)
        self._due_hints.clear()
        self._due_quotes.clear()

    def _later(self, due: list[_Due], at: int, action: Callable[[], None]) -> None:
        """Have a client act at an instant (ns)."""
        self._count += 1
        heappush(due, (at, self._count, action))
        if due is self._due_hints:
            self._stirred.set()

    def _catch_up(self) -> None:
        self._twin.exchange.advance()
        now = self._twin.scheduler.now_ns
        for due in (self._due_hints, self._due_quotes):
            while due and due[0][0] <= now:
                heappop(due)[2]()

    def _next_at(self) -> int:
        """When to look again: at what may bring a hint. Quotes bring none, and are read when they are asked for."""
        now, exchange = self._twin.scheduler.now_ns, self._twin.exchange
        due = self._due_hints[0][0] if self._due_hints else NEVER
        return max(now + GRANULE, min(now + LONGEST_SLEEP, due, exchange.timers.next_turn[0], exchange.venue.next_at))
