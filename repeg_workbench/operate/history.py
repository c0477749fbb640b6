"""The runs that a stack's table holds, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from repeg.domain.errors import UnreadableRow
from repeg.domain.run import Run
from repeg.domain.session import trading_date
from repeg.domain.store_rules import Guard
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.stack import DeployedStack

DAYS = 30
RECENT_DAYS = 5
"""Runs of this many days are looked for when a command names none: a long weekend and a day."""

_NOTHING = "–"


def guards(stack: DeployedStack, days: int) -> Iterator[Guard]:
    """The guard rows of the runs of the last days, newest first."""
    today = trading_date(stack.at.runtime.now())
    for back in range(days):
        of_day = stack.store.guards_on(today - timedelta(days=back))
        yield from sorted(of_day, key=lambda guard: _started(stack, guard), reverse=True)


def _started(stack: DeployedStack, guard: Guard) -> str:
    """When a run was started; one that cannot be read counts as the oldest of its day."""
    try:
        run = stack.store.run(guard.run_id)
    except UnreadableRow:
        return ""
    return "" if run is None else run.started_at.isoformat()


def find_run(stack: DeployedStack, run_id: str | None) -> Run:
    """The run of that id, or the latest one. Raises CannotOperate naming the latest runs."""
    if run_id is None:
        latest = next(guards(stack, DAYS), None)
        if latest is None:
            raise CannotOperate(f"stack {stack.name} has had no run in {DAYS} days; start one with `repeg start PLAN`")
        run_id = latest.run_id
    run = stack.store.run(run_id)
    if run is None:
        known = ", ".join(guard.run_id for guard, _ in zip(guards(stack, DAYS), range(3), strict=False))
        raise CannotOperate(f"no run {run_id} in stack {stack.name}; " + (f"the latest: {known}" if known else "none"))
    return run


def row(stack: DeployedStack, guard: Guard) -> dict[str, Any]:
    """A run as JSON values. One that this release cannot read has only its id and state, and says so."""
    try:
        run = stack.store.run(guard.run_id)
    except UnreadableRow as error:
        return {"run_id": guard.run_id, "state": guard.state, "outcome": "unreadable", "reason": str(error)}
    return {"run_id": guard.run_id, "state": guard.state} if run is None else _described(stack, run)


def _described(stack: DeployedStack, run: Run) -> dict[str, Any]:
    report = None if run.report is None else run.report.as_json()
    found: dict[str, Any] = {
        "run_id": run.run_id,
        "state": run.state.value,
        "preview": run.preview,
        "started_at": run.started_at.isoformat(),
        "execution": run.owner.rpartition(":")[2],
        "outcome": "",
        "error": "",
        "reason": "",
        "totals": None,
    }
    if report is None:
        return {**found, **_progress(stack, run)}
    return {**found, **{name: report[name] for name in ("outcome", "error", "reason", "totals")}}


def _progress(stack: DeployedStack, run: Run) -> dict[str, Any]:
    """How far a run without a report has come."""
    orders = stack.store.orders(run.run_id)
    last_turn: datetime | None = stack.store.last_turn(run.run_id)
    return {
        "orders": len(orders),
        "orders_done": sum(order.outcome is not None for order in orders),
        "last_turn": None if last_turn is None else last_turn.isoformat(),
    }


def cells(found: Mapping[str, Any]) -> tuple[str, ...]:
    """A run's row for a table: run, state, outcome, filled, costs, reason."""
    totals = found.get("totals") or {}
    filled = f"{totals['orders_filled']} of {totals['orders']}" if totals else _NOTHING
    if not totals and "orders" in found:
        filled = f"{found['orders_done']} of {found['orders']} done"
    kind = " (preview)" if found.get("preview") else ""
    outcome = found.get("outcome") or _NOTHING
    why = ": ".join(filter(None, (found.get("error", ""), found.get("reason", ""))))
    return (
        found["run_id"] + kind, found["state"], outcome, filled, shown(totals.get("cost_bps")),
        shown(totals.get("market_cost_bps")), why,
    )  # fmt: skip


def shown(value: Any) -> str:
    """A figure as text; a dash for one that is not known."""
    return _NOTHING if value is None or value == "" else str(value)


def trading_day_of(stack: DeployedStack) -> date:
    """Today in New York, by this machine's clock."""
    return trading_date(stack.at.runtime.now())
