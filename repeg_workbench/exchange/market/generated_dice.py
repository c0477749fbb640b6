"""Random draws that are the same on every machine: integers cut from raw PCG64 bits, seeded with a hash."""

import hashlib
from math import exp
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from repeg_workbench.exchange.market.symbol_day import Flags, Int64s

BITS: Final = 16
"""Bits in one draw; a 64-bit word holds four."""

ONE: Final = 1 << BITS

SHIFT: Final = 10
FINE: Final = 1 << SHIFT
"""Fixed-point one: of ticks, of standard deviations, of factors."""

_NORMAL: Final = np.array(
    [round(FINE * NormalDist().inv_cdf((2 * place + 1) / (2 * FINE))) for place in range(FINE)], np.int64
)
_MOST: Final = 4
_STEPS: Final = 64
_EXP: Final = np.array(
    [round(FINE * exp(place / _STEPS)) for place in range(-_MOST * _STEPS, _MOST * _STEPS + 1)], np.int64
)


class Dice:
    """Independent draws for a name, such as a seed, a symbol and a day.

    Uses the bit generator's raw words only: numpy guarantees that they stay the same, but not its distributions.
    """

    def __init__(self, *name: object) -> None:
        digest = hashlib.sha256("|".join(map(str, name)).encode()).digest()
        self._bits = np.random.PCG64(np.random.SeedSequence(int.from_bytes(digest)))

    def words(self, count: int) -> "Words":
        """This many words of four draws each."""
        return Words(self._bits.random_raw(count))

    def below(self, bound: int) -> int:
        """One integer in [0, bound)."""
        return int(self._bits.random_raw()) % bound

    def drift(self, count: int, length: int) -> Int64s:
        """Normal noise that changes over `length` rows: straight lines between normal draws."""
        knots = normal(self.words((count // length + 2) // 4 + 1).all())
        place = np.arange(count)
        before = place // length
        part = place - before * length
        drifted: Int64s = (knots[before] * (length - part) + knots[before + 1] * part) // length
        return drifted


class Words:
    """Rows of four 16-bit draws each."""

    def __init__(self, raw: NDArray[np.uint64]) -> None:
        self._raw = raw

    def __len__(self) -> int:
        return len(self._raw)

    def draw(self, which: int) -> Int64s:
        """Draw number 0 to 3 of every row, each in [0, 65536)."""
        return self._draws()[which :: 64 // BITS].astype(np.int64)

    def all(self) -> Int64s:
        """Every draw in order."""
        return self._draws().astype(np.int64)

    def _draws(self) -> NDArray[np.uint16]:
        return self._raw.astype("<u8", copy=False).view("<u2")  # lowest bits of each word first

    def first(self, count: int) -> "Words":
        """The first `count` rows."""
        return Words(self._raw[:count])


def pick(table: Int64s, draws: Int64s) -> Int64s:
    """For every draw an entry of the table, all equally likely."""
    return np.take(table, draws * len(table) >> BITS)


def normal(draws: Int64s) -> Int64s:
    """A standard normal variable for every draw, in units of FINE."""
    return np.take(_NORMAL, draws >> BITS - SHIFT)


def exponential(powers: Int64s) -> Int64s:
    """e to the power, both in units of FINE; powers beyond plus or minus four count as four."""
    place = np.clip((powers * _STEPS >> SHIFT) + _MOST * _STEPS, 0, 2 * _MOST * _STEPS)
    raised: Int64s = np.take(_EXP, place)
    return raised


def happens(draws: Int64s, chances: Int64s | int) -> Flags:
    """Whether an event of this chance, in 1/65536, happens at each draw."""
    happened: Flags = draws < chances
    return happened
