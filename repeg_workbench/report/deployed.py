"""The page of a deployed stack's run, read from this machine: all of its journal, whatever its size."""

from __future__ import annotations

from repeg.adapters.pages.stored_run import StoredRuns, begin_reading, page_of_stored
from repeg.domain.run_page.page import RunPage
from repeg_workbench.operate.crossing import measured_crossing
from repeg_workbench.operate.failures import reason
from repeg_workbench.operate.history import find_run
from repeg_workbench.operate.stack import DeployedStack
from repeg_workbench.operate.watch import BUCKET


def page_of_run(stack: DeployedStack, run_id: str | None) -> RunPage:
    """The page of a run, the latest by default. Raises CannotOperate if there is none, and what the clients raise."""
    run = find_run(stack, run_id)
    at = StoredRuns(
        s3=stack.at.client("s3"),
        bucket=stack.resource(BUCKET),
        executions=stack.at.client("stepfunctions"),
        mode=stack.mode,
        in_words=lambda error: reason(error, stack.at.region),
    )
    reading = begin_reading(run.run_id)
    reading.go_on(at)
    return page_of_stored(at, run, reading, measured_crossing(stack, run.trading_day.close))
