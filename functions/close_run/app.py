"""CloseRun: cancel the run's open orders, confirm, reconcile with the fills, report, publish."""

from __future__ import annotations

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.errors import RepegError, StoreUnavailable
from repeg.domain.order_ids import legacy_prefix, run_prefix
from repeg.domain.report import Report
from repeg.domain.run import Run, RunState
from repeg.domain.session import wire
from repeg.domain.steps import CLOSING, ClosePayload, RunClosed, StepFailure
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.alerts import publish_alerts
from repeg.workflow.closing import cancel_by_prefix, close_orders
from repeg.workflow.reporting import announce, publish, report_on, require_closed
from repeg.workflow.turn import Turn, begin_turn


@lambda_step
def lambda_handler(payload: ClosePayload, _context: LambdaContext) -> RunClosed:
    """How the run ended."""
    try:
        answer = close_run(payload.run_id, payload.epoch, payload.turn.turns, payload.ending, ports())
    except RepegError:
        count("ClosesFailed", 1)
        raise
    count("RunsSettled", answer.outcome == "settled")
    count("RunsFailed", answer.outcome not in {"settled", CLOSING})
    return answer


def close_run(run_id: str, epoch: int, turns: int, failure: StepFailure | None, ports: Ports) -> RunClosed:
    """End the run with none of its orders open. Raises StillOpen, to be retried, until the broker confirms that.

    A step has time for so many cancels. While some are left it answers `closing`, with the failure that led here, and
    the machine calls it again.
    """
    ports = ports.for_closing()
    failure = failure if failure is not None and failure.error else None
    run = _run_or_cancel(run_id, ports)
    if run is None or run.epoch != epoch:
        reason = f"{run_id} is held by another execution: {_holder(run)}"
        return RunClosed(outcome="failed", error="Fenced", reason=reason)
    if run.state is RunState.CLOSED and run.report is not None:
        announce(run_id, run.report, ports)
        return _closed(run.report)
    ports.store.set_run_state(run_id, epoch, RunState.CLOSING)
    turn = begin_turn(run_id, ports)
    left, unasked = close_orders(turn)
    if unasked:
        return _closes_on(turn, unasked, failure)
    report, alerts = report_on(turn, turns, failure, left)
    # Before it is saved: another invocation of this step may have saved the last report by now.
    require_closed(report, left)
    ports.store.save_report(run_id, report)
    publish_alerts(alerts, ports)
    ports.store.set_run_state(run_id, epoch, RunState.CLOSED)
    publish(turn, report)
    return _closed(report)


def _closes_on(turn: Turn, unasked: int, failure: StepFailure | None) -> RunClosed:
    """What a step answers that has more orders to cancel. Its heartbeat keeps the watchdog from sweeping the run."""
    turn.ports.store.record_heartbeat(turn.run.run_id, turn.now)
    turn.journal("run", CLOSING, turn.run.run_id, f"{unasked} orders are left for the next step")
    ending = failure or StepFailure(Error="", Cause="")
    return RunClosed(outcome=CLOSING, error=ending.error, reason=ending.cause, again_at=wire(turn.now))


def _run_or_cancel(run_id: str, ports: Ports) -> Run | None:
    """The stored run. If the table does not answer, cancel by the run's prefixes, from the broker's list alone."""
    try:
        return ports.store.run(run_id)
    except StoreUnavailable:
        for prefix in (run_prefix(ports.tag, run_id), legacy_prefix(run_id)):
            cancel_by_prefix(prefix, ports)
        raise


def _holder(run: Run | None) -> str:
    return "there is no such run" if run is None else f"it is at epoch {run.epoch}"


def _closed(report: Report) -> RunClosed:
    return RunClosed(outcome=report.outcome, error=report.error, reason=report.reason)
