"""The page of a stack's run: from its journal in the bucket, its rows in the table, and its execution's history."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from repeg.adapters.journal.bucket import files_of, fitting, step_of
from repeg.domain.crossing import CrossingCost
from repeg.domain.report import Report
from repeg.domain.run import Run
from repeg.domain.run_page.build import page_of
from repeg.domain.run_page.page import Circumstances, RunPage, Usage
from repeg.domain.run_page.record import RunRecord
from repeg.domain.usage import Usage as Estimate
from repeg.domain.usage import dollars as price

# A run whose execution was renewed has the number of its turns in the name of the next one.
_RENEWED = re.compile(r"-t\d+$")

# The most that one request for an execution's history may return.
_EVENTS_IN_A_REQUEST = 1_000


@dataclass(frozen=True)
class StoredRuns:
    """Where a stack keeps what its runs leave: clients of S3 and of Step Functions, and the journal's bucket.

    `mode` is `paper` or `live`. `in_words` says what a client's error means. `most_bytes` of one run's journal are
    read; all of it if None.
    """

    s3: Any
    bucket: str
    executions: Any
    mode: str
    in_words: Callable[[Exception], str] = str
    most_bytes: int | None = None


@dataclass
class RunReading:
    """A run's journal as far as it has been read. `problems` say what is missing."""

    record: RunRecord
    problems: list[str]
    last: str = ""

    @property
    def is_begun(self) -> bool:
        """Whether the bucket has a file of the run."""
        return bool(self.last)

    @property
    def has_end(self) -> bool:
        """Whether the journal says how the run ended."""
        return bool(self.record.outcome)

    def go_on(self, at: StoredRuns) -> None:
        """Read the files that are later than those that have been read. Raises what the client raises."""
        files = list(files_of(at.s3, at.bucket, self.record.run_id, self.last))
        read = files if at.most_bytes is None else fitting(files, at.most_bytes)
        if len(read) < len(files):
            size = sum(each.size for each in files) / 1_000_000
            self.problems.append(
                f"{len(files) - len(read):,} of its {len(files):,} files were left out here, evenly spread over the "
                f"turns: it has {size:.1f} MB. `repeg report {self.record.run_id} --open` reads all of it"
            )
        for stored in read:
            step = step_of(at.s3, at.bucket, stored.key)
            self.problems += [f"{stored.key.rpartition('/')[2]}: {problem}" for problem in step.problems]
            self.record.read(step.entries)
        if self.record.others:
            others = ", ".join(sorted(self.record.others))
            self.problems.append(f"entries of other runs are among its files, and are left out: {others}")
        self.last = files[-1].key if files else self.last


def begin_reading(run_id: str, *problems: str) -> RunReading:
    """A reading of which nothing has been read yet; `problems` are known beforehand."""
    return RunReading(RunRecord(run_id=run_id), list(problems))


def page_of_stored(
    at: StoredRuns, run: Run | None, reading: RunReading, crossing: CrossingCost | None = None
) -> RunPage:
    """The page of a run from what was read of its journal; without a run whose rows can be read, from that alone.

    `crossing` is the account's measured cost of taking, if its other runs were looked at.
    """
    problems = list(reading.problems)
    if not reading.is_begun:
        problems.append("the bucket has no journal of this run: it may have expired")
    if run is None:
        return page_of(reading.record, Circumstances(mode=at.mode, problems=tuple(problems)))
    usage, notes = _usage(at, run.owner.partition("#")[0])
    if run.report is not None and run.report.usage is not None:
        usage = _with_estimate(usage, run.report.usage)
    known = _circumstances(at.mode, run, usage, problems, notes)
    return page_of(reading.record, replace(known, crossing=crossing))


def _circumstances(mode: str, run: Run, usage: Usage, problems: list[str], notes: list[str]) -> Circumstances:
    report = run.report
    rows = () if report is None else report.orders
    return Circumstances(
        mode=mode,
        outcome="" if report is None else report.outcome,
        reason="" if report is None else ": ".join(filter(None, (report.error, report.reason))),
        feed=run.settings.data_feed or "",
        notes=(*run.plan.notes, *notes),
        problems=tuple(problems),
        usage=usage,
        outcomes={row.symbol: (row.outcome or "", row.reason) for row in rows},
        markouts=() if report is None or report.costs is None else report.costs.markouts,
        is_measured=is_measured(report),
    )


def is_measured(report: Report | None) -> bool:
    """Whether a report has the books after its fills."""
    return report is not None and report.costs is not None and bool(report.costs.books)


def _usage(at: StoredRuns, execution: str) -> tuple[Usage, list[str]]:
    """The states that an execution has entered, and what is to be said of them."""
    try:
        events = list(_events(at.executions, execution))
    except (ClientError, BotoCoreError) as error:
        return Usage(), [f"How often each state was entered could not be read: {at.in_words(error)}"]
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


def _events(executions: Any, execution: str) -> Iterator[Mapping[str, Any]]:
    pages = executions.get_paginator("get_execution_history").paginate(
        executionArn=execution, includeExecutionData=False, PaginationConfig={"PageSize": _EVENTS_IN_A_REQUEST}
    )
    for page in pages:
        yield from page["events"]
