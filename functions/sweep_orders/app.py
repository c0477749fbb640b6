"""SweepOrders: an execution has failed, timed out or been aborted; none of its run's orders may stay open."""

from __future__ import annotations

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.errors import RepegError
from repeg.domain.steps import RunSwept, StatusChange
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.sweeping import sweep


@lambda_step
def lambda_handler(payload: StatusChange, _context: LambdaContext) -> RunSwept:
    """What was done for which run."""
    try:
        answer = sweep_orders(payload.detail.execution_arn, payload.detail.status, ports())
    except RepegError:
        count("SweepsFailed", 1)
        raise
    count("RunsSwept", answer.outcome == "swept")
    return answer


def sweep_orders(execution: str, status: str, ports: Ports) -> RunSwept:
    """Sweep the run that the execution holds. An execution that never claimed a run has no orders.

    The event may be late: if another execution has taken the run over since, nothing is changed.
    """
    sweeper = f"{execution}#sweep"
    held = ports.store.guard_of(execution)
    if held is None:
        return RunSwept(run_id="", outcome="nothing", cancelled=0)
    if held.owner not in {execution, sweeper}:
        return RunSwept(run_id=held.run_id, outcome="superseded", cancelled=0)
    return sweep(held, sweeper, f"its execution ended {status}", ports)
