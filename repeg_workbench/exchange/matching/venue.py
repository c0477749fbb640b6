"""The venue: one book per symbol and day, and queries of the tape."""

from dataclasses import dataclass
from datetime import date
from heapq import heappop, heappush
from typing import Final

import numpy as np

from repeg_workbench.exchange.market.symbol_day import Int64s, Market, SymbolDay
from repeg_workbench.exchange.matching.improvement import Improvement
from repeg_workbench.exchange.matching.symbol_book import BookOrder, BookQuote, Fill, FillModel, SymbolBook
from repeg_workbench.exchange.time.calendar import TradingCalendar, nanoseconds
from repeg_workbench.exchange.time.timers import NEVER

_MOST_BOOKS: Final = 256
_REFERENCE_SIZE: Final = 100
_CALENDAR: Final = TradingCalendar()

Print = tuple[int, int, int, str]
"""A trade: time (ns), price units, shares, venue letter."""


@dataclass(frozen=True, slots=True)
class Trail:
    """A trailing distance: price units, or 1/10,000 of a percent."""

    price: int | None
    percent: int | None

    def stop(self, high_water: int, side: int) -> int:
        """The stop price (price units) for the best price so far; a sell trails below it, a buy above."""
        distance = self.price if self.price is not None else high_water * (self.percent or 0) // 1_000_000
        return high_water + side * distance


