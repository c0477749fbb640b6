"""A market whose quotes are always fresh and whose prices drift slowly away from one side, so that orders rest all day.

Every stock is quoted once a second, four ticks wide; its price moves by a tick every few minutes. No print fills an
order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from itertools import islice, product
from string import ascii_uppercase

import numpy as np

from repeg.domain.session import NEW_YORK
from repeg_workbench.exchange.market.symbol_day import Listing, Quotes, SymbolDay, Trades
from repeg_workbench.exchange.time.calendar import NANOSECONDS

PRICE, TICK, WIDE, SHARES = 1_000_000, 100, 4, 1_000
SECONDS_PER_TICK = 300


def symbols(count: int) -> list[str]:
    """So many symbols of four letters."""
    return ["Z" + "".join(letters) for letters in islice(product(ascii_uppercase, repeat=3), count)]


class SteadyMarket:
    """The market from `quoted_from` to the close; `rising` are the symbols whose prices rise, the others fall."""

    def __init__(self, names: Sequence[str], rising: frozenset[str], quoted_from: time) -> None:
        self._names, self._rising, self._from = tuple(names), rising, quoted_from
        self._days: dict[tuple[str, date], SymbolDay] = {}

    def symbols(self) -> tuple[str, ...]:
        """Every symbol."""
        return self._names

    def listing(self, symbol: str) -> Listing | None:
        """A listing for every symbol."""
        return Listing(symbol, symbol) if symbol in self._names else None

    def days(self) -> None:
        """Every trading day."""

    def day(self, symbol: str, day: date) -> SymbolDay | None:
        """The symbol's quotes, and a print at the price before the first of them."""
        if symbol not in self._names:
            return None
        if (symbol, day) not in self._days:
            self._days[symbol, day] = self._made(symbol, day)
        return self._days[symbol, day]

    def reference_price(self, symbol: str, day: date) -> int | None:  # noqa: ARG002
        """The price that every day begins at."""
        return PRICE if symbol in self._names else None

    def _made(self, symbol: str, day: date) -> SymbolDay:
        begins = int(datetime.combine(day, self._from, NEW_YORK).timestamp())
        ends = int(datetime.combine(day, time(16), NEW_YORK).timestamp())
        seconds = np.arange(ends - begins, dtype=np.int64)
        drift = seconds // SECONDS_PER_TICK * TICK * (1 if symbol in self._rising else -1)
        bid = PRICE - WIDE * TICK // 2 + drift
        size, venue = np.full(len(seconds), SHARES, np.int64), np.full(len(seconds), ord("N"), np.uint8)
        ts = (begins + seconds) * NANOSECONDS
        return SymbolDay(symbol, day, Quotes(ts, bid, size, bid + WIDE * TICK, size, venue, venue), Trades.empty())
