"""Works one order on one tape: look, decide, act, and let the tape pass until the next look; compiled by numba."""

from typing import Final, NamedTuple

import numpy as np

from repeg.domain.attempts import is_kept, is_next_whole
from repeg.domain.look import Answer, Book, Standing, Urge, Verb, Why, look
from repeg.domain.time_limits import OPEN_ORDERS_AGE
from repeg_workbench.replay.anchor import anchor_answer
from repeg_workbench.replay.filling import Child, Taken, Tally, advance, enter, no_longer, nothing
from repeg_workbench.replay.memory import remembered, sample
from repeg_workbench.replay.peers import MARKET, peer_answer
from repeg_workbench.replay.pieces import attempts_left, for_size, pieces
from repeg_workbench.replay.plans import Kind, Plan
from repeg_workbench.replay.shown import accepted_row, is_escalation, is_thin, may_trade, needs_no_quote, row_at, seen
from repeg_workbench.replay.side_tape import Tapes
from repeg_workbench.replay.state import SECOND, Memory, State, Task

_MILLION: Final = 1_000_000

READ_EVERY: Final = int(OPEN_ORDERS_AGE.total_seconds())
"""Seconds between two reads of the open orders; a fill is not known before the next one."""


class Choice(NamedTuple):
    """A book, and the answer to it."""

    book: Book
    answer: Answer


