"""What the touch predicts: the next moves of the mid by the imbalance of the two sizes, sampled each second."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from repeg_workbench.exchange.market.symbol_day import Flags, Int64s
from repeg_workbench.exchange.time.calendar import NANOSECONDS
from repeg_workbench.replay.tape import ReplayTape

Floats = NDArray[np.float64]

BINS: Final = 10
AFTER: Final = (1, 5, 30)
"""Seconds after which the move of the mid is measured."""

_FIRST, _LAST = 300, 380 * 60
_USUAL: Final = 300
_USUAL_EVERY: Final = 20
_NARROW: Final = 3


@dataclass(frozen=True)
class Samples:
    """One second each: tenth of the imbalance, spread in ticks, and what the mid did next.

    up is whether the next different mid is higher, wait the seconds until then, moves the change of the mid after
    AFTER in half-spreads of the moment. is_tight marks a spread of at most a third of the median of the last 300
    seconds; it is sampled every twentieth second.
    """

    tenth: Int64s
    spread: Int64s
    up: Flags
    wait: Floats
    moves: Floats
    is_tight: Flags


@dataclass(frozen=True)
class TouchFigures:
    """The means of many samples; a row per tenth of the imbalance: share, chance of an up-move, moves after AFTER."""

    tenths: Floats
    up_error: Floats
    wait: float
    tight: float
    median_spread: float
    one_tick: float


def sampled(tape: ReplayTape, opened: int) -> Samples:
    """Every second from 9:35 to 15:50 of a day that opened at this time (ns)."""
    times = opened + np.arange(_FIRST, _LAST) * NANOSECONDS
    twice_mid = tape.bid + tape.ask
    row = _row_at(tape, times)
    spread = tape.ask[row] - tape.bid[row]
    moved = np.flatnonzero(np.diff(twice_mid)) + 1
    following = moved.searchsorted(row, side="right")
    is_known = following < len(moved)
    after = moved[np.minimum(following, len(moved) - 1)]
    shares = tape.bid_size[row] + tape.ask_size[row]
    tenth = np.minimum(BINS * tape.bid_size[row] // np.maximum(shares, 1), BINS - 1)
    later = [twice_mid[_row_at(tape, times + seconds * NANOSECONDS)] for seconds in AFTER]
    return Samples(
        tenth=tenth,
        spread=spread // tape.tick,
        up=is_known & (twice_mid[after] > twice_mid[row]),
        wait=np.where(is_known, (tape.ts[after] - times) / NANOSECONDS, np.nan),
        moves=np.array([(mid - twice_mid[row]) / np.where(spread > 0, spread, np.inf) for mid in later]),
        is_tight=_tight(spread),
    )


def touch_figures(days: Iterable[Samples]) -> TouchFigures:
    """The means over days."""
    samples = list(days)
    tenth = np.concatenate([day.tenth for day in samples])
    up = np.concatenate([day.up for day in samples])
    moves = np.concatenate([day.moves for day in samples], axis=1)
    wait = np.concatenate([day.wait for day in samples])
    spread = np.concatenate([day.spread for day in samples])
    rows, errors = [], []
    for number in range(BINS):
        here = tenth == number
        seen = max(1, int(here.sum()))
        rows.append([here.mean(), up[here].sum() / seen, *(moves[:, here].sum(axis=1) / seen)])
        errors.append(_up_error(samples, number, rows[-1][1]))
    return TouchFigures(
        np.array(rows),
        np.array(errors),
        float(np.nanmean(wait)),
        float(np.concatenate([day.is_tight for day in samples]).mean()),
        float(np.median(spread)),
        float((spread == 1).mean()),
    )


def _up_error(days: list[Samples], tenth: int, mean: float) -> float:
    """The standard error of the chance of an up-move, clustered in blocks of fifteen minutes."""
    total, squares = 0, 0.0
    for day in days:
        for block in np.array_split(np.arange(len(day.tenth)), 25):
            here = day.tenth[block] == tenth
            total += int(here.sum())
            squares += float((day.up[block][here] - mean).sum()) ** 2
    return float(np.sqrt(squares)) / max(1, total)


def _row_at(tape: ReplayTape, times: Int64s) -> Int64s:
    return np.maximum(tape.ts.searchsorted(times, side="right") - 1, 0)


def _tight(spread: Int64s) -> Flags:
    places = range(_USUAL, len(spread), _USUAL_EVERY)
    usual = np.array([np.median(spread[place - _USUAL : place]) for place in places])
    return spread[_USUAL::_USUAL_EVERY] * _NARROW <= usual
