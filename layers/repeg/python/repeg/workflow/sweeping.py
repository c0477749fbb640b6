"""Sweeping: fence a run whose execution has died, cancel all its orders, and look at the broker twice.

When an execution ends, the function that it was waiting for goes on. That function may still send an order it had
already written an intent for, so one empty look proves nothing: the second comes when the function must be dead.

A run's orders are found by the prefix of their ids. They are cancelled before any row but the run's guard row is read,
so that no row that this release cannot read keeps an order open.
"""

from __future__ import annotations

from collections.abc import Callable

from repeg.domain.errors import BrokerDenied, BrokerUnavailable, StillOpen, StoreUnavailable, UnreadableRow
from repeg.domain.run import RunState
from repeg.domain.run_health import Alert, Finding
from repeg.domain.steps import RunSwept, StepFailure
from repeg.domain.store_rules import Guard
from repeg.domain.time_limits import DEAD_STEP, EMPTY_LOOKS_NEEDED, SWEEP_LOOKS
from repeg.ports import Ports
from repeg.workflow.alerts import publish_alerts
from repeg.workflow.closing import cancel_by_prefix, close_orders
from repeg.workflow.reporting import (
    announce,
    announce_end,
    publish,
    report_on,
    report_unreadable,
    report_unseen,
    require_closed,
)
from repeg.workflow.turn import begin_turn, in_account_of


def sweep(held: Guard, owner: str, cause: str, ports: Ports) -> RunSwept:
    """Take the run over from its owner and leave none of its orders open.

    Sweeping an ended run changes nothing, but publishes its end if that was not done. Raises Conflict if another sweep
    is under way, StillOpen while an order will not close, and BrokerDenied if the broker cannot be read: then the run
    is reported as failed all the same, naming what is not known.
    """
    ports = ports.for_closing()
    if held.is_over:
        cancelled = len(cancel_by_prefix(held.order_prefix, in_account_of(held, ports)))
        announce_end(held, ports)
        return RunSwept(run_id=held.run_id, outcome="over", cancelled=cancelled)
    fenced = fence(held, owner, ports)
    cancelled = cancel_first(held, ports)
    try:
        alerts = _sweep(fenced, cause, ports)
    except BrokerDenied as error:
        report_unseen(held.run_id, cause, error, ports)
        raise
    except UnreadableRow as error:
        alerts = _sweep_unreadable(fenced, f"{cause}; {error}", ports)
    return RunSwept(run_id=held.run_id, outcome="swept", cancelled=cancelled, alerts=tuple(alerts))


def fence(held: Guard, owner: str, ports: Ports) -> Guard:
    """The run, taken over and closing, before any of its orders is cancelled: a step of it that is still alive must not
    take our cancels for its owner's. Without the table the orders are cancelled all the same."""
    try:
        fenced = ports.store.take_over(held.run_id, held.epoch, owner)
        ports.store.set_run_state(fenced.run_id, fenced.epoch, RunState.CLOSING)
    except StoreUnavailable:
        cancel_first(held, ports)
        raise
    return fenced


def cancel_first(held: Guard, ports: Ports) -> int:
    """Request the cancel of the run's open orders, before anything else is read; returns how many. None if the broker
    does not answer: the looks that follow report that."""
    try:
        return len(cancel_by_prefix(held.order_prefix, in_account_of(held, ports)))
    except (BrokerDenied, BrokerUnavailable):
        return 0


def _sweep(held: Guard, cause: str, ports: Ports) -> list[Alert]:
    turn = begin_turn(held.run_id, ports)
    turn.warn("run", "sweep", held.run_id, cause)
    left = _look_until_empty(lambda: close_orders(begin_turn(held.run_id, ports)).left, ports)
    failure = StepFailure(Error="Swept", Cause=cause)
    report, alerts = report_on(begin_turn(held.run_id, ports), 0, failure, left)
    ports.store.save_report(held.run_id, report)
    require_closed(report, left)
    publish_alerts(alerts, ports)
    ports.store.set_run_state(held.run_id, held.epoch, RunState.SWEPT)
    publish(turn, report)
    return alerts


def _sweep_unreadable(held: Guard, cause: str, ports: Ports) -> list[Alert]:
    """End a run that cannot be read: its orders are cancelled by their ids, and its report has only the reason."""
    left = _look_until_empty(lambda: cancel_by_prefix(held.order_prefix, in_account_of(held, ports)), ports)
    if left:
        raise StillOpen(f"{held.run_id}: still open at the broker {left}")
    alert = Alert(finding=Finding.UNREADABLE_ROW, run_id=held.run_id, reason=cause)
    publish_alerts([alert], ports)
    report = report_unreadable(held.run_id, cause, ports)
    ports.store.set_run_state(held.run_id, held.epoch, RunState.SWEPT)
    announce(held.run_id, report, ports)
    return [alert]


def _look_until_empty(look: Callable[[], list[str]], ports: Ports) -> list[str]:
    """Cancel and look again until enough looks in a row, DEAD_STEP apart, find nothing. Returns what is still open."""
    left: list[str] = []
    empty = 0
    for number in range(SWEEP_LOOKS):
        if number:
            ports.runtime.pause(DEAD_STEP.total_seconds())
        left = look()
        empty = 0 if left else empty + 1
        if empty == EMPTY_LOOKS_NEEDED:
            return []
    return left
