"""Random ids and delays, each from a separate stream of the exchange's seed."""

from functools import cache
from random import Random  # noqa: TID251 - seeded
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5  # noqa: TID251 - the broker chooses its own order ids

from repeg_workbench.exchange.broker_quirks import Milliseconds
from repeg_workbench.exchange.time.stamps import MILLISECOND

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


@cache
def asset_id(symbol: str) -> str:
    """An asset's UUID, the same on every exchange."""
    return str(uuid5(NAMESPACE_URL, f"asset:{symbol}"))


def is_uuid(value: str) -> bool:
    """Whether the value has the form of a UUID."""
    try:
        return str(UUID(value)) == value.lower()
    except ValueError:
        return False
