"""What a replayed order is shown, and whether it acts on it; compiled by numba."""

from typing import Final

import numpy as np

from repeg.domain.look import Answer, Book, Why
from repeg_workbench.replay.filling import Model, level_gap
from repeg_workbench.replay.peers import Style
from repeg_workbench.replay.plans import Kind, Plan
from repeg_workbench.replay.side_tape import ABSENT, SideTape, Tapes
from repeg_workbench.replay.state import SECOND, State, Task

_MILLION: Final = 1_000_000


def seen(tapes: Tapes, task: Task, state: State, now: int) -> Book:
    """The book as the feed shows it: with our order where it is displayed, without what we have taken."""
    if tapes.is_alone:
        row = row_at(tapes.shown, now)
        shown = tapes.shown
        return Book(shown.near[row], shown.near_size[row], shown.far[row], shown.far_size[row], task.tick)
    tape = tapes.market
    near, near_size = tape.near[state.row], tape.near_size[state.row]
    far, far_size = tape.far[state.row], tape.far_size[state.row]
    child = state.child
    if child.shares > 0 and task.model != Model.ODD_LOT:
        if child.limit > near:
            near, near_size = child.limit, child.shares
        elif child.limit == near:
            near_size += child.shares
    if state.taken.shares > 0 and state.taken.price == far:
        if state.taken.shares < far_size:
            far_size -= state.taken.shares
        else:
            far += level_gap(tape, state.row, task.tick)
    return Book(near, near_size, far, far_size, task.tick)


def may_trade(tapes: Tapes, plan: Plan, state: State, book: Book, now: int) -> bool:
    """The quote check of the deployed functions; a peer trades on any book that has two sides."""
    stamp = (
        tapes.shown.ts[row_at(tapes.shown, now)] if tapes.is_alone else max(tapes.market.ts[state.row], state.changed)
    )
    if now - stamp > plan.oldest * SECOND:
        return False
    return is_narrow(book, plan)


def is_thin(task: Task, plan: Plan, state: State, book: Book) -> bool:
    """Whether the near side has too few shares to rest with: only an escalation is sent then."""
    is_ours = state.known > 0 and state.child.limit == book.near
    return not is_ours and book.near_size < min(plan.thinnest, task.lot)


def is_escalation(answer: Answer, rung: int) -> bool:
    """Whether an answer is that of an order whose patience or moves are spent, or that has left its first rung."""
    return rung > 0 or answer.why in (Why.PATIENCE, Why.MOVES)


def is_narrow(book: Book, plan: Plan) -> bool:
    """Whether a book has two sides, and a spread that is not too wide."""
    if book.near == -ABSENT or book.far == ABSENT or book.near >= book.far:
        return False
    is_one_tick = book.far - book.near <= book.tick
    return is_one_tick or (book.far - book.near) * 2 * _MILLION <= plan.widest * abs(book.far + book.near)


def accepted_row(shown: SideTape, row: int, plan: Plan, tick: int) -> int:
    """The first row from this one on whose spread lets an order arrive; this one where there is none."""
    for later in range(row, len(shown.ts)):
        if is_narrow(Book(shown.near[later], 0, shown.far[later], 0, tick), plan):
            return later
    return row


def row_at(tape: SideTape, at: int) -> int:
    """The row in force at a time; the first one before the tape begins."""
    return max(0, int(np.searchsorted(tape.ts, at, side="right")) - 1)


def needs_no_quote(task: Task, plan: Plan, now: int) -> bool:
    """Whether a peer sends a market order now, whatever the feed shows."""
    is_market = plan.peer.style in (Style.MARKET, Style.TWAP)
    return plan.kind == Kind.PEER and (is_market or (now - task.arrival) // SECOND >= plan.patience)
