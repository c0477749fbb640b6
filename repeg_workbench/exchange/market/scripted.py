"""A market scripted by hand: a few quotes and trades per symbol, for tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from repeg_workbench.exchange.market.symbol_day import Listing, Quotes, SymbolDay, Trades
from repeg_workbench.exchange.time.calendar import new_york
from repeg_workbench.exchange.units import to_price


@dataclass(frozen=True)
class ScriptedQuote:
    """A best bid and offer from this time on; price 0 means no bid or ask. Prices in price units, sizes in shares."""

    time: str
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    venue: str


@dataclass(frozen=True)
class ScriptedTrade:
    """A print; side +1 buyer-initiated, -1 seller-initiated, 0 unknown."""

    time: str
    price: int
    size: int
    side: int
    venue: str
    lit: bool


@dataclass(frozen=True)
class ScriptedHalt:
    """A trading halt from one time to another."""

    time: str
    until: str


Event = ScriptedQuote | ScriptedTrade | ScriptedHalt


def quote(time: str, bid: str | None, ask: str | None, *, venue: str = "N") -> ScriptedQuote:
    """quote("09:35:00.5", "300 @ 189.40", "200 @ 189.44"): New York time, shares @ dollars; None for no bid or ask."""
    bid_size, bid_price = _size_and_price(bid)
    ask_size, ask_price = _size_and_price(ask)
    return ScriptedQuote(time, bid_price, bid_size, ask_price, ask_size, venue)


def trade(time: str, what: str, *, side: int = 0, venue: str = "N", lit: bool = True) -> ScriptedTrade:
    """trade("09:35:01", "100 @ 189.40", side=-1): a seller hit the bid."""
    size, price = _size_and_price(what)
    return ScriptedTrade(time, price, size, side, venue, lit)


def halt(time: str, until: str) -> ScriptedHalt:
    """halt("10:00", "10:05"): trading is halted in [10:00, 10:05)."""
    return ScriptedHalt(time, until)


class ScriptedMarket:
    """A market from scripts by day and symbol, each in time order.

    Listings default to an ordinary NYSE stock per scripted symbol, reference prices to the last price of the previous
    scripted day or to the day's first quote. Raises ValueError for an event out of order.
    """

    def __init__(
        self,
        scripts: Mapping[date, Mapping[str, Sequence[Event]]],
        listings: Sequence[Listing] = (),
        reference_prices: Mapping[str, str] | None = None,
    ) -> None:
        self._days = {
            (symbol, day): _symbol_day(symbol, day, events)
            for day, script in sorted(scripts.items())
            for symbol, events in script.items()
        }
        scripted = {symbol: Listing(symbol, f"{symbol} Inc.") for symbol, _ in self._days}
        self._listings = scripted | {listing.symbol: listing for listing in listings}
        self._reference = {symbol: to_price(Decimal(price)) for symbol, price in (reference_prices or {}).items()}

    def symbols(self) -> tuple[str, ...]:
        """Every scripted or listed symbol, sorted."""
        return tuple(sorted(self._listings))

    def listing(self, symbol: str) -> Listing | None:
        """The given or default listing."""
        return self._listings.get(symbol)

    def day(self, symbol: str, day: date) -> SymbolDay | None:
        """The script's day for the symbol; None if there is none."""
        return self._days.get((symbol, day))

    def days(self) -> tuple[date, ...]:
        """The scripted days."""
        return tuple(sorted({day for _, day in self._days}))

    def reference_price(self, symbol: str, day: date) -> int | None:
        """The given price, the last price of the previous scripted day, or the day's first price."""
        if symbol in self._reference:
            return self._reference[symbol]
        earlier = [scripted for (name, when), scripted in self._days.items() if name == symbol and when < day]
        if earlier and (last := earlier[-1].last_price()) is not None:
            return last
        today = self.day(symbol, day)
        return today.first_price() if today else None


def _symbol_day(symbol: str, day: date, events: Sequence[Event]) -> SymbolDay:
    stamps = [new_york(day, event.time) for event in events]
    for event, stamp, before in zip(events[1:], stamps[1:], stamps, strict=False):
        if stamp < before:
            raise ValueError(f"{symbol} {day}: the event at {event.time} comes after a later one")
    timed = list(zip(stamps, events, strict=True))
    return SymbolDay(
        symbol,
        day,
        _quotes([(stamp, event) for stamp, event in timed if isinstance(event, ScriptedQuote)]),
        _trades([(stamp, event) for stamp, event in timed if isinstance(event, ScriptedTrade)]),
        tuple((stamp, new_york(day, event.until)) for stamp, event in timed if isinstance(event, ScriptedHalt)),
    )


def _quotes(rows: list[tuple[int, ScriptedQuote]]) -> Quotes:
    venues = np.array([ord(row.venue) if row.venue else 0 for _, row in rows], np.uint8)
    return Quotes(
        ts=np.array([stamp for stamp, _ in rows], np.int64),
        bid=np.array([row.bid for _, row in rows], np.int64),
        bid_size=np.array([row.bid_size for _, row in rows], np.int64),
        ask=np.array([row.ask for _, row in rows], np.int64),
        ask_size=np.array([row.ask_size for _, row in rows], np.int64),
        bid_venue=venues,
        ask_venue=venues,
    )


def _trades(rows: list[tuple[int, ScriptedTrade]]) -> Trades:
    return Trades(
        ts=np.array([stamp for stamp, _ in rows], np.int64),
        price=np.array([row.price for _, row in rows], np.int64),
        size=np.array([row.size for _, row in rows], np.int64),
        side=np.array([row.side for _, row in rows], np.int8),
        venue=np.array([ord(row.venue) if row.venue else 0 for _, row in rows], np.uint8),
        lit=np.array([row.lit for _, row in rows], np.bool_),
    )


def _size_and_price(text: str | None) -> tuple[int, int]:
    if text is None:
        return 0, 0
    size, at, dollars = text.partition(" @ ")
    if not at or not size.isdecimal():
        raise ValueError(f"{text!r} is not shares @ dollars, such as 300 @ 189.40")
    return int(size), to_price(Decimal(dollars))
