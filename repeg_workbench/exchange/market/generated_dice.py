"""Random draws that are the same on every machine: integers cut from raw PCG64 bits, seeded with a hash."""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from repeg_workbench.exchange.market.symbol_day import Int64s

BITS: Final = 16
"""Bits in one draw; a 64-bit word holds four."""

ONE: Final = 1 << BITS


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


class Words:
    """Rows of four 16-bit draws each."""

    def __init__(self, raw: NDArray[np.uint64]) -> None:
        self._raw = raw

    def __len__(self) -> int:
        return len(self._raw)

    def draw(self, which: int) -> Int64s:
        """Draw number 0 to 3 of every row, each in [0, 65536)."""
        draws = self._raw.astype("<u8", copy=False).view("<u2")  # lowest bits of each word first
        return draws[which :: 64 // BITS].astype(np.int64)

    def first(self, count: int) -> "Words":
        """The first `count` rows."""
        return Words(self._raw[:count])


def pick(table: Int64s, draws: Int64s) -> Int64s:
    """For every draw an entry of the table, all equally likely."""
    return np.take(table, draws * len(table) >> BITS)
