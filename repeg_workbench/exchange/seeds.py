"""Random ids and delays, each from a separate stream of the exchange's seed."""

from functools import lru_cache
from random import Random  # noqa: TID251 - seeded
from typing import Final
from uuid import UUID  # noqa: TID251 - the broker chooses its own order ids

from repeg_workbench.exchange.broker_quirks import Milliseconds
from repeg_workbench.exchange.time.stamps import MILLISECOND

# Every symbol as a number in base 38: 21 letters are less than the 122 bits of a UUID that are free.
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./"
_LONGEST: Final = 21
_FREE: Final = (1 << 122) - 1
_SPREAD: Final = 0x2_9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835
"""An odd number, by which similar symbols have different ids."""

_VERSION_4: Final = 0x4 << 76
_VARIANT: Final = 0x8 << 60
_FREE_BITS: Final = ((1 << 128) - 1) ^ (0xF << 76) ^ (0xC << 60)


class Draws:
    """Seeded random streams. A refused request draws only request ids, so it does not affect later orders."""

    def __init__(self, seed: int) -> None:
        self._ids = Random(f"{seed}:ids")
        self._delays = Random(f"{seed}:delays")
        self._requests = Random(f"{seed}:requests")

    def uuid(self) -> str:
        """A random UUID."""
        bits = self._ids.getrandbits(128) & _FREE_BITS | _VERSION_4 | _VARIANT
        digits = f"{bits:032x}"
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    def delay(self, span: Milliseconds) -> int:
        """A delay in nanoseconds, drawn evenly from the span."""
        low, high = span
        if high <= low:
            return low * MILLISECOND
        return self._delays.randrange(low * MILLISECOND, high * MILLISECOND + 1)

    def request_id(self) -> str:
        """A random request id of 32 hexadecimal digits."""
        return f"{self._requests.getrandbits(128):032x}"


@lru_cache(4_096)
def asset_id(symbol: str) -> str:
    """An asset's UUID, the same on every exchange. It encodes the symbol, so that any ticker can be looked up by it."""
    number = 0
    for letter in symbol:
        number = number * len(_LETTERS) + _LETTERS.index(letter) + 1
    return _uuid(number * _SPREAD & _FREE)


def symbol_of(asset: str) -> str | None:
    """The symbol that an asset's UUID encodes; None for anything else."""
    if not is_uuid(asset):
        return None
    number, symbol = _number(asset) * pow(_SPREAD, -1, _FREE + 1) & _FREE, ""
    while number and len(symbol) < _LONGEST:
        number, place = divmod(number - 1, len(_LETTERS))
        symbol = _LETTERS[place] + symbol
    return symbol if symbol and not number else None


def is_uuid(value: str) -> bool:
    """Whether the value has the form of a UUID."""
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False


def _uuid(number: int) -> str:
    bits = (number >> 74) << 80 | _VERSION_4 | (number >> 62 & 0xFFF) << 64 | _VARIANT | number & (1 << 62) - 1
    return str(UUID(int=bits))


def _number(asset: str) -> int:
    bits = UUID(asset).int
    return bits >> 80 << 74 | (bits >> 64 & 0xFFF) << 62 | bits & (1 << 62) - 1
