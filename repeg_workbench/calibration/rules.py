"""Executes four simple rules on a tape under three fill models, as the recorded figures were measured.

The rules see the best price of the others behind their own order, and move an order in one step. Fills are the
replay's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
from numba.extending import register_jitable

from repeg_workbench.calibration.recorded import MODELS, RULES, Cell
from repeg_workbench.calibration.touch import Floats
from repeg_workbench.exchange.market.symbol_day import Int64s
from repeg_workbench.exchange.time.calendar import NANOSECONDS
from repeg_workbench.replay.compiled import COLUMNS as _COLUMNS  # noqa: F401  the import makes `filling` compilable
from repeg_workbench.replay.filling import Child, Model, Taken, Tally, advance, enter, nothing
from repeg_workbench.replay.side_tape import NEVER, SideTape, side_tape
from repeg_workbench.replay.tape import ReplayTape

SHARES: Final = 100
_LOOK: Final = 30 * NANOSECONDS
_LOOKS: Final = 10
_LATENCY: Final = NANOSECONDS // 10
_FIRST, _LAST = 300, 355 * 60
_BLOCK: Final = 900
_MOVED_AWAY: Final = 1_000
_MODELS: Final = (Model.TRADE_THROUGH, Model.QUEUE, Model.TOUCH)


@dataclass(frozen=True)
class Worked:
    """The orders of one day: a row per arrival with its half-spread and block of fifteen minutes.

    results has an axis each for arrivals, sides, fill models, rules, and cost in price units, passive share, seconds.
    """

    half_spread: Floats
    block: Int64s
    results: Floats


@register_jitable
def wanted_price(rule: int, near: int, far: int, tick: int, standing: int) -> int:
    """Where a rule wants its order to rest; standing is its limit, 0 for none."""
    if rule == 0:
        wanted = near + tick
        has_moved_away = (wanted - standing) * 1_000_000 > _MOVED_AWAY * abs(standing)
        return wanted if standing == 0 or has_moved_away else standing
    if rule == 2:
        return near + (far - near) // (2 * tick) * tick
    if rule == 3 and far - near >= 2 * tick:
        return near + tick
    return near


@register_jitable
def work(tape: SideTape, arrival: int, rule: int, model: int, tick: int) -> Tally:
    """What became of one order."""
    row = int(np.searchsorted(tape.ts, arrival, side="right")) - 1
    index = int(np.searchsorted(tape.print_ts, arrival, side="right"))
    child, taken, tally = nothing(), Taken(0, 0), Tally(0, 0, 0, 0, arrival)
    for look in range(_LOOKS + 1):
        now = arrival + look * _LOOK
        row, index, child, taken, tally = advance(tape, row, index, now, child, taken, tally, model)
        standing = child.limit if child.shares > 0 else 0
        wanted = wanted_price(rule, tape.near[row], tape.far[row], tick, standing) if look < _LOOKS else NEVER - 1
        row, index, child, taken, tally = advance(tape, row, index, now + _LATENCY, child, taken, tally, model)
        left = SHARES - tally.rested - tally.taken
        if left > 0 and wanted != standing:
            # What an order takes at once goes through the levels behind, whatever its limit.
            limit = NEVER - 1 if tape.far[row] <= wanted else wanted
            order = Child(limit, left, NEVER, 0, now)
            child, taken, tally = enter(tape, row, now + _LATENCY, order, taken, tally, tick)
        if tally.rested + tally.taken == SHARES:
            break
    return tally


def work_all(tape: SideTape, arrivals: Int64s, models: Int64s, tick: int) -> Floats:
    """Cost, passive share and seconds of an order at each arrival, by fill model and rule."""
    kept = np.empty((len(arrivals), len(models), 4, 3))
    for number in range(len(arrivals)):
        for which in range(len(models)):
            for rule in range(4):
                tally = work(tape, arrivals[number], rule, models[which], tick)
                kept[number, which, rule, 0] = tally.paid / SHARES
                kept[number, which, rule, 1] = tally.rested / SHARES
                kept[number, which, rule, 2] = (tally.at - arrivals[number]) / NANOSECONDS
    return kept


compiled_work_all: Any = numba.njit(work_all)


def worked(tape: ReplayTape, opened: int, every: int, seed: int) -> Worked:
    """Both sides of an order of every rule, one arrival in each `every` seconds of a day that opened at this time."""
    start = opened + np.arange(_FIRST, _LAST, every) * NANOSECONDS
    arrivals = start + np.random.Generator(np.random.PCG64(seed)).integers(0, every * NANOSECONDS, len(start))
    models = np.array(_MODELS, np.int64)
    sides = []
    row = tape.ts.searchsorted(arrivals, side="right") - 1
    mid = (tape.bid[row] + tape.ask[row]) / 2
    for side in (1, -1):
        kept = compiled_work_all(side_tape(tape, side), arrivals, models, tape.tick)
        kept[..., 0] -= (side * mid)[:, None, None]
        sides.append(kept)
    return Worked(
        (tape.ask[row] - tape.bid[row]) / 2, (arrivals - opened) // (_BLOCK * NANOSECONDS), np.stack(sides, 1)
    )


def cells(days: Sequence[Worked]) -> tuple[tuple[Cell, ...], ...]:
    """The figures of every fill model and rule over days, with standard errors clustered in fifteen minutes."""
    results = np.concatenate([day.results for day in days])
    blocks = np.concatenate([day.block + number * 1_000 for number, day in enumerate(days)])
    half_spread = np.concatenate([day.half_spread for day in days]).mean()
    costs = results[..., 0].mean(axis=1) / half_spread
    mean = costs.mean(axis=0)
    sums = np.array([(costs - mean)[blocks == block].sum(axis=0) for block in np.unique(blocks)])
    error = np.sqrt((sums**2).sum(axis=0)) / len(costs)
    passive, seconds = (results[..., which].mean(axis=(0, 1)) for which in (1, 2))
    return tuple(
        tuple(Cell(*map(float, (mean[m, r], error[m, r], passive[m, r], seconds[m, r]))) for r in range(len(RULES)))
        for m in range(len(MODELS))
    )
