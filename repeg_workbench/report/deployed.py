"""The page of a deployed stack's run: from its journal in the bucket, its report, and its execution's history."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from repeg.domain.run import Run
from repeg.domain.run_page.build import page_of
from repeg.domain.run_page.page import Circumstances, RunPage, Usage
from repeg.domain.run_page.record import RunRecord
from repeg.domain.usage import Usage as Estimate
from repeg.domain.usage import dollars as price
from repeg_workbench.journal.bucket import steps_of
from repeg_workbench.operate.crossing import measured_crossing
from repeg_workbench.operate.failures import AWS_ERRORS, reason
from repeg_workbench.operate.history import find_run
from repeg_workbench.operate.stack import DeployedStack
from repeg_workbench.operate.watch import BUCKET

# A run whose execution was renewed has the number of its turns in the name of the next one.
_RENEWED = re.compile(r"-t\d+$")


def page_of_run(stack: DeployedStack, run_id: str | None) -> RunPage:
    """The page of a run, the latest by default. Raises CannotOperate if there is none, and what the clients raise."""
    run = find_run(stack, run_id)
    record, problems = RunRecord(run_id=run.run_id), list[str]()
    for step in steps_of(stack.at.client("s3"), stack.resource(BUCKET), run.run_id):
        problems += [f"{step.key.rpartition('/')[2]}: {problem}" for problem in step.problems]
        record.read(step.entries)
    if record.began is None and not problems:
        problems.append("the bucket has no journal of this run: it may have expired")
    usage, notes = _usage(stack, run.owner.partition("#")[0])
    if run.report is not None and run.report.usage is not None:
        usage = _with_estimate(usage, run.report.usage)
    crossing = measured_crossing(stack, run.trading_day.close)
    return page_of(record, replace(_circumstances(stack, run, usage, problems, notes), crossing=crossing))


def _circumstances(
    stack: DeployedStack, run: Run, usage: Usage, problems: list[str], notes: list[str]
) -> Circumstances:
    report = run.report
    rows = () if report is None else report.orders
    return Circumstances(
        mode=stack.mode,
        outcome="" if report is None else report.outcome,
        reason="" if report is None else ": ".join(filter(None, (report.error, report.reason))),
        feed=run.settings.data_feed or "",
        notes=(*run.plan.notes, *notes),
        problems=tuple(problems),
        usage=usage,
        outcomes={row.symbol: (row.outcome or "", row.reason) for row in rows},
    )


def _usage(stack: DeployedStack, execution: str) -> tuple[Usage, list[str]]:
    """The states that an execution has entered, and what is to be said of them."""
    try:
        events = list(_events(stack, execution))
    except AWS_ERRORS as error:
        return Usage(), [f"How often each state was entered could not be read: {reason(error, stack.at.region)}"]
    entered = [each["stateEnteredEventDetails"]["name"] for each in events if "stateEnteredEventDetails" in each]
    kinds = Counter(each["type"] for each in events)
    attempts = kinds["TaskScheduled"] + kinds["LambdaFunctionScheduled"]
    transitions = len(entered) + max(0, attempts - kinds["TaskStateEntered"])
    used = Usage(dict(Counter(entered)), transitions, dollars=price(transitions, 0, 0))
    is_last = bool(_RENEWED.search(execution))
    return used, ["The run was renewed; its states are counted for its last execution."] if is_last else []


def _with_estimate(counted: Usage, estimate: Estimate) -> Usage:
    """The states that were counted, with the requests, the time and the dollars that the report estimates."""
    return Usage(
        states=counted.states,
        transitions=counted.transitions or estimate.transitions,
        trading_requests=estimate.trading_requests,
        data_requests=estimate.data_requests,
        function_seconds=Decimal(estimate.milliseconds) / 1_000,
        dollars=estimate.dollars,
    )


def _events(stack: DeployedStack, execution: str) -> Iterator[Mapping[str, Any]]:
    pages = stack.at.client("stepfunctions").get_paginator("get_execution_history")
    for page in pages.paginate(executionArn=execution, includeExecutionData=False):
        yield from page["events"]
