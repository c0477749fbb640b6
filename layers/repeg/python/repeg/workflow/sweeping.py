"""Sweeping: a run whose execution has died is fenced, everything of it is cancelled, and the broker is looked at twice.

Ending an execution does not end the function that it was waiting for. That one may still send an order it had already
written down, so one empty look proves nothing: the second comes after it must be dead.
"""

from __future__ import annotations

from typing import Any

from repeg.domain.errors import BrokerDenied
from repeg.domain.run import Run, RunState
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

# Longer than any step's own time limit, its last request's time-out included.
ZOMBIE_SECONDS = 60

EMPTY_LOOKS = 2
MAX_LOOKS = 5


def sweep(run: Run, owner: str, cause: str, ports: Ports) -> dict[str, Any]:
    """Take the run over from whoever held it and leave nothing of it open. Returns what was done.

    Sweeping again changes nothing, but tells what has not been told. Raises Conflict where somebody else is sweeping,
    StillOpen while an order will not close, and BrokerDenied where the broker cannot be looked at: then the run is
    reported as failed all the same, with what is not known.
    """
    ports = ports.for_closing()
    if run.state in {RunState.CLOSED, RunState.SWEPT}:
        if run.report is not None:
            announce(run.run_id, run.report, ports)
        return {"run_id": run.run_id, "outcome": "over", "cancelled": len(cancel_by_prefix(run.run_id, ports))}
    fenced = ports.store.take_over(run.run_id, run.epoch, owner)
    ports.store.set_run_state(run.run_id, fenced.epoch, RunState.CLOSING)
    try:
        _sweep(fenced, cause, ports)
    except BrokerDenied as error:
        report_unseen(run.run_id, cause, error, ports)
        raise
    return {"run_id": run.run_id, "outcome": "swept", "cancelled": 0}


def _sweep(run: Run, cause: str, ports: Ports) -> None:
    turn = begin_turn(run.run_id, ports)
    turn.note("run", "sweep", run.run_id, cause)
    left = _look_until_empty(run.run_id, ports)
    report = report_on(begin_turn(run.run_id, ports), 0, {"Error": "Swept", "Cause": cause}, left)
    ports.store.save_report(run.run_id, report)
    require_closed(report, left)
    ports.store.set_run_state(run.run_id, run.epoch, RunState.SWEPT)
    publish(turn, report)


def _look_until_empty(run_id: str, ports: Ports) -> list[str]:
    """Cancel, and look again, until two looks in a row, a dead step's time apart, find nothing."""
    left: list[str] = []
    empty = 0
    for look in range(MAX_LOOKS):
        if look:
            ports.runtime.pause(ZOMBIE_SECONDS)
        left = close_orders(begin_turn(run_id, ports))
        empty = 0 if left else empty + 1
        if empty == EMPTY_LOOKS:
            return []
    return left
