"""Price improvement: what a wholesaler gives a marketable order over the displayed far side."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from repeg_workbench.exchange.units import whole_shares

if TYPE_CHECKING:
    from repeg_workbench.exchange.broker_quirks import BrokerQuirks

_WHOLE = 1_000
_LOTS = 1 << 32


class MetBook(NamedTuple):
    """The book that a marketable order meets, prices times the order's side: near < far, lower is better to buy."""

    near: int
    near_size: int
    far: int
    far_size: int


class Improvement(NamedTuple):
    """How much of the quoted half-spread a marketable order is given, in permille.

    `share` is the mean for a small order. Each order draws its own, evenly from as wide a range around the mean as lies
    between nothing and all of the half-spread, by the exchange's seed and its id. `by_size` is the part of it that an
    order for the whole displayed size loses, one for half of it half as much, and a larger one no more.
    `by_imbalance` is the part that an order loses when all of the displayed size is on its own side, so that the price
    is about to move against the wholesaler; none is lost while most of the size is on the far side.
    """

    seed: int
    share: int
    by_size: int = 0
    by_imbalance: int = 0

    def of(self, order_id: str, quantity: int, touch: MetBook) -> int:
        """Price units by which an order of that quantity trades better than the far side, never beyond the mid."""
        if touch.near >= touch.far or not self.share > 0:
            return 0
        lots = self._lots(order_id)
        low, high = max(0, 2 * self.share - _WHOLE), min(_WHOLE, 2 * self.share)
        drawn = low * _LOTS + (high - low) * next(lots)
        kept = (_WHOLE - self._lost_by_size(quantity, touch)) * (_WHOLE - self._lost_by_imbalance(touch))
        # Half of the spread, three times in permille and once in lots, is rounded by lot, so that the mean is kept.
        whole, part = divmod((touch.far - touch.near) * drawn * kept, 2 * _LOTS * _WHOLE**3)
        is_up = next(lots) * 2 * _WHOLE**3 < part
        return min(whole + is_up, (touch.far - touch.near) // 2)

    def _lots(self, order_id: str) -> Iterator[int]:
        digest = sha256(f"{self.seed}:improvement:{order_id}".encode()).digest()
        return (int.from_bytes(digest[at : at + 4], "big") for at in (0, 4))

    def _lost_by_size(self, quantity: int, touch: MetBook) -> int:
        size = max(1, touch.far_size)
        return self.by_size * min(whole_shares(quantity), size) // size

    def _lost_by_imbalance(self, touch: MetBook) -> int:
        total = max(1, touch.near_size + touch.far_size)
        return self.by_imbalance * max(0, touch.near_size - touch.far_size) // total


def improvement_of(quirks: BrokerQuirks, seed: int) -> Improvement | None:
    """The improvement that a broker's quirks describe; None if marketable orders pay the displayed far side."""
    if not quirks.price_improvement:
        return None
    return Improvement(seed, quirks.price_improvement, quirks.improvement_by_size, quirks.improvement_by_imbalance)
