"""When a replayed order fills: at entry, by a quote, and by a print, under each fill model; compiled by numba.

The rules are those of the simulated exchange (`exchange.matching.fill_rules`); a test holds the two together.
"""

from enum import IntEnum
from typing import Final, NamedTuple

from repeg_workbench.replay.side_tape import ABSENT, NEVER, SideTape

ONE_LOT: Final = 100
"""A level behind the touch, which a recording of the touch does not show, holds at least this many shares."""

_LEVELS_PER_SPREAD: Final = 3


class Model(IntEnum):
    """How a resting order fills.

    TRADE_THROUGH: only by trades or quotes through the limit. QUEUE: at the limit, by prints on the venue that was
    joined, after the shares displayed there first. TOUCH: by anything that reaches the limit. ODD_LOT: as
    TRADE_THROUGH, and the order is not displayed.
    """

    TRADE_THROUGH = 0
    QUEUE = 1
    TOUCH = 2
    ODD_LOT = 3


class Child(NamedTuple):
    """A resting order: its limit times the side, shares left (0: none), shares ahead, venue, and when it entered."""

    limit: int
    shares: int
    ahead: int
    venue: int
    entered: int


class Taken(NamedTuple):
    """Shares that we took from the far side at a price; the tape goes on displaying them, though they are gone."""

    price: int
    shares: int


class Tally(NamedTuple):
    """What was filled: shares resting and taken, price times shares, spread times taken shares, and the last time."""

    rested: int
    taken: int
    paid: int
    spread_paid: int
    at: int


def nothing() -> Child:
    """No resting order."""
    return Child(0, 0, NEVER, 0, 0)


def no_longer(child: Child) -> Child:
    """The child after its end: only its limit is remembered."""
    return Child(child.limit, 0, NEVER, 0, child.entered)


def level_gap(tape: SideTape, row: int, tick: int) -> int:
    """The distance to the level behind the far side: a third of the spread and at least a tick."""
    near, far = tape.near[row], tape.far[row]
    ticks = 0 if near == -ABSENT or far == ABSENT else (far - near) // tick
    return tick * max(1, (ticks + 1) // _LEVELS_PER_SPREAD)


def enter(
    tape: SideTape, row: int, now: int, order: Child, taken: Taken, tally: Tally, tick: int
) -> tuple[Child, Taken, Tally]:
    """Trade the marketable part of an order that arrives under this quote row, level by level; the rest rests."""
    far, near = tape.far[row], tape.near[row]
    if far > order.limit or far == ABSENT:
        return _rest(tape, row, now, order), taken, tally
    shares, price, gap = order.shares, far, level_gap(tape, row, tick)
    gone = taken.shares if taken.price == far else 0
    level = max(0, tape.far_size[row] - gone)
    spread = far - near if near != -ABSENT else 0
    while shares > 0 and price <= order.limit:
        part = min(shares, level)
        if part > 0:
            tally = Tally(
                tally.rested, tally.taken + part, tally.paid + part * price, tally.spread_paid + part * spread, now
            )
            shares -= part
            if price == far:
                taken = Taken(far, gone + part)
        price += gap
        level = max(tape.far_size[row], ONE_LOT)
    return _rest(tape, row, now, Child(order.limit, shares, NEVER, 0, now)), taken, tally


def _rest(tape: SideTape, row: int, now: int, order: Child) -> Child:
    near = tape.near[row]
    if near > order.limit:
        return Child(order.limit, order.shares, NEVER, 0, now)
    ahead = tape.near_size[row] if near == order.limit else 0
    return Child(order.limit, order.shares, ahead, tape.near_venue[row], now)


def meet_quote(
    tape: SideTape, row: int, child: Child, taken: Taken, tally: Tally, model: int
) -> tuple[Child, Taken, Tally]:
    """Apply a quote row to a resting order: its queue changes, and a far side that reaches it trades with it."""
    near, far = tape.near[row], tape.far[row]
    taken = _still_taken(tape, row, taken)
    child = _queue_after(tape, row, child)
    if not _is_met(model, child.limit, near, far):
        return child, taken, tally
    gone = taken.shares if taken.price == far else 0
    part = min(child.shares, max(0, tape.far_size[row] - gone))
    if part > 0:
        taken = Taken(far, gone + part)
        child, tally = _fill(child, tally, part, tape.ts[row])
    return child, taken, tally


def _is_met(model: int, limit: int, near: int, far: int) -> bool:
    if far == ABSENT:
        return False
    if model == Model.TOUCH:
        return far <= limit
    if model == Model.QUEUE:
        return far < limit or (far == limit and near < limit)
    return far < limit


def _still_taken(tape: SideTape, row: int, taken: Taken) -> Taken:
    """What we took is gone until the price changes, and a smaller size at that price is a smaller part of it."""
    if taken.shares == 0 or tape.far[row] != taken.price:
        return Taken(0, 0)
    shrunk = max(0, tape.far_size[row - 1] - tape.far_size[row]) if row > 0 else 0
    return Taken(taken.price, max(0, taken.shares - shrunk))


def _queue_after(tape: SideTape, row: int, child: Child) -> Child:
    near = tape.near[row]
    venue = child.venue
    if venue == 0 and near <= child.limit:
        venue = tape.near_venue[row]
    ahead = child.ahead
    if near < child.limit:
        ahead = 0
    elif near == child.limit:
        ahead = min(ahead, tape.near_size[row])
    return Child(child.limit, child.shares, ahead, venue, child.entered)


def meet_print(tape: SideTape, index: int, child: Child, tally: Tally, model: int) -> tuple[Child, Tally]:
    """Apply a print to a resting order."""
    price, volume = tape.print_price[index], tape.print_size[index]
    if price > child.limit:
        return child, tally
    if price == child.limit:
        if model in (Model.TRADE_THROUGH, Model.ODD_LOT):
            return child, tally
        if model == Model.QUEUE:
            theirs = tape.print_venue[index]
            if not tape.hits_us[index] or (theirs not in (0, child.venue) and child.venue != 0):
                return child, tally
            served = min(child.ahead, volume)
            left = NEVER if child.ahead == NEVER else child.ahead - served
            child = Child(child.limit, child.shares, left, child.venue, child.entered)
            volume -= served
    part = min(child.shares, volume)
    return _fill(child, tally, part, tape.print_ts[index]) if part > 0 else (child, tally)


def _fill(child: Child, tally: Tally, part: int, at: int) -> tuple[Child, Tally]:
    paid = tally.paid + part * child.limit
    left = Child(child.limit, child.shares - part, child.ahead, child.venue, child.entered)
    return left, Tally(tally.rested + part, tally.taken, paid, tally.spread_paid, at)


def advance(
    tape: SideTape, row: int, index: int, until: int, child: Child, taken: Taken, tally: Tally, model: int
) -> tuple[int, int, Child, Taken, Tally]:
    """Apply every quote row and print up to and including `until`; returns the new row in force and next print."""
    rows, prints = len(tape.ts), len(tape.print_ts)
    while True:
        next_row = tape.ts[row + 1] if row + 1 < rows else NEVER
        next_print = tape.print_ts[index] if index < prints else NEVER
        if next_row > until and next_print > until:
            return row, index, child, taken, tally
        if next_print <= next_row:
            if child.shares > 0:
                child, tally = meet_print(tape, index, child, tally, model)
            index += 1
        else:
            row += 1
            if child.shares > 0:
                child, taken, tally = meet_quote(tape, row, child, taken, tally, model)
            else:
                taken = _still_taken(tape, row, taken)
