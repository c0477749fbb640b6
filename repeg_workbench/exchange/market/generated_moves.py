"""The price path of a generated day: the opening price, the moves, and the decay of the opening's volatility."""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import isqrt
from typing import Final

import numpy as np

from repeg_workbench.exchange.market.generated_dice import BITS, Dice, Words, pick
from repeg_workbench.exchange.market.generated_regimes import Instrument
from repeg_workbench.exchange.market.symbol_day import Int64s, Letters
from repeg_workbench.exchange.units import tick_at

PERMILLE: Final = 1_000

# Decay of the opening's violence: elapsed thousandths of calm_after, and remaining thousandths of the violence.
_DECAY: Final = ((0, 1_000), (167, 560), (500, 220), (1_000, 0))
_PRE_OPEN_SPREAD: Final = 1_200

_LIT_VENUES: Final = {"NASDAQ": "TTTTTTTKKPPZZZVN", "ARCA": "PPPPPPTTTTKKZZZV"}
_LIT_VENUES_ELSEWHERE: Final = "NNNNNNTTTTPPKKZZ"


@dataclass(frozen=True)
class Rows:
    """The updates: their times, the price move each belongs to, and their draws."""

    ts: Int64s
    since_open: Int64s
    move: Int64s
    words: Words


@dataclass(frozen=True)
class Moves:
    """The price moves: bid, ask, venues and direction after each."""

    bid: Int64s
    ask: Int64s
    direction: Int64s
    bid_venue: Letters
    ask_venue: Letters


class Calming:
    """The violence of an opening and its decay."""

    def __init__(self, calm_after: int) -> None:
        self._by_second = _decay(calm_after)

    def violence(self, since_open: Int64s) -> Int64s:
        """The remaining violence at each of these seconds since the open, in thousandths."""
        left: Int64s = self._by_second[np.clip(since_open, 0, len(self._by_second) - 1)]
        return left


class MoveMaker:
    """Draws one instrument's price moves for one day and seed, at this many updates an hour."""

    def __init__(self, instrument: Instrument, name: tuple[int, str, date], updates: int, calming: Calming) -> None:
        self._instrument, self._regime = instrument, instrument.regime
        self._name, self._updates, self._calming = name, updates, calming
        self.venues = lit_venues(instrument)

    def make(self, rows: Rows) -> Moves:
        """One move for each number in rows.move."""
        first_rows = np.flatnonzero(np.diff(rows.move, prepend=-1))
        since_open = rows.since_open[first_rows]
        violence = self._calming.violence(since_open)
        words, more = (Dice(*self._name, what).words(len(first_rows)) for what in ("moves", "spreads"))
        direction = _directions(words.draw(0), self._regime.bounce)
        center = self._center(direction, words.draw(1), violence)
        tick = tick_at(self._instrument.price)
        spread = self._spreads(more, violence, since_open) * tick
        bid = np.maximum(tick, (center - spread // 2) // tick * tick)
        venues = [pick(self.venues, words.draw(which)).astype(np.uint8) for which in (2, 3)]
        return Moves(bid, bid + spread, direction, venues[0], venues[1])

    def _center(self, direction: Int64s, draws: Int64s, violence: Int64s) -> Int64s:
        tick = tick_at(self._instrument.price)
        jump = self._jump()
        size = np.full(len(direction), tick)
        if jump:
            size = (1 + (draws * (2 * jump) >> BITS)) * raised(self._regime.opening_jumps, violence) // 100
        opening = opening_price(self._name[0], self._instrument, self._name[2]) // tick * tick + tick // 2
        center: Int64s = np.maximum(opening + np.cumsum(direction * size), 4 * tick)
        return center

    def _jump(self) -> int:
        """The mean move in price units that results in the regime's volatility at its number of moves."""
        per_minute = self._instrument.price * self._regime.volatility // 1_000_000
        moves_per_hour = min(self._regime.moves, self._updates // 2)
        return isqrt(3 * 60 * per_minute * per_minute // (4 * max(1, moves_per_hour)))

    def _spreads(self, words: Words, violence: Int64s, since_open: Int64s) -> Int64s:
        fresh = words.draw(0) >= self._regime.spread_hold << 8
        fresh[0] = True
        held = np.maximum.accumulate(np.where(fresh, np.arange(len(fresh)), 0))
        ticks = pick(np.array(self._regime.spreads, np.int64), words.draw(1)[held])
        widened = np.where(since_open < 0, _PRE_OPEN_SPREAD, raised(self._regime.opening_spread, violence))
        return (ticks * widened + (words.draw(2) * 100 >> BITS)) // 100


def opening_price(seed: int, instrument: Instrument, day: object) -> int:
    """The day's opening price, within one percent of the instrument's price."""
    room = instrument.price // 100
    return instrument.price - room + Dice(seed, instrument.listing.symbol, day, "opening").below(2 * room + 1)


def lit_venues(instrument: Instrument) -> Int64s:
    """The letters of the venues that quote the instrument, repeated in proportion to their share."""
    letters = _LIT_VENUES.get(instrument.listing.exchange, _LIT_VENUES_ELSEWHERE)
    return np.array([ord(letter) for letter in letters], np.int64)


def raised(peak: int, violence: Int64s) -> Int64s:
    """A percentage from 100 in quiet times to `peak` at full violence."""
    return 100 + (peak - 100) * violence // PERMILLE


def _directions(draws: Int64s, bounce: int) -> Int64s:
    return 1 - 2 * (np.cumsum(draws < bounce << 8) & 1)


def _decay(calm_after: int) -> Int64s:
    """The remaining violence in thousandths, by second since the open."""
    left = [np.zeros(1, np.int64)]
    for (start, high), (end, low) in pairwise(_DECAY):
        seconds = np.arange((end - start) * calm_after // PERMILLE)
        left.append(high + (low - high) * seconds // max(1, len(seconds)))
    return np.concatenate([*left[1:], left[0]])
