"""Generates one symbol's day: update times, quotes with queue sizes, and prints, in integer arithmetic only."""

from typing import Final

import numpy as np

from repeg_workbench.exchange.market.generated_dice import BITS, ONE, Dice, Words, pick
from repeg_workbench.exchange.market.generated_moves import PERMILLE, Calming, MoveMaker, Moves, Rows, raised
from repeg_workbench.exchange.market.generated_regimes import Incident, Instrument
from repeg_workbench.exchange.market.symbol_day import Flags, Int64s, Quotes, Spans, SymbolDay, Trades, inside
from repeg_workbench.exchange.time.calendar import NANOSECONDS, Session, nanoseconds

_HOUR: Final = 3_600 * NANOSECONDS
_BEFORE_OPEN: Final = 300
_MEAN_CUBE: Final = 4
"""The mean of a cubed uniform draw is 1/4, so gaps come in bursts and none exceeds four times their mean."""

# Updates come fastest at the open and again before the close: seconds from the open, or from the close, and percent.
_FROM_OPEN: Final = ((-_BEFORE_OPEN, 10), (0, 250), (300, 170), (900, 130), (1_800, 90))
_FROM_CLOSE: Final = ((-1_800, 140),)

_OFF_EXCHANGE: Final = ord("D")


class DayMaker:
    """Generates one instrument's day for one session and seed. activity is in thousandths of the measured rates.

    As in the recordings, 5 of 16 prints are off exchange and 8 on the venue whose quote they hit.
    """

    def __init__(self, instrument: Instrument, session: Session, seed: int, activity: int) -> None:
        self._instrument, self._regime = instrument, instrument.regime
        self._open, self._close = nanoseconds(session.open), nanoseconds(session.close)
        self._day = session.day
        self._name = (seed, instrument.listing.symbol, session.day)
        self._updates = max(1, self._regime.updates * activity // PERMILLE)
        self._calming = Calming(self._regime.calm_after)
        self._move_maker = MoveMaker(instrument, self._name, self._updates, self._calming)

    def make(self) -> SymbolDay:
        """The whole day, from five minutes before the open to the close."""
        rows = self._rows()
        moves = self._move_maker.make(rows)
        quotes = self._quotes(rows, moves)
        trades = self._trades(rows, moves, quotes)
        halts = self._halts()
        quotes, trades = quotes.where(~inside(quotes.ts, halts)), trades.where(~inside(trades.ts, halts))
        return SymbolDay(self._instrument.listing.symbol, self._day, quotes, trades, halts)

    def _dice(self, what: str) -> Dice:
        return Dice(*self._name, what)

    def _rows(self) -> Rows:
        ts, words = self._arrivals()
        since_open = (ts - self._open) // NANOSECONDS
        violence = self._calming.violence(since_open)
        chance = min(ONE // 2, ONE * self._regime.moves // self._updates)
        chances = chance * raised(self._regime.opening_moves, violence) // 100
        is_move = words.draw(1) < chances
        # The open always has a new quote, so that no earlier one stays in force.
        is_move[[0, min(int((since_open < 0).sum()), len(ts) - 1)]] = True
        return Rows(ts, since_open, np.cumsum(is_move) - 1, words)

    def _arrivals(self) -> tuple[Int64s, Words]:
        starts, paces = self._pace()
        lengths = np.diff(starts) * paces // 100
        busy: Int64s = np.concatenate(([0], np.cumsum(lengths)))
        mean_gap = _HOUR // self._updates
        words = self._dice("updates").words(int(busy[-1]) // mean_gap * 21 // 20 + 64)
        elapsed: Int64s = np.cumsum(_cubed(words.draw(0)) * (mean_gap * _MEAN_CUBE >> 8) >> BITS - 8)
        elapsed -= elapsed[0]
        count = int(elapsed.searchsorted(busy[-1]))
        elapsed = elapsed[:count]
        phase = busy.searchsorted(elapsed, side="right") - 1
        ts: Int64s = starts[phase] + (elapsed - busy[phase]) * 100 // paces[phase]
        return ts, words.first(count)

    def _pace(self) -> tuple[Int64s, Int64s]:
        from_open = [(self._open + second * NANOSECONDS, pace) for second, pace in _FROM_OPEN]
        from_close = [(self._close + second * NANOSECONDS, pace) for second, pace in _FROM_CLOSE]
        starts = [start for start, _ in from_open + from_close]
        paces = [pace for _, pace in from_open + from_close]
        return np.array([*starts, self._close], np.int64), np.array(paces, np.int64)

    def _quotes(self, rows: Rows, moves: Moves) -> Quotes:
        bid, ask = moves.bid[rows.move], moves.ask[rows.move]
        no_bid, no_ask = self._missing(rows)
        bid_size, ask_size = self._queue("bids", rows), self._queue("asks", rows)
        return Quotes(
            rows.ts,
            np.where(no_bid, 0, bid),
            np.where(no_bid, 0, bid_size),
            np.where(no_ask, 0, ask),
            np.where(no_ask, 0, ask_size),
            moves.bid_venue[rows.move],
            moves.ask_venue[rows.move],
        )

    def _missing(self, rows: Rows) -> tuple[Flags, Flags]:
        # Before the open, one side is sometimes missing.
        early = rows.since_open < 0
        whim = rows.words.draw(3)
        no_bid, no_ask = early & (whim < ONE // 8), early & (whim >= ONE - ONE // 8)
        return no_bid, no_ask | _during(rows.since_open, self._instrument.one_sided)

    def _queue(self, what: str, rows: Rows) -> Int64s:
        # A level's queue drifts between drawn sizes; a price move starts with a new queue.
        length = self._regime.queue_rows
        place = np.arange(len(rows.ts)) + rows.move * (length + length // 2 + 1)
        anchors = self._dice(what).words((int(place[-1]) // length + 2) // 4 + 1)
        sizes = pick(np.array(self._regime.sizes, np.int64), np.stack([anchors.draw(n) for n in range(4)], 1).ravel())
        if length == 1:
            return np.take(sizes, place)
        before = place // length
        part = place - before * length
        drifted: Int64s = (sizes[before] * (length - part) + sizes[before + 1] * part) // length
        return drifted // 100 * 100

    def _halts(self) -> Spans:
        halt = self._instrument.halt
        if halt is None:
            return ()
        start = self._open + halt.start * NANOSECONDS
        return ((start, start + halt.length * NANOSECONDS),)

    def _trades(self, rows: Rows, moves: Moves, quotes: Quotes) -> Trades:
        standing = self._traded_rows(rows, quotes)
        words, more = self._dice("trades").words(len(standing)), self._dice("prints").words(len(standing))
        side = self._aggressors(rows, moves, standing, words.draw(0))
        kind = more.draw(0) >> BITS - 4
        off = kind < 5
        bought = side > 0
        touch = np.where(bought, quotes.ask[standing], quotes.bid[standing])
        shown = np.where(bought, quotes.ask_size[standing], quotes.bid_size[standing])
        venue = np.where(bought, quotes.ask_venue[standing], quotes.bid_venue[standing])
        elsewhere = pick(self._move_maker.venues, more.draw(1))
        size = pick(np.array(self._regime.trade_sizes, np.int64), words.draw(1))
        silent = off | (more.draw(2) < ONE // 16)
        return Trades(
            ts=self._print_times(rows, standing, words.draw(2)),
            price=np.where(off, touch - side * self._improvement(quotes, standing, more.draw(3)), touch),
            size=np.where(off, size, np.minimum(size, np.maximum(shown, 1))),
            side=np.where(silent, 0, side).astype(np.int8),
            venue=np.where(off, _OFF_EXCHANGE, np.where(kind < 13, venue, elsewhere)).astype(np.uint8),
            lit=~off,
        )

    def _traded_rows(self, rows: Rows, quotes: Quotes) -> Int64s:
        chance = min(ONE - 1, ONE * self._regime.trades // self._updates)
        both = (quotes.bid > 0) & (quotes.ask > quotes.bid) & (rows.since_open >= 0) & ~inside(rows.ts, self._halts())
        lasting = np.diff(rows.ts, append=rows.ts[-1:]) > 0
        return np.flatnonzero(both & lasting & (rows.words.draw(2) < chance))

    def _aggressors(self, rows: Rows, moves: Moves, standing: Int64s, draws: Int64s) -> Int64s:
        # The aggressor is right about the next move 5 times out of 8.
        following = moves.direction[np.minimum(rows.move[standing] + 1, len(moves.direction) - 1)]
        return np.where(draws < ONE * 5 // 8, following, -following)

    def _print_times(self, rows: Rows, standing: Int64s, draws: Int64s) -> Int64s:
        # After the quote that the print hits, and no later than the next one.
        gap = rows.ts[standing + 1] - rows.ts[standing]
        return rows.ts[standing] + 1 + ((gap - 1) * (draws >> 8) >> 8)

    def _improvement(self, quotes: Quotes, standing: Int64s, draws: Int64s) -> Int64s:
        """The price improvement of an off-exchange print: up to a quarter of the spread, in price units."""
        return (quotes.ask[standing] - quotes.bid[standing]) * draws >> BITS + 2


def _cubed(draws: Int64s) -> Int64s:
    return (draws * draws >> BITS) * draws >> BITS


def _during(since_open: Int64s, incident: Incident | None) -> Flags:
    if incident is None:
        return np.zeros(len(since_open), np.bool_)
    return (since_open >= incident.start) & (since_open < incident.start + incident.length)