class Venue:
    """The books of the current trading day, created on first use; time only moves forward.

    `today` and `yesterday` are the current and the previous trading day.
    """

    def __init__(
        self,
        market: Market,
        model: FillModel,
        *,
        order_protection: bool = True,
        improvement: Improvement | None = None,
    ) -> None:
        self._market = market
        self._model, self._order_protection, self._improvement = model, order_protection, improvement
        self.today = self.yesterday = date.min
        self._books: dict[str, SymbolBook | None] = {}
        self._previous: dict[str, SymbolBook | None] = {}
        self._due: list[tuple[int, str]] = []

    def symbols(self) -> tuple[str, ...]:
        """All listed symbols."""
        return self._market.symbols()

    def open_day(self, day: date, previous: date) -> None:
        """Start the next trading day with empty books."""
        self._previous = self._books if self.today == previous else {}
        self.today, self.yesterday = day, previous
        self._books, self._due = {}, []

    @property
    def next_at(self) -> int:
        """The earliest instant (ns) at which anything can happen to our orders."""
        due = self._due
        while due:
            at, symbol = due[0]
            book = self._books.get(symbol)
            if book is not None and book.resting and book.quiet_until == at:
                return at
            heappop(due)
        return NEVER

    def run_next(self) -> list[Fill]:
        """Run the symbol that is due to `next_at`; returns its executions in time order."""
        at, symbol = self._due[0]
        return self.run(symbol, at)

    def run(self, symbol: str, to: int) -> list[Fill]:
        """Run one symbol's market; returns its executions in time order."""
        book = self._books.get(symbol)
        if book is None or not book.resting:
            return []
        fills = book.advance(to)
        self._schedule(symbol, book)
        return fills

    def enter(self, symbol: str, order: BookOrder, at: int) -> list[Fill]:
        """Enter an order; returns all executions in its symbol by that instant."""
        book = self._book(symbol)
        if book is None:
            return []
        fills = book.enter(order, at)
        self._schedule(symbol, book)
        return fills

    def remove(self, symbol: str, order_id: str, at: int) -> None:
        """Remove an order from its book; nothing may be due there before that instant."""
        book = self._books.get(symbol)
        if book is not None:
            book.remove(order_id, at)
            self._schedule(symbol, book)

    def quote(self, symbol: str, at: int) -> BookQuote | None:
        """The latest quote with our orders, whatever its age; None if there has been none."""
        book = self._book(symbol)
        shown = book.quote(at) if book else None
        if shown is not None:
            return shown
        before = self._book_before(symbol)
        return before.quote(at) if before else None

    def last_trade(self, symbol: str, at: int) -> Print | None:
        """The latest print, whatever its age; before a market's first row, its reference price at the last close."""
        book = self._book(symbol)
        last = book.last_trade(at) if book else None
        if last is not None:
            return last
        before = self._book_before(symbol)
        last = before.last_trade(at) if before else None
        return self._close_before_data(symbol, book, at) if last is None else last

    def price(self, symbol: str, at: int) -> int:
        """The value of one share in price units: today's last print, else the reference price, else 0."""
        book = self._book(symbol)
        last = book.last_trade(at) if book else None
        if last is not None:
            return last[1]
        return self.reference_price(symbol) or 0

    def _close_before_data(self, symbol: str, book: SymbolBook | None, at: int) -> Print | None:
        """Before the first row of the first day there is, the reference price as the print of the previous close."""
        session = _CALENDAR.session(self.yesterday)
        reference = self.reference_price(symbol)
        if book is None or session is None or reference is None or book.quote(at, include_ours=False) is not None:
            return None
        return nanoseconds(session.close), reference, _REFERENCE_SIZE, ""

    def reference_price(self, symbol: str) -> int | None:
        """The previous close in price units, or its substitute."""
        return self._market.reference_price(symbol, self.today)

    def day(self, symbol: str) -> SymbolDay | None:
        """Today's tape."""
        return self._market.day(symbol, self.today)

    def day_before(self, symbol: str) -> SymbolDay | None:
        """The previous trading day's tape."""
        return self._market.day(symbol, self.yesterday)

    def trigger(self, symbol: str, side: int, stop: int, since: int) -> int | None:
        """When (ns) the first lit print after `since` reaches the stop price; None if none does today."""
        stamps, prices = self._prints(symbol, since)
        return _first(stamps, prices * side >= stop * side)

    def trail_trigger(self, symbol: str, side: int, trail: Trail, high_water: int, since: int) -> int | None:
        """When (ns) the first lit print after `since` reaches the trailing stop; None if none does today."""
        stamps, prices = self._prints(symbol, since)
        if not len(prices):
            return None
        best = -side * np.maximum.accumulate(np.concatenate(([high_water], prices)) * -side)[:-1]
        distances = trail.price if trail.price is not None else best * (trail.percent or 0) // 1_000_000
        return _first(stamps, prices * side >= (best + side * distances) * side)

    def high_water(self, symbol: str, side: int, high_water: int, since: int, until: int) -> int:
        """The best price for a trailing stop between two instants: the highest for a sell, the lowest for a buy."""
        stamps, prices = self._prints(symbol, since)
        seen = prices[: int(np.searchsorted(stamps, until, "right"))]
        best = max((int((seen * -side).max()), -side * high_water)) if len(seen) else -side * high_water
        return -side * best

    def _prints(self, symbol: str, since: int) -> tuple[Int64s, Int64s]:
        day = self.day(symbol)
        if day is None:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        start = int(np.searchsorted(day.trades.ts, since, "right"))
        lit = day.trades.lit[start:]
        return day.trades.ts[start:][lit], day.trades.price[start:][lit]

    def _schedule(self, symbol: str, book: SymbolBook) -> None:
        if book.resting and book.quiet_until < NEVER:
            heappush(self._due, (book.quiet_until, symbol))

    def _book(self, symbol: str) -> SymbolBook | None:
        try:
            return self._books[symbol]
        except KeyError:
            _make_room(self._books)
            return self._books.setdefault(symbol, self._open(symbol, self.today))

    def _book_before(self, symbol: str) -> SymbolBook | None:
        if symbol not in self._previous:
            _make_room(self._previous)
            self._previous[symbol] = self._open(symbol, self.yesterday)
        return self._previous[symbol]

    def _open(self, symbol: str, day: date) -> SymbolBook | None:
        found = self._market.day(symbol, day)
        if found is None:
            return None
        return SymbolBook(found, self._model, order_protection=self._order_protection, improvement=self._improvement)


def _make_room(books: dict[str, SymbolBook | None]) -> None:
    """Drop the oldest books without orders, as a client may ask for any number of symbols."""
    if len(books) >= _MOST_BOOKS:
        idle = [symbol for symbol, book in books.items() if book is None or not book.has_had_orders]
        for symbol in idle[: _MOST_BOOKS // 2]:
            del books[symbol]


def _first(stamps: Int64s, reached: np.ndarray) -> int | None:
    hits = np.flatnonzero(reached)
    return int(stamps[hits[0]]) if len(hits) else None
