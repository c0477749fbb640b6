"""Works one order on one tape: look, decide, act, and let the tape pass until the next look; compiled by numba."""

from typing import Final

import numpy as np

from repeg.domain.look import Answer, Book, Standing, Urge, Verb, look
from repeg_workbench.replay.anchor import anchor_answer
from repeg_workbench.replay.filling import Child, Model, Taken, Tally, advance, enter, level_gap, nothing
from repeg_workbench.replay.memory import remembered, sample
from repeg_workbench.replay.peers import MARKET, peer_answer
from repeg_workbench.replay.pieces import for_size, pieces
from repeg_workbench.replay.plans import Kind, Plan
from repeg_workbench.replay.side_tape import ABSENT, SideTape
from repeg_workbench.replay.state import SECOND, Memory, State, Task

_MILLION: Final = 1_000_000


def work(tape: SideTape, task: Task, plan: Plan) -> State:
    """The order's state once it is filled, or after its horizon, when what was left has gone to the market."""
    row = int(np.searchsorted(tape.ts, task.arrival, side="right")) - 1
    index = int(np.searchsorted(tape.print_ts, task.arrival, side="right"))
    state = State(row, index, nothing(), Taken(0, 0), Tally(0, 0, 0, 0, task.arrival), 0, 0, 0, 0, 0)
    mid = (tape.near[row] + tape.far[row]) // 2
    collar = mid + abs(mid) * plan.collar // _MILLION // task.tick * task.tick
    memory = remembered(task, plan, tape)
    plan = for_size(plan, task, int(tape.near_size[row]))
    now, end = task.arrival, task.arrival + plan.horizon * SECOND
    while now < end:
        state = pass_until(tape, task, state, now)
        if left_of(task, state) == 0:
            return state
        state, memory, now = act(tape, task, plan, state, memory, now, collar)
    state = pass_until(tape, task, state, end + task.latency)
    left = left_of(task, state)
    if left == 0:
        return state
    state = _dropped(state) if state.child.shares > 0 else state
    return submit(tape, task, state, end + task.latency, MARKET, left)


def left_of(task: Task, state: State) -> int:
    """Shares still to trade."""
    return task.shares - state.tally.rested - state.tally.taken


def pass_until(tape: SideTape, task: Task, state: State, until: int) -> State:
    """Let the tape pass."""
    row, index, child, taken, tally = advance(
        tape, state.row, state.next_print, until, state.child, state.taken, state.tally, task.model
    )
    return State(
        row, index, child, taken, tally, state.rung, state.moves, state.sent, state.cancelled, state.looks
    )  # fmt: skip


def act(
    tape: SideTape, task: Task, plan: Plan, state: State, memory: Memory, now: int, collar: int
) -> tuple[State, Memory, int]:
    """Look, and do what the rules say; returns the time of the next look."""
    book = seen(tape, task, state)
    following = now + plan.period * SECOND
    if not _may_trade(book, plan):
        return _looked(state, state.rung), memory, following
    memory = sample(memory, book, standing(state, now), now)
    answer, rung = decide(task, plan, book, state, now, collar, memory.usual)
    state = _looked(state, rung)
    if answer.verb == Verb.KEEP:
        return state, memory, following
    is_up = state.child.shares > 0 and answer.price > state.child.limit
    at = now + task.latency
    if state.child.shares > 0:
        state, at = _cancelled(tape, task, state, now)
        if plan.kind == Kind.REPEG and left_of(task, state) > 0:
            book = seen(tape, task, state)
            if not _may_trade(book, plan):
                return state, memory, max(following, at)
            answer, _ = decide(task, plan, book, state, at - task.latency, collar, memory.usual)
    state = pass_until(tape, task, state, at)
    shares = _piece(task, plan, state, book, answer, now)
    if shares > 0:
        state = submit(tape, task, state, at, answer.price, shares)
        state = _moved(state, is_up)
    while following <= at:
        following += plan.period * SECOND
    return state, memory, following


def seen(tape: SideTape, task: Task, state: State) -> Book:
    """The book as the feed shows it: with our order where it is displayed, without what we have taken."""
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


def decide(task: Task, plan: Plan, book: Book, state: State, now: int, collar: int, ticks: int) -> tuple[Answer, int]:
    """The answer of the plan's rules, and the rung that it is for; `ticks` is the usual spread."""
    elapsed, own = (now - task.arrival) // SECOND, standing(state, now)
    if plan.kind == Kind.REPEG:
        urge = Urge(collar, elapsed >= plan.patience, _MILLION)
        return look(book, own, ticks, urge, plan.rules), 0
    if plan.kind == Kind.ANCHOR:
        climbed = anchor_answer(book, own, state.rung, state.moves, collar, elapsed >= plan.patience)
        return climbed.answer, climbed.rung
    return peer_answer(book, own, elapsed, state.moves, plan.peer), 0


def standing(state: State, now: int) -> Standing:
    """The child as the rules see it."""
    child = state.child
    return Standing(child.limit, child.shares, (now - child.entered) // SECOND)


def submit(tape: SideTape, task: Task, state: State, now: int, price: int, shares: int) -> State:
    """Send an order that reaches the market now."""
    order = Child(price, shares, 0, 0, now)
    child, taken, tally = enter(tape, state.row, now, order, state.taken, state.tally, task.tick)
    return State(
        state.row, state.next_print, child, taken, tally, state.rung,
        state.moves, state.sent + 1, state.cancelled, state.looks,
    )  # fmt: skip


def _may_trade(book: Book, plan: Plan) -> bool:
    if book.near == -ABSENT or book.far == ABSENT or book.near >= book.far:
        return False
    is_one_tick = book.far - book.near <= book.tick
    return is_one_tick or (book.far - book.near) * 2 * _MILLION <= plan.widest * abs(book.far + book.near)


def _cancelled(tape: SideTape, task: Task, state: State, now: int) -> tuple[State, int]:
    """Cancel the child: it may fill for one latency, its end is read after two, a new order arrives after three."""
    state = pass_until(tape, task, state, now + task.latency)
    state = pass_until(tape, task, _dropped(state), now + 2 * task.latency)
    return state, now + 3 * task.latency


def _piece(task: Task, plan: Plan, state: State, book: Book, answer: Answer, now: int) -> int:
    """Shares of the next child."""
    left = left_of(task, state)
    if plan.slices > 1:
        turn = (now - task.arrival) // SECOND * plan.slices // max(1, plan.horizon)
        due = task.shares * min(plan.slices, turn + 1) // plan.slices
        return min(left, due - (task.shares - left))
    if not plan.sliced:
        return left
    return pieces(task.shares, left, book, answer.verb, task.lot)


def _looked(state: State, rung: int) -> State:
    return State(
        state.row, state.next_print, state.child, state.taken, state.tally, rung,
        state.moves, state.sent, state.cancelled, state.looks + 1,
    )  # fmt: skip


def _moved(state: State, is_up: bool) -> State:  # noqa: FBT001
    return State(
        state.row, state.next_print, state.child, state.taken, state.tally, state.rung,
        state.moves + is_up, state.sent, state.cancelled, state.looks,
    )  # fmt: skip


def _dropped(state: State) -> State:
    return State(
        state.row, state.next_print, nothing(), state.taken, state.tally, state.rung,
        state.moves, state.sent, state.cancelled + 1, state.looks,
    )  # fmt: skip
