"""A replayed order: what it is replayed with, where it stands between two looks, and what it remembers."""

from typing import Final, NamedTuple

from repeg_workbench.exchange.market.symbol_day import Int64s
from repeg_workbench.replay.filling import Child, Taken, Tally

SECOND: Final = 1_000_000_000


class Task(NamedTuple):
    """What one order is replayed with: its arrival, shares, latency, fill model, tick, round lot, and when its trading
    window opened. Times are in nanoseconds."""

    arrival: int
    shares: int
    latency: int
    model: int
    tick: int
    lot: int
    opens: int


class State(NamedTuple):
    """A replayed order between two looks: the place on the tape, its child, and what has been done so far.

    `unfilled` are the orders sent since one was filled, `known` the child's shares as last read from the broker, `read`
    when that was, and `changed` when our orders last changed what is displayed; both in nanoseconds. `near` and `far`
    are the best prices of the book that the child was sent on; 0 where no book was looked at.
    """

    row: int
    next_print: int
    child: Child
    taken: Taken
    tally: Tally
    rung: int
    moves: int
    sent: int
    unfilled: int
    cancelled: int
    looks: int
    known: int
    read: int
    changed: int
    near: int
    far: int


class Memory(NamedTuple):
    """The latest spreads that were sampled, newest last, in ticks; how many, when the last was, and their median."""

    spreads: Int64s
    known: int
    at: int
    usual: int
