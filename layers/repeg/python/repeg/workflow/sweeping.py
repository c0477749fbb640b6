"""Sweeping: fence a run whose execution has died, cancel all its orders, and look at the broker twice.

When an execution ends, the function that it was waiting for goes on. That function may still send an order it had
already written an intent for, so one empty look proves nothing: the second comes when the function must be dead.
"""

from __future__ import annotations

from repeg.domain.errors import BrokerDenied
from repeg.domain.run import Run, RunState
from repeg.domain.steps import RunSwept, StepFailure
from repeg.domain.time_limits import DEAD_STEP, EMPTY_LOOKS_NEEDED, SWEEP_LOOKS
from repeg.ports import Ports
from repeg.workflow.closing import (
    announce,
    cancel_by_prefix,
    close_orders,
    publish,
    report_on,
    report_unseen,
    require_closed,
)
from repeg.workflow.turn import begin_turn


def sweep(run: Run, owner: str, cause: str, ports: Ports) -> RunSwept:
    """Take the run over from its owner and leave none of its orders open.

    Sweeping an ended run changes nothing, but publishes its end if that was not done. Raises Conflict if another sweep
    is under way, StillOpen while an order will not close, and BrokerDenied if the broker cannot be read: then the run
    is reported as failed all the same, naming what is not known.
    """
    ports = ports.for_closing()
    if run.state in {RunState.CLOSED, RunState.SWEPT}:
        if run.report is not None:
            announce(run.run_id, run.report, ports)
        return RunSwept(run_id=run.run_id, outcome="over", cancelled=len(cancel_by_prefix(run.run_id, ports)))
    fenced = ports.store.take_over(run.run_id, run.epoch, owner)
    ports.store.set_run_state(run.run_id, fenced.epoch, RunState.CLOSING)
    try:
        _sweep(fenced, cause, ports)
    except BrokerDenied as error:
        report_unseen(run.run_id, cause, error, ports)
        raise
    return RunSwept(run_id=run.run_id, outcome="swept", cancelled=0)


def _sweep(run: Run, cause: str, ports: Ports) -> None:
    turn = begin_turn(run.run_id, ports)
    turn.warn("run", "sweep", run.run_id, cause)
    left = _look_until_empty(run.run_id, ports)
    report = report_on(begin_turn(run.run_id, ports), 0, StepFailure(Error="Swept", Cause=cause), left)
    ports.store.save_report(run.run_id, report)
    require_closed(report, left)
    ports.store.set_run_state(run.run_id, run.epoch, RunState.SWEPT)
    publish(turn, report)


def _look_until_empty(run_id: str, ports: Ports) -> list[str]:
    """Cancel and look again until enough looks in a row, DEAD_STEP apart, find nothing. Returns what is still open."""
    left: list[str] = []
    empty = 0
    for look in range(SWEEP_LOOKS):
        if look:
            ports.runtime.pause(DEAD_STEP.total_seconds())
        left = close_orders(begin_turn(run_id, ports))
        empty = 0 if left else empty + 1
        if empty == EMPTY_LOOKS_NEEDED:
            return []
    return left
