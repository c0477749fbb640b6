"""Hints: which of a run's orders to look at, because the broker's stream has mentioned them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class HintKind(StrEnum):
    """Why to look at an order. A kind is never evidence: the order itself is read from the broker before any act."""

    FILL = "fill"
    ORDER_UPDATE = "order_update"
    CASH_FREED = "cash_freed"


@dataclass(frozen=True)
class Hints:
    """Which symbols to look at, and why; no quantity and no price.

    `has_gap` says that events may have been missed, for example before a reconnection: then every order is read back.
    """

    by_symbol: Mapping[str, frozenset[HintKind]] = field(default_factory=dict)
    has_gap: bool = False

    def __bool__(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self.by_symbol) or self.has_gap
