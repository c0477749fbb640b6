"""WatchRuns: on its own schedule, look for missed and stuck runs and for orphaned orders."""

from __future__ import annotations

import os

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.run_health import Finding
from repeg.domain.steps import AnyEvent, RunsWatched
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.watchdog import watch
from repeg.workflow.watched import Watched


@lambda_step
def lambda_handler(_payload: AnyEvent, _context: LambdaContext) -> RunsWatched:
    """The alerts; each has been published as an event and counted in a metric."""
    watched = watch_runs(ports(), expect_run=os.environ.get("EXPECT_RUN", "") == "true")
    count("WatchFailures", sum(alert.finding is Finding.WATCH_FAILED for alert in watched.alerts))
    count("KeysMissing", int(watched.lacks_keys))
    watched.raise_failure()
    return RunsWatched(alerts=tuple(watched.alerts))


def watch_runs(ports: Ports, *, expect_run: bool) -> Watched:
    """Run the watchdog once: its alerts, and the first failure, which the handler raises at the end."""
    return watch(ports, expect_run=expect_run)