def work(tapes: Tapes, task: Task, plan: Plan) -> State:
    """The order's state once it is filled, or after its horizon, when what was left has gone to the market."""
    row = row_at(tapes.market, task.arrival)
    index = int(np.searchsorted(tapes.market.print_ts, task.arrival, side="right"))
    state = State(row, index, nothing(), Taken(0, 0), Tally(0, 0, 0, 0, task.arrival), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    first = accepted_row(tapes.shown, row_at(tapes.shown, task.arrival), plan, task.tick)
    mid = (tapes.shown.near[first] + tapes.shown.far[first]) // 2
    collar = mid + abs(mid) * plan.collar // _MILLION // task.tick * task.tick
    memory = remembered(task, plan, tapes.shown, max(task.arrival, tapes.shown.ts[first]))
    plan = for_size(plan, task, int(tapes.shown.near_size[first]))
    now, end = task.arrival, task.arrival + plan.horizon * SECOND
    while now < end:
        state = pass_until(tapes, task, state, now)
        if left_of(task, state) == 0:
            return state
        state, memory, now = act(tapes, task, plan, state, memory, now, collar)
    state = pass_until(tapes, task, state, end + task.latency)
    left = left_of(task, state)
    if left == 0:
        return state
    state = dropped(state, end) if state.child.shares > 0 else state
    return submit(tapes, task, state, end + task.latency, MARKET, left)


def left_of(task: Task, state: State) -> int:
    """Shares still to trade."""
    return task.shares - state.tally.rested - state.tally.taken


def pass_until(tapes: Tapes, task: Task, state: State, until: int) -> State:
    """Let the tape pass."""
    row, index, child, taken, tally = advance(
        tapes.market, state.row, state.next_print, until, state.child, state.taken, state.tally, task.model
    )
    changed = tally.at if child.shares < state.child.shares else state.changed
    unfilled = 0 if child.shares < state.child.shares else state.unfilled
    return State(
        row, index, child, taken, tally, state.rung, state.moves, state.sent, unfilled, state.cancelled, state.looks,
        state.known, state.read, changed, state.near, state.far,
    )  # fmt: skip


def act(
    tapes: Tapes, task: Task, plan: Plan, state: State, memory: Memory, now: int, collar: int
) -> tuple[State, Memory, int]:
    """Look, and do what the rules say; returns the time of the next look."""
    following = now + plan.period * SECOND
    had = state.known
    state = having_read(plan, state, now)
    if had > 0 and state.known == 0 and plan.kind == Kind.REPEG:
        # The child was found to be filled: the next piece is sent a look later.
        return _looked(state, state.rung), memory, following
    book = seen(tapes, task, state, now)
    if not may_trade(tapes, plan, state, book, now) and not needs_no_quote(task, plan, now):
        return _looked(state, state.rung), memory, following
    memory = sample(memory, book, standing(state, now), now)
    answer, rung = decide(task, plan, book, state, now, collar, memory.usual)
    state, known, then = _looked(state, rung), state.known, now
    if is_unsure(task, plan, book, state, now, collar, memory.usual):
        state, then = _knowing(state, state.child.shares, now), now + task.latency
    is_held = is_thin(task, plan, state, book) and not is_escalation(answer, rung)
    if answer.verb == Verb.KEEP or is_held or state.known != known:
        return state, memory, following
    limit, choice, at = answer.price, Choice(book, answer), now + task.latency
    if state.known > 0:
        limit = state.child.limit
        state, choice, at = make_room(tapes, task, plan, state, memory.usual, choice, then, collar)
        if choice.answer.verb == Verb.KEEP:
            return state, memory, max(following, at)
    state = place(tapes, task, plan, state, choice, now, at, limit)
    while following <= at:
        following += plan.period * SECOND
    return state, memory, following


def make_room(
    tapes: Tapes, task: Task, plan: Plan, state: State, usual: int, choice: Choice, now: int, collar: int
) -> tuple[State, Choice, int]:
    """Cancel the child for a successor; ours then looks again, and does nothing (KEEP) where that look says so.

    Returns what the successor is priced from, and when it reaches the market.
    """
    was_filled = state.child.shares == 0
    state, at = _cancelled(tapes, task, state, now)
    if plan.kind != Kind.REPEG or left_of(task, state) == 0:
        return state, choice, at
    nothing_yet = Choice(choice.book, Answer(Verb.KEEP, choice.answer.price, choice.answer.why))
    if was_filled:
        return state, nothing_yet, at
    book = seen(tapes, task, state, at - task.latency)
    if not may_trade(tapes, plan, state, book, at - task.latency):
        return state, nothing_yet, at
    answer, rung = decide(task, plan, book, state, at - task.latency, collar, usual)
    if is_thin(task, plan, state, book) and not is_escalation(answer, rung):
        return state, nothing_yet, at
    return state, Choice(book, answer), at


def place(tapes: Tapes, task: Task, plan: Plan, state: State, choice: Choice, now: int, at: int, limit: int) -> State:
    """Send what was chosen now, in place of a child with this limit; it reaches the market at a later time."""
    state = pass_until(tapes, task, state, at)
    shares = _piece(task, plan, state, choice.book, choice.answer, now)
    if shares <= 0:
        return state
    price, is_up = choice.answer.price, choice.answer.verb == Verb.REST and choice.answer.price > limit
    if is_up and plan.kind == Kind.REPEG and state.moves >= plan.moves:
        price, is_up = limit, False
    return _sent(submit(tapes, task, state, at, price, shares), choice.book, is_up)


def having_read(plan: Plan, state: State, now: int) -> State:
    """Ours reads its open orders every few seconds, and knows of fills only from then on; a peer knows them at once."""
    is_due = plan.kind != Kind.REPEG or now - state.read >= READ_EVERY * SECOND
    return _knowing(state, state.child.shares, now) if is_due else state


def decide(task: Task, plan: Plan, book: Book, state: State, now: int, collar: int, ticks: int) -> tuple[Answer, int]:
    """The answer of the plan's rules, and the rung that it is for; `ticks` is the usual spread."""
    elapsed, own = (now - task.arrival) // SECOND, standing(state, now)
    if plan.kind == Kind.REPEG:
        urge = Urge(collar, elapsed >= plan.patience, plan.moves - state.moves)
        answer = look(book, own, ticks, urge, plan.rules)
        kept = own.shares > 0 and is_kept(answer, attempts_left(plan, state))
        return Answer(Verb.KEEP, own.limit, Why.STANDING) if kept else answer, 0
    if plan.kind == Kind.ANCHOR:
        climbed = anchor_answer(book, own, state.rung, state.moves, collar, elapsed >= plan.patience)
        return climbed.answer, climbed.rung
    return peer_answer(book, own, elapsed, state.moves, plan.peer), 0


def is_unsure(task: Task, plan: Plan, book: Book, state: State, now: int, collar: int, ticks: int) -> bool:
    """Whether a move of ours depends on fills that were not read at this look, as `policy.depends_on_fills` says."""
    if plan.kind != Kind.REPEG or state.known <= 1 or state.read == now:
        return False
    answer, _ = decide(task, plan, book, state, now, collar, ticks)
    if answer.verb == Verb.KEEP:
        return False
    least, _ = decide(task, plan, book, _knowing(state, 1, state.read), now, collar, ticks)
    return least.verb != answer.verb or least.price != answer.price


def standing(state: State, now: int) -> Standing:
    """The child as the rules see it: with the shares that were last read."""
    child = state.child
    return Standing(child.limit, state.known, (now - child.entered) // SECOND, state.near, state.far)


def submit(tapes: Tapes, task: Task, state: State, now: int, price: int, shares: int) -> State:
    """Send an order that reaches the market now."""
    order = Child(price, shares, 0, 0, now)
    child, taken, tally = enter(tapes.market, state.row, now, order, state.taken, state.tally, task.tick)
    unfilled = state.unfilled + 1 if child.shares == shares else 0
    return State(
        state.row, state.next_print, child, taken, tally, state.rung,
        state.moves, state.sent + 1, unfilled, state.cancelled, state.looks, shares, now, now, state.near, state.far,
    )  # fmt: skip


def dropped(state: State, now: int) -> State:
    """Without the child, which has been cancelled."""
    return State(
        state.row, state.next_print, no_longer(state.child), state.taken, state.tally, state.rung,
        state.moves, state.sent, state.unfilled, state.cancelled + 1, state.looks, 0, state.read,
        max(state.changed, now), state.near, state.far,
    )  # fmt: skip


def _cancelled(tapes: Tapes, task: Task, state: State, now: int) -> tuple[State, int]:
    """Cancel the child: it may fill for one latency, its end is read after two, a new order arrives after three."""
    state = pass_until(tapes, task, state, now + task.latency)
    state = pass_until(tapes, task, dropped(state, now + task.latency), now + 2 * task.latency)
    return state, now + 3 * task.latency


def _piece(task: Task, plan: Plan, state: State, book: Book, answer: Answer, now: int) -> int:
    """Shares of the next child."""
    left = left_of(task, state)
    if plan.slices > 1:
        turn = (now - task.arrival) // SECOND * plan.slices // max(1, plan.horizon)
        due = task.shares * min(plan.slices, turn + 1) // plan.slices
        return min(left, due - (task.shares - left))
    if not plan.sliced or is_next_whole(attempts_left(plan, state)):
        return left
    return pieces(task.shares, left, book, answer.verb, task.lot)


def _knowing(state: State, shares: int, now: int) -> State:
    return State(
        state.row, state.next_print, state.child, state.taken, state.tally, state.rung,
        state.moves, state.sent, state.unfilled, state.cancelled, state.looks, shares, now, state.changed,
        state.near, state.far,
    )  # fmt: skip


def _looked(state: State, rung: int) -> State:
    return State(
        state.row, state.next_print, state.child, state.taken, state.tally, rung,
        state.moves, state.sent, state.unfilled, state.cancelled, state.looks + 1, state.known, state.read,
        state.changed, state.near, state.far,
    )  # fmt: skip


def _sent(state: State, book: Book, is_up: bool) -> State:  # noqa: FBT001
    return State(
        state.row, state.next_print, state.child, state.taken, state.tally, state.rung,
        state.moves + is_up, state.sent, state.unfilled, state.cancelled, state.looks, state.known, state.read,
        state.changed, book.near, book.far,
    )  # fmt: skip
