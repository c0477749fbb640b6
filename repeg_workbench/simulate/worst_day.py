"""The dearest orders of an arm's worst day, simulated once more."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import typer

from repeg.domain.report import OrderRow
from repeg.domain.shortfall import PARTS, Shortfall
from repeg_workbench.simulate.published import DEMO_PLAN
from repeg_workbench.simulate.rebalance_figures import Rebalance
from repeg_workbench.simulate.rebalances import Terms
from repeg_workbench.simulate.request import scenario
from repeg_workbench.simulate.simulation import opened

MOST = 3


def dearest_orders(arm: Mapping[int, Rebalance], about: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The orders as JSON values, dearest first; `about` are the arm's terms as they are kept.

    Raises BadParameter if the day does not cost what it did: the program or its market has changed since.
    """
    known = [day for day in arm.values() if day.dollars is not None]
    worst = max(known, key=lambda day: day.bps)
    rows = _orders_of(worst.seed, about)
    whole = sum((found.dollars or Decimal(0) for _, found in rows), Decimal(0))
    if whole != Decimal(worst.dollars or 0):
        raise typer.BadParameter(f"seed {worst.seed} cost {worst.dollars} dollars, and {whole} now: use its commit")
    return [_as_json(row, found) for row, found in sorted(rows, key=_dollars, reverse=True)[:MOST]]


def _orders_of(seed: int, about: Mapping[str, Any]) -> list[tuple[OrderRow, Shortfall]]:
    account = about["cash"], tuple(about["settings"]), about["multiplier"]
    day = scenario(Terms(str(DEMO_PLAN), about["date"], about["feed"], *account).options(seed))
    with opened(day) as simulated:
        simulated.start(day.run_id)
        simulated.run()
        run = simulated.ports.store.run(day.run_id)
    rows = () if run is None or run.report is None else run.report.orders
    return [(row, row.shortfall) for row in rows if row.shortfall is not None]


def _dollars(costed: tuple[OrderRow, Shortfall]) -> Decimal:
    return costed[1].dollars or Decimal(0)


def _as_json(row: OrderRow, found: Shortfall) -> dict[str, Any]:
    parts = {name: str(value) for name in PARTS if (value := getattr(found, name)) is not None}
    return {"side": row.side, "qty": str(row.qty), "symbol": row.symbol, "dollars": str(found.dollars), "parts": parts}
