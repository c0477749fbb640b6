"""The watchdog: find missed and stuck runs, sweep the stuck ones, cancel orphaned orders, publish unpublished ends."""

from __future__ import annotations

from datetime import datetime, timedelta

from repeg.domain.broker import BrokerClock
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, Conflict
from repeg.domain.order_ids import run_of
from repeg.domain.run import Run
from repeg.domain.run_health import Alert, Finding, is_over, is_stuck, missed
from repeg.domain.session import trading_date
from repeg.domain.time_limits import ORPHANED_AFTER
from repeg.ports import Ports
from repeg.workflow.closing import announce, cancel_by_prefix, report_unseen
from repeg.workflow.sweeping import sweep

# Runs of this many days before today are looked at as well: a long weekend.
DAYS_BACK = 4


def watch(ports: Ports, *, expect_run: bool) -> list[Alert]:
    """Look at every recent run and at all open orders; returns the alerts, each of which has been published.

    `expect_run` says whether a session day without a run is an alert. If the broker is unreachable, reports what is
    known from the table, then re-raises the broker's error.
    """
    ports = ports.for_closing()
    try:
        clock = ports.broker.clock()
        day = ports.broker.trading_day(trading_date(clock.now))
    except (BrokerDenied, BrokerUnavailable) as error:
        _publish([_unseen(run, error, ports) for run in _stuck_runs(ports.runtime.now(), ports)], ports)
        raise
    runs = _recent_runs(clock.now, ports)
    of_today = [run for run in runs if run.trading_day == day]
    alerts = _publish(missed(day, of_today, clock.now), ports) if expect_run and day else []
    alerts += _publish([alert for run in _stuck_runs(clock.now, ports) for alert in _sweep(run, ports)], ports)
    _publish_endings(runs, ports)
    return alerts + (_publish(_cancel_orphaned(runs, clock, ports), ports) if day else [])


def _recent_runs(now: datetime, ports: Ports) -> list[Run]:
    """The runs of today and of the days before: a run that could not be swept on its day still has to be."""
    today = trading_date(now)
    return [run for back in range(DAYS_BACK + 1) for run in ports.store.runs_on(today - timedelta(days=back))]


def _stuck_runs(now: datetime, ports: Ports) -> list[Run]:
    return [run for run in _recent_runs(now, ports) if is_stuck(run, ports.store.last_turn(run.run_id), now)]


def _sweep(run: Run, ports: Ports) -> list[Alert]:
    alert = Alert(finding=Finding.STUCK_RUN, run_id=run.run_id, reason=_silence(run))
    try:
        sweep(run, f"watch of {run.run_id} at epoch {run.epoch}", alert.reason, ports)
    except Conflict:
        return []  # another sweep is under way
    except (BrokerDenied, BrokerUnavailable) as error:
        return [_unseen(run, error, ports)]
    return [alert]


def _unseen(run: Run, error: BrokerDenied | BrokerUnavailable, ports: Ports) -> Alert:
    """A stuck run while the broker cannot be read: reported as failed once, and alerted until a read succeeds."""
    reason = report_unseen(run.run_id, _silence(run), error, ports)
    return Alert(finding=Finding.STUCK_RUN, run_id=run.run_id, reason=reason)


def _silence(run: Run) -> str:
    return f"{run.state}, and no turn for minutes"


def _publish_endings(runs: list[Run], ports: Ports) -> None:
    """Publish the outcome of finished runs whose own step died before publishing it."""
    for run in runs:
        if is_over(run) and run.report is not None and not run.is_announced:
            announce(run.run_id, run.report, ports)


def _publish(alerts: list[Alert], ports: Ports) -> list[Alert]:
    for alert in alerts:
        ports.notifier.publish(f"repeg.watch.{alert.finding}", alert.model_dump(mode="json"))
    return alerts


def _cancel_orphaned(runs: list[Run], clock: BrokerClock, ports: Ports) -> list[Alert]:
    """Cancel, by run, the orders with our prefix that no run can be working on any more."""
    closes = {run.run_id: run.window.closes for run in runs}
    ids = {run_of(report.client_order_id) for report in ports.broker.open_orders() if report.is_ours}
    ended = sorted(run_id for run_id in ids if run_id not in closes or clock.now > closes[run_id] + ORPHANED_AFTER)
    return [
        Alert(
            finding=Finding.LEFT_OPEN, run_id=run_id, reason=f"cancelled {', '.join(cancel_by_prefix(run_id, ports))}"
        )
        for run_id in ended
    ]
