"""`repeg runs` and `repeg report`: the history of a stack, and how one run ended."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import Run
from repeg_workbench.operate import history
from repeg_workbench.operate.answer import DONE, UNFINISHED, Answer, counted, pairs, table
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.history import shown
from repeg_workbench.operate.stack import DeployedStack, find_stack
from repeg_workbench.operate.workstation import Workstation
from repeg_workbench.simulate.cost_table import cost_lines
from repeg_workbench.simulate.summary import order_table

MOST_DAYS = 366


def runs(at: Workstation, stack: str | None, days: int) -> Answer:
    """The runs of the last days, newest first."""
    if not 1 <= days <= MOST_DAYS:
        raise CannotOperate(f"days: {days} is not valid; expected a whole number from 1 to {MOST_DAYS}")
    found = find_stack(at, stack)
    rows = [history.row(found, guard) for guard in history.guards(found, days)]
    text: list[str | Table] = [f"{found.title}: {counted(len(rows), 'run')} in {counted(days, 'day')}"]
    if rows:
        text.append(run_table(rows))
    return Answer({"stack": found.name, "mode": found.mode, "days": days, "runs": rows}, text)


def report(at: Workstation, stack: str | None, run_id: str | None) -> Answer:
    """How a run ended. One without a report is shown as far as it has come, with exit code 1."""
    found = find_stack(at, stack)
    run = history.find_run(found, run_id)
    if run.report is None:
        return _unfinished(found, run)
    whole = run.report.as_json()
    text: list[str | Table] = [f"{found.title}: {run.run_id}", order_table(whole["orders"]), "", _totals(whole)]
    return Answer(
        {"stack": found.name, "mode": found.mode, **whole}, text, DONE if run.report.is_settled else UNFINISHED
    )


def run_table(rows: list[dict[str, Any]]) -> Table:
    """A line for each run."""
    made = table(
        "run", "state", "outcome", "filled", "cost bps", "market bps", "reason", numbers=("cost bps", "market bps")
    )
    for row in rows:
        made.add_row(*history.cells(row))
    return made


def _totals(whole: dict[str, Any]) -> Table:
    totals = whole["totals"]
    why = ": ".join(filter(None, (whole["error"], whole["reason"])))
    rows = [
        ("run", f"{whole['outcome']}, {why}" + (" (preview)" if whole["preview"] else "")),
        (
            "filled",
            f"{totals['orders_filled']} of {totals['orders']} orders, {shown(totals['filled_notional'])} dollars",
        ),
        ("cost", f"{shown(totals['cost_bps'])} bps; market orders at arrival: {shown(totals['market_cost_bps'])} bps"),
        *cost_lines(whole["costs"], is_preview=whole["preview"]),
        ("unfilled", f"{shown(totals['unfilled_cost'])} dollars"),
        ("turns", str(totals["turns"])),
        *_usage(whole.get("usage")),
    ]
    notes = [*whole["notes"], *(f"{order['symbol']}: {order['note']}" for order in whole["orders"] if order["note"])]
    return pairs(rows + [("note", note) for note in notes])


def _usage(usage: dict[str, Any] | None) -> list[tuple[str, str]]:
    """What the run has used, as far as its steps knew it; nothing for a report that does not say."""
    if usage is None:
        return []
    requests = f"{usage['trading_requests']} requests to the broker, {usage['data_requests']} for quotes"
    machine = f"{usage['transitions']} transitions, {usage['history_events']} history events"
    spent = f"{usage['milliseconds'] / 1_000:.0f} seconds of functions in {usage['steps']} steps"
    return [
        ("used, estimated", f"{requests}; {machine}; {spent}"),
        ("AWS, estimated", f"{usage['dollars']} dollars, by {usage['prices']}, without table, journal and logs"),
    ]


def _unfinished(stack: DeployedStack, run: Run) -> Answer:
    orders = [_progress(order) for order in stack.store.orders(run.run_id)]
    made = table(
        "symbol", "side", "shares", "filled", "limit", "state", "reason", numbers=("shares", "filled", "limit")
    )
    for order in orders:
        state = order["outcome"] or (f"held: {order['held']}" if order["held"] else order["state"])
        cells = [shown(order[name]) for name in ("symbol", "side", "qty", "filled_qty", "limit")]
        made.add_row(*cells, state, order["reason"])
    said = f"{stack.title}: {run.run_id} is {run.state} and has no report yet; follow it with `repeg watch`"
    data = {"stack": stack.name, "mode": stack.mode, "run_id": run.run_id, "state": run.state.value, "orders": orders}
    return Answer(data, [said, made] if orders else [said], UNFINISHED)


def _progress(order: ParentOrder) -> dict[str, Any]:
    """An order that is being worked, as JSON values."""
    child = order.open_child
    return {
        "symbol": order.symbol,
        "side": order.side.value,
        "qty": str(order.target),
        "filled_qty": str(order.filled),
        "state": order.state.value,
        "held": None if order.held is None else order.held.value,
        "limit": None if child is None or child.limit is None else str(child.limit),
        "outcome": None if order.outcome is None else order.outcome.value,
        "reason": order.reason,
    }
