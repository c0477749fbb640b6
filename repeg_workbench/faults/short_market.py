"""A short market for a seed's day: quotes every second, prints, bad quotes, and books that run away."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import numpy as np

from repeg_workbench.exchange.market.symbol_day import Listing, Quotes, SymbolDay, Trades
from repeg_workbench.exchange.units import PRICE_SCALE

CENT = PRICE_SCALE // 100
SECOND = 1_000_000_000


class ShortMarket:
    """A market of a few symbols whose quotes and prints cover part of one day, at least one row per second."""

    def __init__(self, days: dict[str, SymbolDay]) -> None:
        self._days = days

    def symbols(self) -> tuple[str, ...]:
        """Every symbol, sorted."""
        return tuple(sorted(self._days))

    def listing(self, symbol: str) -> Listing | None:
        """An ordinary stock."""
        return Listing(symbol, f"{symbol} Inc.") if symbol in self._days else None

    def day(self, symbol: str, day: date) -> SymbolDay | None:
        """The symbol's data, if the date is the market's only day."""
        found = self._days.get(symbol)
        return found if found is not None and found.day == day else None

    def days(self) -> tuple[date, ...]:
        """The market's only day."""
        return tuple({found.day for found in self._days.values()})

    def reference_price(self, symbol: str, _day: date) -> int | None:
        """The first quote."""
        found = self._days.get(symbol)
        return found.first_price() if found else None


def symbol_day(symbol: str, day: date, first: datetime, seconds: int, seed: int) -> SymbolDay:
    """A random walk of the bid in cents, a random spread, a print every third second, some bad quotes."""
    dice = np.random.Generator(np.random.PCG64(seed))
    start = round(first.timestamp()) * SECOND
    ts = start + np.arange(seconds, dtype=np.int64) * SECOND + dice.integers(0, SECOND, seconds)
    base = int(dice.choice((95, 1_400, 4_800, 19_000))) * CENT
    step = int(dice.choice((0, 1, 1, 2)))
    bid = base + np.cumsum(dice.integers(-step, step + 1, seconds)) * CENT
    bid = np.maximum(bid, base // 2)
    spread = dice.integers(1, int(dice.choice((2, 2, 6, 25))), seconds) * CENT
    ask = bid + spread
    sizes = dice.choice((50, 100, 200, 1_000), (2, seconds))
    _spoil(dice, bid, ask)
    venue = np.full(seconds, ord("N"), np.uint8)
    quotes = Quotes(ts, bid, np.where(bid > 0, sizes[0], 0), ask, np.where(ask > 0, sizes[1], 0), venue, venue)
    return SymbolDay(symbol, day, quotes, _prints(dice, quotes), ())


def _spoil(
    dice: np.random.Generator, bid: np.ndarray[Any, np.dtype[np.int64]], ask: np.ndarray[Any, np.dtype[np.int64]]
) -> None:
    """Add periods of one-sided, locked or crossed quotes to one symbol in three."""
    if dice.integers(0, 3):
        return
    for _ in range(3):
        at = int(dice.integers(0, len(bid) - 60))
        stretch = slice(at, at + int(dice.integers(5, 60)))
        kind = int(dice.integers(0, 4))
        if kind == 0:
            ask[stretch] = 0
        elif kind == 1:
            bid[stretch] = 0
        elif kind == 2:
            ask[stretch] = bid[stretch]
        else:
            ask[stretch] = bid[stretch] - CENT


def _prints(dice: np.random.Generator, quotes: Quotes) -> Trades:
    rows = np.flatnonzero((dice.integers(0, 3, len(quotes)) == 0) & (quotes.bid > 0) & (quotes.ask > quotes.bid))
    side = dice.choice(np.array((-1, 1), np.int8), len(rows))
    at_bid = side < 0
    return Trades(
        ts=quotes.ts[rows] + 1,
        price=np.where(at_bid, quotes.bid[rows], quotes.ask[rows]),
        size=dice.choice((10, 100, 300), len(rows)),
        side=side,
        venue=np.full(len(rows), ord("N"), np.uint8),
        lit=np.ones(len(rows), np.bool_),
    )


def running_away(calm: SymbolDay, side: int, seed: int, back_at: datetime | None = None) -> SymbolDay:
    """The same symbol and hours, with a book that moves away from orders of one side every few seconds and small
    prints, so that such an order is re-pegged many times.

    With `back_at` there are no prints, and the book only runs away until that instant. Then it returns to its first
    price and fills every order left at the broker.
    """
    dice = np.random.Generator(np.random.PCG64(seed))
    seconds = len(calm.quotes)
    ts = calm.quotes.ts[0] + np.arange(seconds, dtype=np.int64) * SECOND
    steps = dice.integers(-1, 3, -(-seconds // 5)) if back_at is None else dice.integers(0, 2, -(-seconds // 5))
    base = int(calm.first_price() or 1_000 * CENT)
    bid = np.maximum(base + side * np.repeat(np.cumsum(steps), 5)[:seconds] * CENT, base // 2)
    if back_at is not None:
        bid[ts >= round(back_at.timestamp()) * SECOND] = base
    ask = bid + int(dice.choice((1, 2, 4))) * CENT
    size, venue = np.full(seconds, 500), np.full(seconds, ord("N"), np.uint8)
    rows = np.flatnonzero(dice.integers(0, 6, seconds) == 0) if back_at is None else np.arange(0)
    sides = dice.choice(np.array((-1, 1), np.int8), len(rows))
    prints = Trades(
        ts=ts[rows] + 1,
        price=np.where(sides < 0, bid[rows], ask[rows]),
        size=dice.choice((1, 4, 20), len(rows)),
        side=sides,
        venue=venue[rows],
        lit=np.ones(len(rows), np.bool_),
    )
    return SymbolDay(calm.symbol, calm.day, Quotes(ts, bid, size, ask, size, venue, venue), prints, ())
