"""A symbol's day prepared for matching: its tradable quotes and prints, from either side of the book."""

from bisect import bisect_right
from functools import cached_property
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np

from repeg_workbench.exchange.market.symbol_day import Int8s, Int64s, Letters, SymbolDay, Trades, inside
from repeg_workbench.exchange.units import QTY_SCALE, tick_at

ABSENT: Final = 1 << 62
"""The oriented price of an absent side: beyond every limit."""

HITS_US: Final = -1
"""The aggressor times our side, if the other party took from our side of the book."""

_LEVELS_PER_SPREAD: Final = 3


class Tape:
    """One day's quotes and lit prints outside its halts, in one order of events.

    A print comes before a quote row of the same time: it met the quote that the row replaced.
    """

    def __init__(self, day: SymbolDay) -> None:
        self.halts = day.halts
        self.quotes = day.quotes.where(~inside(day.quotes.ts, day.halts))
        self.trades = day.trades.where(~inside(day.trades.ts, day.halts))
        self._outlooks: dict[int, Outlook] = {}
        self._stamps = self.quotes.ts.data  # which Python searches for one number faster than numpy

    @cached_property
    def prints(self) -> Trades:
        """The lit prints: those that could have met a displayed order."""
        return self.trades.where(self.trades.lit)

    @cached_property
    def row_before(self) -> Int64s:
        """For every lit print, the quote row in force at the time, -1 before the first."""
        return self.quotes.ts.searchsorted(self.prints.ts, side="left").astype(np.int64) - 1

    @cached_property
    def aggressor(self) -> Int8s:
        """For every lit print, the side that took liquidity; inferred from the quote if the recording has none."""
        return np.where(self.prints.side == 0, self._inferred_aggressor(), self.prints.side).astype(np.int8)

    def row_at(self, ts: int) -> int:
        """The quote row in force at that instant, -1 before the first."""
        return bisect_right(self._stamps, ts) - 1

    def prints_until(self, ts: int) -> int:
        """How many lit prints there are up to and including that instant."""
        return int(self.prints.ts.searchsorted(ts, side="right"))

    def is_halted(self, ts: int) -> bool:
        """Whether trading is halted at that instant, or has not had its first quote after a halt."""
        return any(start <= ts and (ts < end or self._quoted_at(ts) < start) for start, end in self.halts)

    def outlook(self, side: int) -> "Outlook":
        """The day from the point of view of a side's orders; built on first use, as it is as large as the day."""
        if side not in self._outlooks:
            self._outlooks[side] = Outlook(self, side)
        return self._outlooks[side]

    def _quoted_at(self, ts: int) -> int:
        row = self.row_at(ts)
        return int(self.quotes.ts[row]) if row >= 0 else -ABSENT

    def _inferred_aggressor(self) -> Int8s:
        # The quote rule, then the midpoint rule; a print at both bid and ask, or at the mid, stays unknown.
        if not len(self.quotes):
            return np.zeros(len(self.prints), np.int8)
        row = np.maximum(self.row_before, 0)
        bid, ask = self.quotes.bid[row], self.quotes.ask[row]
        has_bid, has_ask = (bid > 0) & (self.row_before >= 0), (ask > 0) & (self.row_before >= 0)
        price, both = self.prints.price, has_bid & has_ask
        twice_past_mid = np.where(both, 2 * price - bid - ask, 0)
        bought = (has_ask & (price >= ask)) | (twice_past_mid > 0)
        sold = (has_bid & (price <= bid)) | (twice_past_mid < 0)
        return bought.astype(np.int8) - sold.astype(np.int8)


_tapes: WeakKeyDictionary[SymbolDay, Tape] = WeakKeyDictionary()


def tape_of(day: SymbolDay) -> Tape:
    """The day's tape, shared by all books of the day and kept as long as the day itself."""
    if day not in _tapes:
        _tapes[day] = Tape(day)
    return _tapes[day]


