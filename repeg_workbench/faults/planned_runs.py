"""The runs of a seed's day: which plan a stack starts when, and what it may trade at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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

    @property
    def symbols(self) -> list[str]:
        """The plan's symbols."""
        return [row["symbol"] for row in self.plan.get("orders", ())] + list(self.plan.get("targets", ()))

    @property
    def sized_later(self) -> set[str]:
        """The symbols whose quantities depend on the time of planning: those with weights, orders in dollars, and sells
        of everything."""
        later = {row["symbol"] for row in self.plan.get("orders", ()) if row.get("qty") in {None, "all"}}
        return later | set(self.plan.get("targets", ()))

    def targets(self, opening: OpeningAccount) -> dict[str, tuple[int, Decimal]]:
        """The sign and quantity of each order of a plan of orders, derived from the plan and the opening positions
        alone; empty for a plan of weights."""
        held = {symbol: qty for symbol, (qty, _) in opening.positions.items()}
        return {row["symbol"]: _target(row, held) for row in self.plan.get("orders", ())}


def _target(row: Mapping[str, str], held: Mapping[str, Decimal]) -> tuple[int, Decimal]:
    """An order in dollars has no shares until it is planned."""
    if "notional" in row:
        return 1 if row["side"] == "buy" else -1, Decimal(0)
    if row["side"] == "buy":
        return 1, Decimal(row["qty"])
    return -1, held.get(row["symbol"], Decimal(0)) if row["qty"] == "all" else Decimal(row["qty"])
