"""The two arms of the experiment, and the lot that an order draws."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from hashlib import sha256

_LOTS = 2**32


class Arm(StrEnum):
    """Whether a drawn order is sent at the market at arrival, or worked as usual to be compared with those."""

    CONTROL = "control"
    TREATED = "treated"


def drawn(run_id: str, symbol: str, share: Decimal) -> Arm:
    """The arm of an order, by lot: the same for the same run, symbol and share, and control with the chance `share`.

    The lot is a hash, so a step that is repeated draws it again, and no price or time has a part in it.
    """
    lot = int.from_bytes(sha256(f"{run_id} {symbol}".encode()).digest()[:4], "big")
    return Arm.CONTROL if lot < share * _LOTS else Arm.TREATED
