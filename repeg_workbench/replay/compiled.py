"""The replay's loop, compiled by numba from the plain functions of this package and of `repeg.domain`."""

from types import FunctionType, ModuleType
from typing import Any, Final

import numba
import numpy as np
from numba.extending import register_jitable

from repeg.domain import attempts, look
from repeg_workbench.exchange.market.symbol_day import Int64s
from repeg_workbench.replay import anchor, filling, memory, peers, pieces, shown, walk
from repeg_workbench.replay.plans import Plan
from repeg_workbench.replay.side_tape import Tapes
from repeg_workbench.replay.state import Task
from repeg_workbench.replay.walk import work

COLUMNS: Final = ("rested", "taken", "paid", "spread_paid", "at", "sent", "cancelled", "looks", "rows")
"""What is kept of each replayed order."""


def _own_functions(module: ModuleType) -> list[FunctionType]:
    named = vars(module).values()
    return [each for each in named if isinstance(each, FunctionType) and each.__module__ == module.__name__]


for _module in (attempts, look, anchor, filling, memory, peers, pieces, shown, walk):
    for _function in _own_functions(_module):
        register_jitable(_function)


def work_each(tapes: Tapes, arrivals: Int64s, task: Task, plan: Plan) -> Int64s:
    """Replay an order at each arrival; a row of COLUMNS for each."""
    kept = np.zeros((len(arrivals), len(COLUMNS)), np.int64)
    for number in range(len(arrivals)):
        first = int(np.searchsorted(tapes.market.ts, arrivals[number], side="right"))
        own = Task(arrivals[number], task.shares, task.latency, task.model, task.tick, task.lot, task.opens)
        done = work(tapes, own, plan)
        tally = done.tally
        kept[number, 0], kept[number, 1], kept[number, 2] = tally.rested, tally.taken, tally.paid
        kept[number, 3], kept[number, 4], kept[number, 5] = tally.spread_paid, tally.at, done.sent
        kept[number, 6], kept[number, 7], kept[number, 8] = done.cancelled, done.looks, done.row + 1 - first
    return kept


compiled_work_each: Any = numba.njit(work_each)
