"""WatchRuns: on a schedule of its own, look for a run that is missing or stuck, and for orders left open."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.broker import BrokerClock
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, Conflict
from repeg.domain.order_ids import run_of
from repeg.domain.run import Run
from repeg.domain.run_health import Alert, Finding, is_over, is_stuck, missed
from repeg.domain.session import trading_date
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.closing import announce, cancel_by_prefix, report_unseen
from repeg.workflow.sweeping import sweep

# An order that is open this long after its run's window closed is not being closed by anybody.
GRACE = timedelta(minutes=3)

# So many days back a run that is not over is looked for: a long weekend.
LOOKS_BACK = 4


@lambda_step
def lambda_handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Payload: anything. Answer: what was found; each finding is also a metric and an event."""
    alerts = watch_runs(os.environ.get("EXPECT_RUN", "") == "true", ports())
    count(missed_runs=_of(alerts, Finding.MISSED_RUN), stuck_runs=_of(alerts, Finding.STUCK_RUN),
          orders_left_open=_of(alerts, Finding.LEFT_OPEN))  # fmt: skip
    return {"alerts": [alert.model_dump(mode="json") for alert in alerts]}


def watch_runs(expect_run: bool, ports: Ports) -> list[Alert]:  # noqa: FBT001 - the schedule's own switch
    """Find what is wrong, sweep what is dead, cancel what nobody holds, and tell.

    Raises what the broker raises where it cannot be looked at, once what is known without it has been told.
    """
    ports = ports.for_closing()
    try:
        clock = ports.broker.clock()
        day = ports.broker.trading_day(trading_date(clock.now))
    except (BrokerDenied, BrokerUnavailable) as error:
        _tell([_unseen(run, error, ports) for run in _dead_runs(ports.runtime.now(), ports)], ports)
        raise
    runs = _recent_runs(clock.now, ports)
    of_today = [run for run in runs if run.trading_day == day]
    alerts = _tell(missed(day, of_today, clock.now), ports) if expect_run and day else []
    alerts += _tell([alert for run in _dead_runs(clock.now, ports) for alert in _sweep(run, ports)], ports)
    _tell_endings(runs, ports)
    return alerts + (_tell(_close_left_open(runs, clock, ports), ports) if day else [])


def _recent_runs(now: datetime, ports: Ports) -> list[Run]:
    """The runs of today and of the days before: one that could not be looked at in time is still to be swept."""
    today = trading_date(now)
    return [run for back in range(LOOKS_BACK + 1) for run in ports.store.runs_on(today - timedelta(days=back))]


def _dead_runs(now: datetime, ports: Ports) -> list[Run]:
    return [run for run in _recent_runs(now, ports) if is_stuck(run, ports.store.last_turn(run.run_id), now)]


def _sweep(run: Run, ports: Ports) -> list[Alert]:
    alert = Alert(finding=Finding.STUCK_RUN, run_id=run.run_id, reason=_silence(run))
    try:
        sweep(run, f"watch of {run.run_id} at epoch {run.epoch}", alert.reason, ports)
    except Conflict:
        return []  # somebody else is sweeping it now
    except (BrokerDenied, BrokerUnavailable) as error:
        return [_unseen(run, error, ports)]
    return [alert]


def _unseen(run: Run, error: BrokerDenied | BrokerUnavailable, ports: Ports) -> Alert:
    """A dead run that cannot be looked at: reported as failed once, and named until a look succeeds."""
    reason = report_unseen(run.run_id, _silence(run), error, ports)
    return Alert(finding=Finding.STUCK_RUN, run_id=run.run_id, reason=reason)


def _silence(run: Run) -> str:
    return f"{run.state}, and no turn for minutes"


def _tell_endings(runs: list[Run], ports: Ports) -> None:
    """How a run ended that is over, where whoever ended it was cut off before it could say so."""
    for run in runs:
        if is_over(run) and run.report is not None and not run.is_announced:
            announce(run.run_id, run.report, ports)


def _tell(alerts: list[Alert], ports: Ports) -> list[Alert]:
    for alert in alerts:
        ports.notifier.publish(f"repeg.watch.{alert.finding}", alert.model_dump(mode="json"))
    return alerts


def _close_left_open(runs: list[Run], clock: BrokerClock, ports: Ports) -> list[Alert]:
    """Orders with our mark that no running run can be holding: cancelled by their run's prefix."""
    closes = {run.run_id: run.window.closes for run in runs}
    ids = {run_of(report.client_order_id) for report in ports.broker.open_orders() if report.is_ours}
    dead = sorted(run_id for run_id in ids if run_id not in closes or clock.now > closes[run_id] + GRACE)
    return [
        Alert(
            finding=Finding.LEFT_OPEN, run_id=run_id, reason=f"cancelled {', '.join(cancel_by_prefix(run_id, ports))}"
        )
        for run_id in dead
    ]


def _of(alerts: list[Alert], finding: Finding) -> int:
    return sum(alert.finding is finding for alert in alerts)
