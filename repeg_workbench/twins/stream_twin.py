"""The broker's streams in virtual time: the frames of the simulated exchange, read by the deployed adapter's code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heappop, heappush

from repeg.adapters.alpaca.inbox import Inbox
from repeg.adapters.alpaca.keys import Keys
from repeg.domain.hints import Hints
from repeg.domain.quote import Quote
from repeg_workbench.engine.scheduler import NANOSECONDS, Scheduler
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.serving.hub import Hub
from repeg_workbench.exchange.time.timers import NEVER
from repeg_workbench.twins.stream_clients import Client, DataClient, TradeClient

# A waiting listener looks at the exchange at most this often, however many quotes it has: a day has millions.
GRANULE = NANOSECONDS // 20


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
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._count = 0
        pair = keys.key_id.get_secret_value(), keys.secret_key.get_secret_value()
        twin.exchange.advance()
        self._data = DataClient(twin.exchange, twin.hub, twin.latency, self._later, inbox, pair, twin.feed)
        self._clients: tuple[Client, ...] = (
            TradeClient(twin.exchange, twin.hub, twin.latency, self._later, inbox, pair),
            self._data,
        )
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
            scheduler.sleep((min(deadline, self._next_at()) - scheduler.now_ns) / NANOSECONDS)

    def quotes(self, symbols: Sequence[str]) -> dict[str, Quote]:
        """The latest quotes that have arrived."""
        self._catch_up()
        return self._inbox.quotes(symbols)

    def watch(self, symbols: Sequence[str]) -> None:
        """Follow these symbols."""
        self._catch_up()
        self._data.watch(list(symbols))

    def close(self) -> None:
        """Disconnect."""
        for client in self._clients:
            client.close()
        self._due.clear()

    def _later(self, at: int, action: Callable[[], None]) -> None:
        """Have the client act at an instant (ns)."""
        self._count += 1
        heappush(self._due, (at, self._count, action))

    def _catch_up(self) -> None:
        self._twin.exchange.advance()
        while self._due and self._due[0][0] <= self._twin.scheduler.now_ns:
            heappop(self._due)[2]()

    def _next_at(self) -> int:
        due = self._due[0][0] if self._due else NEVER
        return max(self._twin.scheduler.now_ns + GRANULE, min(due, self._twin.exchange.next_at))
