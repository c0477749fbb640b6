"""One symbol's day as arrays, and the interface of its sources: scripted, recorded or generated."""

from dataclasses import dataclass, fields
from datetime import date
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]
Int8s = NDArray[np.int8]
Letters = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False)
class Quotes:
    """The best bid and offer, one row per change, in time order; rows of the same time apply in row order.

    ts in nanoseconds UTC, prices in price units (1/10,000 dollar), sizes in shares. A side with price 0 is absent.
    Venues are the exchange's ASCII letter, or 0 if unknown.
    """

    ts: Int64s
    bid: Int64s
    bid_size: Int64s
    ask: Int64s
    ask_size: Int64s
    bid_venue: Letters
    ask_venue: Letters

    def __len__(self) -> int:
        return len(self.ts)

    def where(self, keep: Flags) -> "Quotes":
        """The rows where `keep` is true."""
        return self if keep.all() else Quotes(*(getattr(self, field.name)[keep] for field in fields(self)))

    @classmethod
    def empty(cls) -> Self:
        """No quotes."""
        none, letters = np.empty(0, np.int64), np.empty(0, np.uint8)
        return cls(none, none, none, none, none, letters, letters)


@dataclass(frozen=True, eq=False)
class Trades:
    """The prints, in time order; a print meets the quote in force before any quote row of the same time.

    side is +1 if the buyer took liquidity, -1 if the seller did, 0 if unknown. lit is True if the print could have met
    a displayed order: off-exchange, auction, late and average-price prints are not lit.
    """

    ts: Int64s
    price: Int64s
    size: Int64s
    side: Int8s
    venue: Letters
    lit: Flags

    def __len__(self) -> int:
        return len(self.ts)

    def where(self, keep: Flags) -> "Trades":
        """The rows where `keep` is true."""
        return self if keep.all() else Trades(*(getattr(self, field.name)[keep] for field in fields(self)))

    @classmethod
    def empty(cls) -> Self:
        """No prints."""
        none, letters = np.empty(0, np.int64), np.empty(0, np.uint8)
        return cls(none, none, none, np.empty(0, np.int8), letters, np.empty(0, np.bool_))


@dataclass(frozen=True, eq=False)
class SymbolDay:
    """One symbol's quotes, prints and halts on one day; a halt [start, end) in ns has no fills and no new quotes."""

    symbol: str
    day: date
    quotes: Quotes
    trades: Trades
    halts: Spans = ()

    def first_price(self) -> int | None:
        """The first quote's mid, or its only side, in price units; None without quotes."""
        return _quoted_price(self.quotes, 1)

    def last_price(self) -> int | None:
        """The last print, or else the last quote's mid or only side, in price units: the close."""
        return int(self.trades.price[-1]) if len(self.trades) else _quoted_price(self.quotes, -1)


@dataclass(frozen=True)
class Listing:
    """The broker's data on an asset."""

    symbol: str
    name: str
    exchange: str = "NYSE"
    tradable: bool = True
    fractionable: bool = True
    shortable: bool = True
    easy_to_borrow: bool = True
    marginable: bool = True


class Market(Protocol):
    """A source of symbol days; implementations cache recent ones and return equal days every time."""

    def symbols(self) -> tuple[str, ...]:
        """Every listed symbol, in a fixed order; a market of any ticker has only the named ones here."""

    def listing(self, symbol: str) -> Listing | None:
        """The asset's listing; None for an unknown symbol."""

    def day(self, symbol: str, day: date) -> SymbolDay | None:
        """The symbol's quotes and prints on the day; None if there are none."""

    def days(self) -> tuple[date, ...] | None:
        """The days available; None if every trading day is."""

    def reference_price(self, symbol: str, day: date) -> int | None:
        """The value of one share before the open, in price units: the previous close, or else the first quote."""


def inside(ts: Int64s, spans: Spans) -> Flags:
    """Which times lie in any of the half-open spans."""
    found = np.zeros(len(ts), np.bool_)
    for start, end in spans:
        found |= (ts >= start) & (ts < end)
    return found


def _quoted_price(quotes: Quotes, step: int) -> int | None:
    quoted = np.flatnonzero((quotes.bid > 0) | (quotes.ask > 0))[::step]
    if not len(quoted):
        return None
    bid, ask = int(quotes.bid[quoted[0]]), int(quotes.ask[quoted[0]])
    return (bid + ask) // 2 if bid and ask else bid or ask
