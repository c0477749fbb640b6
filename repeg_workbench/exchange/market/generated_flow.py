"""The order flow of a generated day: when its events come, and how they move the fair value of the stock."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from repeg_workbench.exchange.market.generated_dice import BITS, FINE, ONE, Dice, Words, exponential, happens, normal
from repeg_workbench.exchange.market.generated_regimes import BASIS, Instrument, Regime
from repeg_workbench.exchange.market.symbol_day import Int64s
from repeg_workbench.exchange.time.calendar import NANOSECONDS, Session, nanoseconds
from repeg_workbench.exchange.units import tick_at

PERMILLE: Final = 1_000
BEFORE_OPEN: Final = 300
"""Seconds before the open at which a generated day begins."""

_HOUR: Final = 3_600 * NANOSECONDS
_MEAN_CUBE: Final = 4
"""The mean of a cubed uniform draw is 1/4, so gaps come in bursts and none exceeds four times their mean."""

_ROOM: Final = 8
"""Nanoseconds between two events at least, for the rows that one event makes."""

# Events come fastest at the open and again before the close: seconds from the open, or from the close, and percent.
_FROM_OPEN: Final = ((-BEFORE_OPEN, 10), (0, 250), (300, 170), (900, 130), (1_800, 90))
_FROM_CLOSE: Final = ((-1_800, 140),)
_BLOCK: Final = 60
"""Seconds for which the pace stays as it was drawn."""

# Decay of the opening's violence: elapsed thousandths of calm_after, and remaining thousandths of the violence.
_DECAY: Final = ((0, 1_000), (167, 560), (500, 220), (1_000, 0))
_FEWEST_TICKS: Final = 4


@dataclass(frozen=True)
class Flow:
    """The events of a day in time order: their times, the fair value after each in FINE ticks, and their draws.

    violence is what is left of the opening's volatility, in thousandths.
    """

    ts: Int64s
    since_open: Int64s
    violence: Int64s
    fair: Int64s
    step: Int64s
    words: Words

    def __len__(self) -> int:
        return len(self.ts)


def flow_of(instrument: Instrument, session: Session, name: tuple[object, ...]) -> Flow:
    """The flow of one instrument's day, from five minutes before the open to the close."""
    regime, opened = instrument.regime, nanoseconds(session.open)
    ts, words = _arrivals(regime, opened, nanoseconds(session.close), name)
    since_open = (ts - opened) // NANOSECONDS
    violence = _violence(regime.calm_after, since_open)
    step = _steps(regime, violence, words)
    tick = tick_at(instrument.price)
    first = opening_price(instrument, name) * FINE // tick
    fair = first + np.cumsum(step)
    if regime.swing:
        fair += Dice(*name, "swing").drift(len(fair), regime.swing_length) * regime.swing // PERMILLE
    fair = np.maximum(fair, _FEWEST_TICKS * FINE)
    return Flow(ts, since_open, violence, fair, step, words)


def opening_price(instrument: Instrument, name: tuple[object, ...]) -> int:
    """The day's opening price, within one percent of the instrument's price."""
    room = instrument.price // 100
    return instrument.price - room + Dice(*name, "opening").below(2 * room + 1)


def raised(peak: int, violence: Int64s) -> Int64s:
    """A percentage from 100 in quiet times to `peak` at full violence."""
    return 100 + (peak - 100) * violence // PERMILLE


def _steps(regime: Regime, violence: Int64s, words: Words) -> Int64s:
    size = np.where(happens(words.draw(2), ONE * regime.jumps // BASIS), regime.step * regime.jump // 100, regime.step)
    whole = 100 * PERMILLE
    # Rounded to the nearest: rounding down would be a drift of some twenty ticks a day.
    return (size * normal(words.draw(1)) * raised(regime.opening_steps, violence) + whole // 2) // whole


def _arrivals(regime: Regime, opened: int, closed: int, name: tuple[object, ...]) -> tuple[Int64s, Words]:
    starts, paces = _pace(regime, opened, closed, Dice(*name, "pace"))
    lengths = np.diff(starts) * paces // (100 * FINE)
    busy: Int64s = np.concatenate(([0], np.cumsum(lengths)))
    mean_gap = _HOUR // regime.events
    words = Dice(*name, "events").words(int(busy[-1]) // mean_gap * 21 // 20 + 64)
    elapsed: Int64s = np.cumsum(_cubed(words.draw(0)) * (mean_gap * _MEAN_CUBE >> 8) >> BITS - 8)
    elapsed -= elapsed[0]
    count = int(elapsed.searchsorted(busy[-1]))
    elapsed = elapsed[:count]
    block = busy.searchsorted(elapsed, side="right") - 1
    ts: Int64s = starts[block] + (elapsed - busy[block]) * (100 * FINE) // paces[block]
    return ts + np.arange(count) * _ROOM, words.first(count)


def _pace(regime: Regime, opened: int, closed: int, dice: Dice) -> tuple[Int64s, Int64s]:
    """The starts of the blocks, with the end of the day, and their paces in percent of the mean, times FINE."""
    phases = [opened + second * NANOSECONDS for second, _ in _FROM_OPEN]
    phases += [closed + second * NANOSECONDS for second, _ in _FROM_CLOSE]
    percent = np.array([pace for _, pace in _FROM_OPEN + _FROM_CLOSE], np.int64)
    starts = np.arange(phases[0], closed, _BLOCK * NANOSECONDS)
    usual = percent[np.searchsorted(np.array(phases), starts, side="right") - 1]
    drawn = exponential(regime.bursts * _smooth(dice, len(starts)) // PERMILLE)
    drawn[starts < phases[2]] = FINE  # the opening minutes have a pace of their own
    return np.append(starts, closed), np.maximum(1, usual * drawn)


def _smooth(dice: Dice, count: int) -> Int64s:
    """Normal noise whose neighbours resemble each other: the mean of four draws, at unit variance."""
    fresh = normal(dice.words(count // 4 + 2).all())
    return (fresh[:count] + fresh[1 : count + 1] + fresh[2 : count + 2] + fresh[3 : count + 3]) // 2


def _violence(calm_after: int, since_open: Int64s) -> Int64s:
    by_second = _decay(calm_after)
    left: Int64s = by_second[np.clip(since_open, 0, len(by_second) - 1)]
    return left


def _decay(calm_after: int) -> Int64s:
    """The remaining violence in thousandths, by second since the open."""
    left = [np.zeros(1, np.int64)]
    for (start, high), (end, low) in pairwise(_DECAY):
        seconds = np.arange((end - start) * calm_after // PERMILLE)
        left.append(high + (low - high) * seconds // max(1, len(seconds)))
    return np.concatenate([*left[1:], left[0]])


def _cubed(draws: Int64s) -> Int64s:
    return (draws * draws >> BITS) * draws >> BITS
