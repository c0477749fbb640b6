"""WatchRuns: on its own schedule, look for missed and stuck runs and for orphaned orders."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.run_health import Alert, Finding
from repeg.domain.steps import AnyEvent, RunsWatched
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.watchdog import Watched, watch


@lambda_step
def lambda_handler(_payload: AnyEvent, _context: LambdaContext) -> RunsWatched:
    """The alerts; each is also counted in a metric and published as an event."""
    watched = watch_runs(ports(), expect_run=os.environ.get("EXPECT_RUN", "") == "true")
    count("MissedRuns", _number(watched.alerts, Finding.MISSED_RUN))
    count("StuckRuns", _number(watched.alerts, Finding.STUCK_RUN))
    count("OrdersLeftOpen", _number(watched.alerts, Finding.LEFT_OPEN))
    count("OrdersLost", _number(watched.alerts, Finding.ORDER_LOST))
    count("BooksDiffer", _number(watched.alerts, Finding.BOOKS_DIFFER))
    count("UnreadableRows", _number(watched.alerts, Finding.UNREADABLE_ROW))
    count("WatchFailures", _number(watched.alerts, Finding.WATCH_FAILED))
    watched.raise_failure()
    return RunsWatched(alerts=tuple(watched.alerts))


def watch_runs(ports: Ports, *, expect_run: bool) -> Watched:
    """Run the watchdog once: its alerts, and the first failure, which the handler raises at the end."""
    return watch(ports, expect_run=expect_run)


def _number(alerts: list[Alert], finding: Finding) -> int:
    return sum(alert.finding is finding for alert in alerts)
