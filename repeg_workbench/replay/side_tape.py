"""A replay's tape from one side: its quotes and prints as orders of that side see them, for compiled code."""

from typing import Final, NamedTuple

import numpy as np

from repeg_workbench.exchange.market.symbol_day import Flags, Int64s
from repeg_workbench.exchange.matching.tape import ABSENT, HITS_US
from repeg_workbench.replay.tape import ReplayTape

NEVER: Final = ABSENT
"""A time after every event, and a queue that is never served."""

__all__ = ["ABSENT", "NEVER", "SideTape", "Tapes", "consolidated", "side_tape"]


class SideTape(NamedTuple):
    """One side's view: prices times the side, so that `near` is the price to join, `far` the one to take, near < far.

    Times in nanoseconds, prices in price units, sizes in shares; an absent near side is -ABSENT, an absent far side
    ABSENT. A print comes before a quote row of the same time. `hits_us` marks prints whose aggressor took from our
    side of the book.
    """

    ts: Int64s
    near: Int64s
    near_size: Int64s
    near_venue: Int64s
    far: Int64s
    far_size: Int64s
    print_ts: Int64s
    print_price: Int64s
    print_size: Int64s
    print_venue: Int64s
    hits_us: Flags


class Tapes(NamedTuple):
    """What an order meets, and what its feed shows of it: the same, with our own orders, unless `is_alone`.

    With `is_alone` the feed is that of a single venue, on which our orders never are.
    """

    market: SideTape
    shown: SideTape
    is_alone: bool


def consolidated(tape: SideTape) -> Tapes:
    """The tapes of a feed that shows the market in which orders fill."""
    return Tapes(tape, tape, False)  # noqa: FBT003 - a named tuple's field


def side_tape(tape: ReplayTape, side: int) -> SideTape:
    """The day from the side of a buy (+1) or a sell (-1)."""
    bid = np.where(tape.bid > 0, tape.bid, -ABSENT)
    ask = np.where(tape.ask > 0, tape.ask, ABSENT)
    bids, asks = (bid * side, tape.bid_size, tape.bid_venue), (ask * side, tape.ask_size, tape.ask_venue)
    (near, near_size, near_venue), (far, far_size, _) = (bids, asks) if side > 0 else (asks, bids)
    return SideTape(
        ts=tape.ts,
        near=near,
        near_size=near_size,
        near_venue=near_venue.astype(np.int64),
        far=far,
        far_size=far_size,
        print_ts=tape.print_ts,
        print_price=tape.print_price * side,
        print_size=tape.print_size,
        print_venue=tape.print_venue.astype(np.int64),
        hits_us=tape.print_side * side == HITS_US,
    )