class Outlook:
    """The day from one side's point of view: prices times the side, so that near < far and lower is better to buy.

    near is the side of the book the order joins, far the side it takes from. An absent near side is -ABSENT, an
    absent far side +ABSENT. Sizes stay in shares.
    """

    def __init__(self, tape: Tape, side: int) -> None:
        quotes = tape.quotes
        self.side = side
        self.near, self.far = _in_order(side, _oriented(quotes.bid, side, -ABSENT), _oriented(quotes.ask, side, ABSENT))
        self.near_size, self.far_size = _in_order(side, quotes.bid_size, quotes.ask_size)
        self.near_venue: Letters = quotes.bid_venue if side > 0 else quotes.ask_venue
        self.print_price: Int64s = tape.prints.price * side
        self.aggressor: Int8s = tape.aggressor * np.int8(side)

    @cached_property
    def far_unlocked(self) -> Int64s:
        """The far prices, one unit farther in a locked market, where no queued order fills."""
        is_locked = self.near >= self.far
        return np.where(is_locked, self.far + 1, self.far) if is_locked.any() else self.far

    @cached_property
    def sold_to_us(self) -> Int64s:
        """The print prices, one unit farther if the other party did not take from our side."""
        return np.where(self.aggressor == HITS_US, self.print_price, self.print_price + 1)

    @cached_property
    def far_run(self) -> Int64s:
        """A number per row that increases whenever the far price changes."""
        return np.concatenate(([0], np.cumsum(self.far[1:] != self.far[:-1])))

    @cached_property
    def far_shrunk(self) -> Int64s:
        """Per row, the cumulative decrease in shares of the far side at an unchanged price."""
        same = self.far[1:] == self.far[:-1]
        shrinking = np.maximum(self.far_size[:-1] - self.far_size[1:], 0)
        return np.concatenate(([0], np.cumsum(shrinking * same)))

    def next_level(self, row: int) -> int:
        """The level behind the far side: a third of the spread away and at least a tick, as observed in full books."""
        near, far = self.near.item(row), self.far.item(row)
        tick = tick_at(abs(far))
        ticks = 0 if near == -ABSENT else (far - near) // tick
        gap = tick * max(1, (ticks + 1) // _LEVELS_PER_SPREAD)
        return far + gap if self.side > 0 else min(far + gap, -1)


class Scan:
    """Finds the positions whose price is at or below a level, in order, by blocks of growing size."""

    __slots__ = ("_block", "_found", "_prices", "_scanned", "level")

    _FIRST_BLOCK = 256
    _LAST_BLOCK = 32_768

    def __init__(self, prices: Int64s, level: int, start: int) -> None:
        self._prices, self.level, self._scanned = prices, level, start
        self._block = self._FIRST_BLOCK
        self._found: list[int] = []

    def first(self, start: int) -> int:
        """The first such position from start on; the number of prices if there is none."""
        while True:
            while self._found and self._found[-1] < start:
                self._found.pop()
            if self._found:
                return self._found[-1]
            if self._scanned >= len(self._prices):
                return len(self._prices)
            self._scan_block(max(start, self._scanned))

    def _scan_block(self, begin: int) -> None:
        hits = np.flatnonzero(self._prices[begin : begin + self._block] <= self.level)
        self._found = (hits[::-1] + begin).tolist()
        self._scanned = begin + self._block
        self._block = min(2 * self._block, self._LAST_BLOCK)


def shares(count: int) -> int:
    """Whole shares as quantity units."""
    return count * QTY_SCALE


def _oriented(prices: Int64s, side: int, absent: int) -> Int64s:
    """Prices times the side, with absent ones beyond all others; the same array if nothing changes."""
    is_there = prices > 0
    if is_there.all():
        return prices if side > 0 else -prices
    return np.where(is_there, prices, absent) * side


def _in_order(side: int, bids: Int64s, asks: Int64s) -> tuple[Int64s, Int64s]:
    return (bids, asks) if side > 0 else (asks, bids)
