"""The market data feed: the messages of watched symbols, in order of time."""

from collections.abc import Callable
from datetime import time
from heapq import heappop, heappush, heapreplace
from typing import Any, Final, Protocol

from repeg_workbench.exchange.api.data_api import quote_view, trade_view
from repeg_workbench.exchange.api.snapshots import bar
from repeg_workbench.exchange.market.symbol_day import Quotes, Trades
from repeg_workbench.exchange.matching.symbol_book import BookQuote
from repeg_workbench.exchange.matching.venue import Venue
from repeg_workbench.exchange.time.stamps import MINUTE, at_local, local_day
from repeg_workbench.exchange.time.timers import NEVER

Message = dict[str, Any]
"""One message as on the wire, but with its timestamp `t` in nanoseconds."""

CHANNELS: Final = (
    "trades",
    "quotes",
    "bars",
    "updatedBars",
    "dailyBars",
    "statuses",
    "lulds",
    "corrections",
    "cancelErrors",
)
_Key = tuple[str, str]
"""A channel and a symbol."""

_HALTED: Final = {"sc": "H", "sm": "Trading Halt", "rc": "T1", "rm": "Halt - News Pending"}
_RESUMED: Final = {"sc": "T", "sm": "Trading Resumption", "rc": "", "rm": ""}


class _Cursor(Protocol):
    next_at: int

    def take(self) -> list[Message]:
        """Return the messages due at `next_at` and advance to the next ones."""


class Feed:
    """Sends the messages of watched symbols to every listener, in order of time."""

    def __init__(self, venue: Venue) -> None:
        self.listeners: list[Callable[[str, str, Message], None]] = []
        self._venue = venue
        self._watched: dict[_Key, int] = {}
        self._cursors: dict[_Key, _Cursor] = {}
        self._due: list[tuple[int, _Key]] = []
        self._changed: set[str] = set()

    @property
    def symbols(self) -> tuple[str, ...]:
        """All symbols of the market."""
        return self._venue.symbols()

    @property
    def next_at(self) -> int:
        """When (ns) the next message is due."""
        due = self._due
        while due:
            at, key = due[0]
            cursor = self._cursors.get(key)
            if cursor is not None and cursor.next_at == at:
                return at
            heappop(due)
        return NEVER

    def run_next(self) -> None:
        """Send the messages that are due at `next_at` in one channel of one symbol."""
        _, key = self._due[0]
        cursor = self._cursors[key]
        messages = cursor.take()
        heapreplace(self._due, (cursor.next_at, key))
        for message in messages:
            self._publish(*key, message)

    def watch(self, channel: str, symbol: str, at: int) -> None:
        """Start following a symbol, or add a watcher to it."""
        key = channel, symbol
        self._watched[key] = self._watched.get(key, 0) + 1
        if key not in self._cursors and channel in _CURSORS:
            self._follow(key, at)

    def unwatch(self, channel: str, symbol: str) -> None:
        """Remove a watcher of a symbol; without watchers it is no longer followed."""
        key = channel, symbol
        self._watched[key] = self._watched.get(key, 0) - 1
        if self._watched[key] <= 0:
            self._watched.pop(key)
            self._cursors.pop(key, None)

    def turn_day(self, at: int) -> None:
        """Switch to the new day's tape."""
        self._due.clear()
        for key in list(self._cursors):
            self._follow(key, at)

    def mark_changed(self, symbol: str) -> None:
        """Mark a symbol whose quote an order of the account may have changed."""
        if ("quotes", symbol) in self._cursors:
            self._changed.add(symbol)

    def refresh(self, at: int) -> None:
        """Send the quotes that the account's own orders have changed."""
        for symbol in sorted(self._changed):
            cursor = self._cursors.get(("quotes", symbol))
            if isinstance(cursor, _Quotes) and (message := cursor.changed(at)) is not None:
                self._publish("quotes", symbol, message)
        self._changed.clear()

    def _follow(self, key: _Key, at: int) -> None:
        channel, symbol = key
        self._cursors[key] = _CURSORS[channel](self._venue, symbol, at)
        heappush(self._due, (self._cursors[key].next_at, key))

    def _publish(self, channel: str, symbol: str, message: Message) -> None:
        for listener in self.listeners:
            listener(channel, symbol, message)


