"""What the streams have said and the step has not heard yet: bounded, however long the step does not listen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Condition

from repeg.adapters.alpaca import stream_messages
from repeg.domain.hints import HintKind, Hints
from repeg.domain.quote import CLOCK_ERROR_SECONDS, Quote

# More symbols than any run has. If more are named, none is listed any longer: everything is to be read.
MOST_SYMBOLS = 1_000

_CLOCK_ERROR = timedelta(seconds=CLOCK_ERROR_SECONDS)

CONNECTING = "connecting"


@dataclass
class Line:
    """Whether one of the streams can be heard: `reason` says why not, and is empty if it can be."""

    reason: str = CONNECTING

    @property
    def source(self) -> str:
        """`stream`, or `poll: ` and the reason."""
        return f"poll: {self.reason}" if self.reason else "stream"


class Inbox:
    """Events by symbol, and the latest quote of each symbol that is followed, for the streams' thread and the step's.

    `oldest_seconds` is the greatest age of a quote that is given out, `now` our own clock.
    """

    def __init__(self, prefix: str, now: Callable[[], datetime], oldest_seconds: int) -> None:
        self.orders, self.quotes_line = Line(), Line()
        self._prefix, self._now, self._oldest = prefix, now, timedelta(seconds=oldest_seconds)
        self._changed = Condition()
        self._hints: dict[str, set[HintKind]] = {}
        self._has_gap = False
        self._quotes: dict[str, tuple[datetime, object]] = {}
        self._followed: frozenset[str] = frozenset()

    @property
    def followed(self) -> frozenset[str]:
        """The symbols whose quotes are kept."""
        return self._followed

    def connected(self) -> None:
        """Updates arrive from now on; any before may have been missed."""
        with self._changed:
            self.orders.reason = ""
            self._has_gap = True
            self._changed.notify_all()

    def lose_orders(self, reason: str) -> None:
        """Note that no updates arrive."""
        with self._changed:
            self.orders.reason = reason

    def update(self, message: object) -> None:
        """Note a message of the trade stream."""
        found = stream_messages.hint(self._prefix, message)
        if found is None:
            return
        symbol, kinds = found
        with self._changed:
            if symbol not in self._hints and len(self._hints) >= MOST_SYMBOLS:
                self._hints.clear()
                self._has_gap = True
            else:
                self._hints.setdefault(symbol, set()).update(kinds)
            self._changed.notify_all()

    def follow(self, symbols: Iterable[str]) -> None:
        """Keep the quotes of these symbols and of no others, as the market data stream has confirmed them."""
        with self._changed:
            self.quotes_line.reason = ""
            self._followed = frozenset(symbols)
            self._quotes = {symbol: kept for symbol, kept in self._quotes.items() if symbol in self._followed}

    def lose_quotes(self, reason: str) -> None:
        """Forget the quotes: without a stream there is no sign that they have changed."""
        with self._changed:
            self.quotes_line.reason = reason
            self._followed = frozenset()
            self._quotes.clear()

    def quote(self, message: object) -> None:
        """Note a message of the market data stream, which is read when it is asked for.

        A quote older than the one that is kept, or without a time stamp, is ignored, and so is one stamped in the
        future: it would keep out every true one.
        """
        named = stream_messages.quoted(message)
        if named is None or named[1] > self._now() + _CLOCK_ERROR:
            return
        symbol, at = named
        with self._changed:
            kept = self._quotes.get(symbol)
            if symbol in self._followed and (kept is None or kept[0] <= at):
                self._quotes[symbol] = at, message

    def quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """The quotes of these symbols that are young enough, and can be read."""
        oldest = self._now() - self._oldest
        with self._changed:
            kept = {symbol: self._quotes[symbol] for symbol in symbols if symbol in self._quotes}
        read = {symbol: stream_messages.quote(message) for symbol, (at, message) in kept.items() if at >= oldest}
        return {symbol: quote for symbol, quote in read.items() if quote is not None}

    def take(self) -> Hints:
        """Everything to look at, which is forgotten here."""
        with self._changed:
            return self._take()

    def wait(self, seconds: float) -> Hints:
        """What there is to look at, as soon as there is anything, or nothing after that time."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._hints) or self._has_gap, max(0.0, seconds))
            return self._take()

    def _take(self) -> Hints:
        taken = Hints({symbol: frozenset(kinds) for symbol, kinds in self._hints.items()}, self._has_gap)
        self._hints.clear()
        self._has_gap = False
        return taken
