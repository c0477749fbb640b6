"""SweepOrders: an execution has failed, timed out or been aborted; none of its run's orders may stay open."""

from __future__ import annotations

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.steps import RunSwept, StatusChange
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.sweeping import sweep


@lambda_step
def lambda_handler(payload: StatusChange, _context: LambdaContext) -> RunSwept:
    """What was done for which run."""
    answer = sweep_orders(payload.detail.execution_arn, payload.detail.status, ports())
    count("RunsSwept", answer.outcome == "swept")
    return answer


def sweep_orders(execution: str, status: str, ports: Ports) -> RunSwept:
    """Sweep the run that the execution held. An execution that never claimed a run has no orders."""
    run = ports.store.run_of(execution)
    if run is None:
        return RunSwept(run_id="", outcome="nothing", cancelled=0)
    return sweep(run, f"{execution}#sweep", f"its execution ended {status}", ports)
