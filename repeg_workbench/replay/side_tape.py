"""A day from one side: its quotes and prints as orders of that side see them, in arrays for compiled code."""

from typing import Final, NamedTuple

import numpy as np

from repeg_workbench.exchange.market.symbol_day import Flags, Int64s, Letters, SymbolDay
from repeg_workbench.exchange.matching.tape import ABSENT, HITS_US, tape_of

NEVER: Final = 1 << 62
"""A time after every event, and a queue that is never served."""

__all__ = ["ABSENT", "NEVER", "SideTape", "side_tape"]


class SideTape(NamedTuple):
    """One side's view: prices times the side, so that `near` is the price to join, `far` the one to take, near < far.

    Times in nanoseconds, prices in price units, sizes in shares; an absent near side is -ABSENT, an absent far side
    ABSENT. A print comes before a quote row of the same time: it met the quote that the row replaced. `hits_us` marks
    prints whose aggressor took from our side of the book. Only lit prints are here.
    """

    side: int
    ts: Int64s
    near: Int64s
    near_size: Int64s
    near_venue: Letters
    far: Int64s
    far_size: Int64s
    print_ts: Int64s
    print_price: Int64s
    print_size: Int64s
    print_venue: Letters
    hits_us: Flags


def side_tape(day: SymbolDay, side: int) -> SideTape:
    """The day from the side of a buy (+1) or a sell (-1)."""
    tape = tape_of(day)
    outlook = tape.outlook(side)
    return SideTape(
        side=side,
        ts=tape.quotes.ts,
        near=outlook.near,
        near_size=outlook.near_size,
        near_venue=outlook.near_venue,
        far=outlook.far,
        far_size=outlook.far_size,
        print_ts=tape.prints.ts,
        print_price=outlook.print_price,
        print_size=tape.prints.size,
        print_venue=tape.prints.venue,
        hits_us=np.asarray(outlook.aggressor == HITS_US, np.bool_),
    )
