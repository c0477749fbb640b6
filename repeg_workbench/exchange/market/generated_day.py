"""Generates one symbol's day: its order flow, the touch and the queues that follow it, and the prints."""

from typing import Final

import numpy as np

from repeg_workbench.exchange.market.generated_books import Book, book_of
from repeg_workbench.exchange.market.generated_dice import BITS, ONE, Dice, pick
from repeg_workbench.exchange.market.generated_flow import Flow, flow_of
from repeg_workbench.exchange.market.generated_regimes import Incident, Instrument
from repeg_workbench.exchange.market.generated_sizes import sizes_of
from repeg_workbench.exchange.market.generated_tape import Rows, Takes, rows_of, takes_of
from repeg_workbench.exchange.market.symbol_day import Flags, Int64s, Letters, Quotes, Spans, SymbolDay, Trades, inside
from repeg_workbench.exchange.time.calendar import NANOSECONDS, Session, nanoseconds
from repeg_workbench.exchange.units import tick_at

_OFF_EXCHANGE: Final = ord("D")
_ANOTHER_VENUE: Final = ord("Y")
_PRE_OPEN_TICKS: Final = 12
_LIT_VENUES: Final = {"NASDAQ": "TTTTTTTKKPPZZZVN", "ARCA": "PPPPPPTTTTKKZZZV"}
_LIT_VENUES_ELSEWHERE: Final = "NNNNNNTTTTPPKKZZ"


class DayMaker:
    """Generates one instrument's day for one session and seed. activity is in thousandths of the measured rates."""

    def __init__(self, instrument: Instrument, session: Session, seed: int, activity: int) -> None:
        self._instrument, self._regime, self._session = instrument, instrument.regime, session
        self._open, self._close = nanoseconds(session.open), nanoseconds(session.close)
        self._name = (seed, instrument.listing.symbol, session.day)
        self._activity = activity

    def make(self) -> SymbolDay:
        """The whole day, from five minutes before the open to the close."""
        flow = flow_of(self._instrument, self._session, self._name)
        book = book_of(self._regime, flow, self._name)
        sizes = sizes_of(self._regime, book, self._name)
        takes = takes_of(self._regime.trading, flow, book, sizes, self._name)
        rows = rows_of(self._regime, flow, book, sizes, takes, self._activity, self._name)
        venues = self._venues(book)
        quotes, trades, halts = self._quotes(rows, venues), self._trades(flow, rows, takes, venues), self._halts()
        quotes = quotes.where(~inside(quotes.ts, halts))
        trades = trades.where(~inside(trades.ts, _until_a_quote(halts, quotes)))
        return SymbolDay(self._instrument.listing.symbol, self._session.day, quotes, trades, halts)

    def _quotes(self, rows: Rows, venues: tuple[Letters, Letters]) -> Quotes:
        tick = tick_at(self._instrument.price)
        quotes = Quotes(
            rows.ts,
            rows.bid * tick,
            rows.bid_size.copy(),
            rows.ask * tick,
            rows.ask_size.copy(),
            venues[0][rows.event],
            venues[1][rows.event],
        )
        self._disturb_early(quotes, tick)
        if self._instrument.one_sided:
            no_ask = _during((rows.ts - self._open) // NANOSECONDS, self._instrument.one_sided)
            quotes.ask[no_ask] = quotes.ask_size[no_ask] = 0
        return quotes.where(rows.ts < self._close)

    def _disturb_early(self, quotes: Quotes, tick: int) -> None:
        """Before the open the spread is some twelve times as wide, and one side is sometimes missing."""
        early = slice(int(quotes.ts.searchsorted(self._open)))
        bid, ask = quotes.bid[early], quotes.ask[early]
        draws = Dice(*self._name, "early").words(len(bid))
        room = (ask - bid) // tick * _PRE_OPEN_TICKS
        bid[:] = np.maximum(1, bid // tick - (room * draws.draw(0) >> BITS)) * tick
        ask += (room * draws.draw(1) >> BITS) * tick
        whim = Dice(*self._name, "missing").words(len(bid)).draw(0)
        no_bid, no_ask = whim < ONE // 8, whim >= ONE - ONE // 8
        bid[no_bid] = quotes.bid_size[early][no_bid] = 0
        ask[no_ask] = quotes.ask_size[early][no_ask] = 0

    def _trades(self, flow: Flow, rows: Rows, takes: Takes, venues: tuple[Letters, Letters]) -> Trades:
        """Each print at the touch in force or inside it; off the exchange by up to a quarter of the spread."""
        ts = flow.ts[takes.event]
        met = rows.ts.searchsorted(ts, side="left") - 1
        words = Dice(*self._name, "tape").words(len(ts))
        tick = tick_at(self._instrument.price)
        bid, ask, bought = rows.bid[met] * tick, rows.ask[met] * tick, takes.side > 0
        better = np.where(takes.lit, takes.inside * tick, (ask - bid) * words.draw(0) >> BITS + 2)
        venue = np.where(bought, venues[1][rows.event[met]], venues[0][rows.event[met]])
        drawn = pick(self._lit_venues(), words.draw(1))
        elsewhere = np.where(drawn == venue, _ANOTHER_VENUE, drawn)
        silent = ~takes.lit | (words.draw(2) < ONE // 16)
        trades = Trades(
            ts=ts,
            price=np.where(bought, ask - better, bid + better),
            size=takes.size,
            side=np.where(silent, 0, takes.side).astype(np.int8),
            venue=np.where(takes.lit, np.where(takes.same_venue, venue, elsewhere), _OFF_EXCHANGE).astype(np.uint8),
            lit=takes.lit,
        )
        has_offer = ~_during((ts - self._open) // NANOSECONDS, self._instrument.one_sided)
        return trades.where((ts < self._close) & has_offer)

    def _venues(self, book: Book) -> tuple[Letters, Letters]:
        """The venues of the bid and of the offer after each event: drawn anew where its price moves."""
        draws = Dice(*self._name, "venues").words(len(book.bid))
        letters = [pick(self._lit_venues(), draws.draw(which)).astype(np.uint8) for which in (0, 1)]
        return letters[0][_last_change(book.bid)], letters[1][_last_change(book.ask)]

    def _lit_venues(self) -> Int64s:
        """The letters of the venues that quote the instrument, repeated in proportion to their share."""
        letters = _LIT_VENUES.get(self._instrument.listing.exchange, _LIT_VENUES_ELSEWHERE)
        return np.array([ord(letter) for letter in letters], np.int64)

    def _halts(self) -> Spans:
        halt = self._instrument.halt
        if halt is None:
            return ()
        start = self._open + halt.start * NANOSECONDS
        return ((start, start + halt.length * NANOSECONDS),)


def _until_a_quote(halts: Spans, quotes: Quotes) -> Spans:
    """The halts, each up to and including the first quote after it."""
    after = [quotes.ts[quotes.ts >= end] for _, end in halts]
    return tuple((start, int(ts[0]) + 1 if len(ts) else end) for (start, end), ts in zip(halts, after, strict=True))


def _last_change(prices: Int64s) -> Int64s:
    """For each event the one at which the price became what it is."""
    moved = np.diff(prices, prepend=prices[:1] - 1) != 0
    return np.maximum.accumulate(np.where(moved, np.arange(len(prices)), 0))


def _during(since_open: Int64s, incident: Incident | None) -> Flags:
    if incident is None:
        return np.zeros(len(since_open), np.bool_)
    return (since_open >= incident.start) & (since_open < incident.start + incident.length)
