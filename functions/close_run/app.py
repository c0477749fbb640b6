"""CloseRun: cancel what is ours and open, confirm, reconcile with the fills, report, notify."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.errors import StoreUnavailable
from repeg.domain.run import Run, RunState
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.closing import announce, cancel_by_prefix, close_orders, publish, report_on, require_closed
from repeg.workflow.turn import begin_turn


@lambda_step
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Payload: run_id, epoch, turn, and `ending` where a step failed. Answer: outcome, error, reason."""
    turns = event.get("turn", {}).get("turns", 0)
    answer = close_run(event["run_id"], event["epoch"], turns, event.get("ending"), ports())
    count(runs_settled=answer["outcome"] == "settled", runs_failed=answer["outcome"] != "settled")
    return answer


def close_run(run_id: str, epoch: int, turns: int, failure: dict[str, Any] | None, ports: Ports) -> dict[str, Any]:
    """End the run with nothing of ours open. Raises StillOpen, to be called again, until the broker has said so."""
    ports = ports.for_closing()
    run = _run_or_cancel(run_id, ports)
    if run is None or run.epoch != epoch:
        return {"outcome": "failed", "error": "Fenced", "reason": f"{run_id} is not ours to close: {_holder(run)}"}
    if run.state is RunState.CLOSED and run.report is not None:
        announce(run_id, run.report, ports)
        return {key: run.report[key] for key in ("outcome", "error", "reason")}
    ports.store.set_run_state(run_id, epoch, RunState.CLOSING)
    turn = begin_turn(run_id, ports)
    left = close_orders(turn)
    report = report_on(turn, turns, failure, left)
    ports.store.save_report(run_id, report)
    require_closed(report, left)
    ports.store.set_run_state(run_id, epoch, RunState.CLOSED)
    publish(turn, report)
    return {key: report[key] for key in ("outcome", "error", "reason")}


def _run_or_cancel(run_id: str, ports: Ports) -> Run | None:
    """The run's row; while the table does not answer, cancel by the run's prefix with the broker as the only truth."""
    try:
        return ports.store.run(run_id)
    except StoreUnavailable:
        cancel_by_prefix(run_id, ports)
        raise


def _holder(run: Run | None) -> str:
    return "there is no such run" if run is None else f"it is at epoch {run.epoch}"