class _Quotes:
    def __init__(self, venue: Venue, symbol: str, since: int) -> None:
        day = venue.day(symbol)
        self._venue, self._symbol = venue, symbol
        self._stamps = (day.quotes if day else Quotes.empty()).ts
        self._index = int(self._stamps.searchsorted(since, "right"))
        self._shown: BookQuote | None = venue.quote(symbol, since)
        self.next_at = self._stamp()

    def take(self) -> list[Message]:
        at = self.next_at
        while self._stamp() == at:
            self._index += 1
        self.next_at = self._stamp()
        message = self.changed(at)
        return [] if message is None else [message]

    def changed(self, at: int) -> Message | None:
        quote = self._venue.quote(self._symbol, at)
        if quote is None or quote == self._shown:
            return None
        self._shown = quote
        return {"T": "q", "S": self._symbol, **quote_view(quote), "t": quote.at}

    def _stamp(self) -> int:
        return int(self._stamps[self._index]) if self._index < len(self._stamps) else NEVER


class _Trades:
    def __init__(self, venue: Venue, symbol: str, since: int) -> None:
        day = venue.day(symbol)
        self._symbol, self._trades = symbol, day.trades if day else Trades.empty()
        self._index = int(self._trades.ts.searchsorted(since, "right"))
        self.next_at = self._stamp()

    def take(self) -> list[Message]:
        trades, index = self._trades, self._index
        self._index += 1
        at = self.next_at
        self.next_at = self._stamp()
        venue = chr(trades.venue.item(index)).strip("\0")
        view = trade_view((at, trades.price.item(index), trades.size.item(index), venue))
        return [{"T": "t", "S": self._symbol, **view, "t": at}]

    def _stamp(self) -> int:
        trades = self._trades
        return trades.ts.item(self._index) if self._index < len(trades) else NEVER


class _Bars:
    def __init__(self, venue: Venue, symbol: str, since: int) -> None:
        day = venue.day(symbol)
        self._symbol, self._trades = symbol, day.trades if day else Trades.empty()
        start = -(-since // MINUTE) * MINUTE
        self._index = int(self._trades.ts.searchsorted(start))
        self.next_at = self._end()

    def take(self) -> list[Message]:
        end, start = self.next_at, self._index
        self._index = int(self._trades.ts.searchsorted(end))
        self.next_at = self._end()
        view = bar(self._trades, start, self._index, end - MINUTE)
        return [] if view is None else [{"T": "b", "S": self._symbol, **view, "t": end - MINUTE}]

    def _end(self) -> int:
        if self._index >= len(self._trades):
            return NEVER
        return (self._trades.ts.item(self._index) // MINUTE + 1) * MINUTE


class _DailyBars(_Bars):
    """After each minute with prints, the bar of the day so far."""

    def take(self) -> list[Message]:
        end = self.next_at
        self._index = int(self._trades.ts.searchsorted(end))
        self.next_at = self._end()
        start = at_local(local_day(end - MINUTE), time())
        view = bar(self._trades, 0, self._index, start)
        return [] if view is None else [{"T": "d", "S": self._symbol, **view, "t": start}]


class _Statuses:
    def __init__(self, venue: Venue, symbol: str, since: int) -> None:
        day = venue.day(symbol)
        halts = day.halts if day else ()
        changes = [change for start, end in halts for change in ((start, _HALTED), (end, _RESUMED))]
        self._symbol = symbol
        self._changes = [(at, status) for at, status in sorted(changes, key=lambda c: c[0]) if at > since]
        self.next_at = self._changes[0][0] if self._changes else NEVER

    def take(self) -> list[Message]:
        at, status = self._changes.pop(0)
        self.next_at = self._changes[0][0] if self._changes else NEVER
        return [{"T": "s", "S": self._symbol, **status, "z": "A", "t": at}]


_CURSORS: Final[dict[str, Callable[[Venue, str, int], _Cursor]]] = {
    "quotes": _Quotes,
    "trades": _Trades,
    "bars": _Bars,
    "dailyBars": _DailyBars,
    "statuses": _Statuses,
}
