"""SweepOrders: an execution has failed, timed out or been aborted; nothing of its run may stay open."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.sweeping import sweep


@lambda_step
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Payload: the service's status change event. Answer: what was done for which run."""
    detail = event["detail"]
    answer = sweep_orders(detail["executionArn"], detail["status"], ports())
    count(runs_swept=answer["outcome"] == "swept")
    return answer


def sweep_orders(execution: str, status: str, ports: Ports) -> dict[str, Any]:
    """Sweep the run that the execution held; one that never claimed a run left nothing behind."""
    run = ports.store.run_of(execution)
    if run is None:
        return {"run_id": "", "outcome": "nothing", "cancelled": 0}
    return sweep(run, f"{execution}#sweep", f"its execution ended {status}", ports)
