"""Draws the times at which orders arrive."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from repeg_workbench.exchange.market.symbol_day import Int64s
from repeg_workbench.replay.cleaning import CleanDay
from repeg_workbench.replay.state import SECOND

MARGIN: Final = 300 * SECOND
"""Nothing arrives in the first five minutes of the session, and nothing is worked in its last five."""

_DRAWS_PER_ARRIVAL: Final = 20


@dataclass(frozen=True)
class Draw:
    """How many arrivals to draw on a day, and for how many seconds after each the tape must go on."""

    arrivals: int
    seconds: int
    seed: int


def draw_arrivals(clean: CleanDay, draw: Draw) -> Int64s:
    """Sorted times in nanoseconds with a tradable book and no gap until the order is done; fewer where room is short.

    They depend on the seed, the symbol and the day alone.
    """
    earliest, latest = clean.opens + MARGIN, clean.closes - MARGIN - draw.seconds * SECOND
    if latest <= earliest:
        return np.empty(0, np.int64)
    words = [draw.seed, clean.day.day.toordinal(), *clean.day.symbol.encode()]
    candidates = np.random.default_rng(words).integers(earliest, latest, _DRAWS_PER_ARRIVAL * draw.arrivals)
    usable = candidates[_has_book(clean, candidates) & ~_meets_gap(clean, candidates, draw.seconds * SECOND)]
    return np.sort(usable[: draw.arrivals])


def _has_book(clean: CleanDay, times: Int64s) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    quotes = clean.day.quotes
    row = quotes.ts.searchsorted(times, side="right") - 1
    bid, ask = quotes.bid[np.maximum(row, 0)], quotes.ask[np.maximum(row, 0)]
    return (row >= 0) & (bid > 0) & (ask > bid)


def _meets_gap(clean: CleanDay, times: Int64s, length: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    meets = np.zeros(len(times), np.bool_)
    for start, end in (*clean.gaps, *clean.day.halts):
        meets |= (times < end) & (times + length >= start)
    return meets
