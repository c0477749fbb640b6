"""Works one order on one tape: look, decide, act, and let the tape pass until the next look; compiled by numba."""

from typing import Final, NamedTuple

import numpy as np

from repeg.domain.look import Answer, Book, Standing, Urge, Verb, is_alone, look, spread_in_ticks, usual_spread
from repeg_workbench.exchange.market.symbol_day import Int64s
from repeg_workbench.replay.anchor import anchor_answer
from repeg_workbench.replay.filling import Child, Model, Taken, Tally, advance, enter, level_gap, nothing
from repeg_workbench.replay.peers import MARKET, peer_answer
from repeg_workbench.replay.plans import Kind, Plan
from repeg_workbench.replay.side_tape import ABSENT, SideTape

SECOND: Final = 1_000_000_000
SAMPLES: Final = 16
SAMPLE_EVERY: Final = 20
"""The usual spread is the median of sixteen samples, twenty seconds apart: about the last five minutes."""

_MILLION: Final = 1_000_000
_TWENTIETH: Final = 20


class Task(NamedTuple):
    """What one order is replayed with: its arrival in nanoseconds, shares, latency, fill model, tick and round lot."""

    arrival: int
    shares: int
    latency: int
    model: int
    tick: int
    lot: int


class State(NamedTuple):
    """A replayed order between two looks: the place on the tape, its child, and what has been done so far."""

    row: int
    next_print: int
    child: Child
    taken: Taken
    tally: Tally
    rung: int
    moves: int
    sent: int
    cancelled: int
    looks: int


class Memory(NamedTuple):
    """The latest spreads that were sampled, newest last, in ticks; how many there are, and when the last one was."""

    spreads: Int64s
    known: int
    at: int


def work(tape: SideTape, task: Task, plan: Plan) -> State:
    """The order's state once it is filled, or after its horizon, when what was left has gone to the market."""
    row = int(np.searchsorted(tape.ts, task.arrival, side="right")) - 1
    index = int(np.searchsorted(tape.print_ts, task.arrival, side="right"))
    state = State(row, index, nothing(), Taken(0, 0), Tally(0, 0, 0, 0, task.arrival), 0, 0, 0, 0, 0)
    mid = (tape.near[row] + tape.far[row]) // 2
    collar = mid + abs(mid) * plan.collar // _MILLION // task.tick * task.tick
    memory = remembered(task, plan, tape)
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
    answer, rung = decide(task, plan, book, state, now, collar, usual(memory))
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
            answer, _ = decide(task, plan, book, state, at - task.latency, collar, usual(memory))
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
    displayed = book.far_size if answer.verb == Verb.TAKE else book.near_size
    return min(left, max(displayed, task.lot, task.shares // _TWENTIETH))


def remembered(task: Task, plan: Plan, tape: SideTape) -> Memory:
    """The memory at the arrival: samples of the last `seeded` seconds, which a product would have had to ask for."""
    memory = Memory(np.zeros(SAMPLES, np.int64), 0, 0)
    for ago in range(plan.seeded // SAMPLE_EVERY, 0, -1):
        at = task.arrival - ago * SAMPLE_EVERY * SECOND
        row = int(np.searchsorted(tape.ts, at, side="right")) - 1
        if row >= 0 and -ABSENT < tape.near[row] < tape.far[row] < ABSENT:
            memory = _append(memory, at, (tape.far[row] - tape.near[row]) // task.tick)
    return memory


def sample(memory: Memory, book: Book, own: Standing, now: int) -> Memory:
    """Sample the spread, twenty seconds after the last sample, where the book shows the others' best price."""
    is_recent = memory.known > 0 and now - memory.at < SAMPLE_EVERY * SECOND
    if is_recent or is_alone(book, own):
        return memory
    return _append(memory, now, spread_in_ticks(book))


def usual(memory: Memory) -> int:
    """The usual spread in ticks."""
    return int(usual_spread(memory.spreads[SAMPLES - min(memory.known, SAMPLES) :]))


def _append(memory: Memory, now: int, ticks: int) -> Memory:
    memory.spreads[:-1] = memory.spreads[1:].copy()
    memory.spreads[-1] = max(1, ticks)
    return Memory(memory.spreads, memory.known + 1, now)


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
