"""The runs of a seed's day: which plan a stack starts when, and what it may trade at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from repeg_workbench.exchange.broker.opening import OpeningAccount


@dataclass(frozen=True)
class PlannedRun:
    """One start of a plan: by which stack, how many seconds after the day's first start, with which settings of its
    input."""

    plan: dict[str, Any]
    stack: int = 0
    run_number: int = 1
    after: float = 0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def targets(self, opening: OpeningAccount) -> dict[str, tuple[int, Decimal]]:
        """The sign and quantity of each symbol's order, derived from the plan and the opening positions alone."""
        held = {symbol: qty for symbol, (qty, _) in opening.positions.items()}
        return {
            row["symbol"]: (1, Decimal(row["qty"]))
            if row["side"] == "buy"
            else (-1, held[row["symbol"]] if row["qty"] == "all" else Decimal(row["qty"]))
            for row in self.plan["orders"]
        }


@dataclass(frozen=True)
class JudgedRun:
    """One run as the day plans it: the prefix of its client order ids, and sign and most shares of each symbol."""

    run_id: str
    prefix: str
    day: date
    targets: Mapping[str, tuple[int, Decimal]]
