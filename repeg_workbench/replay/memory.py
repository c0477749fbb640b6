"""What a replayed order remembers of the spread, as `repeg.domain.policy.having_looked` does; compiled by numba."""

from typing import Final

import numpy as np

from repeg.domain.look import Book, Standing, is_alone, spread_in_ticks, usual_spread
from repeg_workbench.replay.plans import Plan
from repeg_workbench.replay.side_tape import ABSENT, SideTape
from repeg_workbench.replay.state import SECOND, Memory, Task

SAMPLES: Final = 16
SAMPLE_EVERY: Final = 20
"""The usual spread is the median of sixteen samples, twenty seconds apart: about the last five minutes."""


def remembered(task: Task, plan: Plan, tape: SideTape, now: int) -> Memory:
    """The memory of an order that arrives now, as `repeg.domain.seeding` fills it from what the feed has shown.

    Samples of the last `seeded` seconds, none from before the window opened, and none of a quote that is older than
    the quotes that are asked for.
    """
    memory = Memory(np.zeros(SAMPLES, np.int64), 0, 0, 0)
    last = now - SAMPLE_EVERY * SECOND
    for ago in range(plan.seeded // SAMPLE_EVERY, 0, -1):
        due = now - ago * SAMPLE_EVERY * SECOND
        row = int(np.searchsorted(tape.ts, due, side="right")) - 1
        if row < 0 or due < task.opens or tape.ts[row] < now - SAMPLES * SAMPLE_EVERY * SECOND:
            continue
        if -ABSENT < tape.near[row] < tape.far[row] < ABSENT:
            memory = _append(memory, last, (tape.far[row] - tape.near[row]) // task.tick)
    return memory


def sample(memory: Memory, book: Book, own: Standing, now: int) -> Memory:
    """Sample the spread, twenty seconds after the last sample, where the book shows the others' best price."""
    is_recent = memory.known > 0 and now - memory.at < SAMPLE_EVERY * SECOND
    if is_recent or is_alone(book, own):
        return memory
    return _append(memory, now, spread_in_ticks(book))


def _append(memory: Memory, now: int, ticks: int) -> Memory:
    memory.spreads[:-1] = memory.spreads[1:].copy()
    memory.spreads[-1] = max(1, ticks)
    known = memory.known + 1
    usual = int(usual_spread(memory.spreads[SAMPLES - min(known, SAMPLES) :]))
    return Memory(memory.spreads, known, now, usual)
