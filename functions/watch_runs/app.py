"""WatchRuns: on a schedule of its own, look for a run that is missing or stuck, and for orders left open."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.broker import BrokerClock
from repeg.closing import cancel_by_prefix
from repeg.errors import Conflict
from repeg.naming import run_of
from repeg.ports import Ports
from repeg.run import Run
from repeg.session import trading_date
from repeg.shell import count, lambda_step
from repeg.sweeping import sweep
from repeg.watching import Alert, Finding, is_stuck, missed
from repeg.wiring import ports

# An order that is open this long after its run's window closed is not being closed by anybody.
GRACE = timedelta(minutes=3)


@lambda_step
def lambda_handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Payload: anything. Answer: what was found; each finding is also a metric and an event."""
    alerts = watch_runs(os.environ.get("EXPECT_RUN", "") == "true", ports())
    count(missed_runs=_of(alerts, Finding.MISSED_RUN), stuck_runs=_of(alerts, Finding.STUCK_RUN),
          orders_left_open=_of(alerts, Finding.LEFT_OPEN))  # fmt: skip
    return {"alerts": [alert.model_dump(mode="json") for alert in alerts]}


def watch_runs(expect_run: bool, ports: Ports) -> list[Alert]:  # noqa: FBT001 - the schedule's own switch
    """Find what is wrong today, sweep what is dead, cancel what nobody holds, and tell."""
    ports = ports.for_closing()
    clock = ports.broker.clock()
    day = ports.broker.trading_day(trading_date(clock.now))
    if day is None:
        return []
    runs = ports.store.runs_on(day.day)
    alerts = missed(day, runs, clock.now) if expect_run else []
    alerts += [alert for run in runs for alert in _sweep_if_stuck(run, clock, ports)]
    alerts += _close_left_open(runs, clock, ports)
    for alert in alerts:
        ports.notifier.publish(f"repeg.watch.{alert.finding}", alert.model_dump(mode="json"))
    return alerts


def _sweep_if_stuck(run: Run, clock: BrokerClock, ports: Ports) -> list[Alert]:
    if not is_stuck(run, ports.store.last_turn(run.run_id), clock.now):
        return []
    alert = Alert(finding=Finding.STUCK_RUN, run_id=run.run_id, reason=f"{run.state}, and no turn for minutes")
    try:
        sweep(run, f"{run.owner}#watch", alert.reason, ports)
    except Conflict:
        return []  # somebody else is sweeping it now
    return [alert]


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
