"""The first judge of starts: a planned run is opened, unless something in the record of the day gave a reason not to.

A start may be refused while the kill switch is set, when its window has closed, while an earlier run of its plan and
date is open, and for a plan that its settings, its prices or its account do not allow. It may fail by a fault in the
last attempt to open the run, and be stopped.
"""

from __future__ import annotations

from dataclasses import replace

from repeg_workbench.faults.judges.causes import CLOSING
from repeg_workbench.faults.judges.hindrances import is_hindered
from repeg_workbench.faults.judges.interruptions import is_switched_off
from repeg_workbench.faults.judges.record import MINUTE, SECOND, DayRecord, Execution, Invoked, JudgedRun
from repeg_workbench.faults.judges.refusals import Refusals, symbols_of
from repeg_workbench.faults.judges.rules import Rules
from repeg_workbench.faults.judges.verdict import Violation

# The program's clock may be ahead of the record's by so much.
CLOCK = 3 * SECOND


class StartJudge:
    """Judges the starts of the runs that were never opened."""

    def __init__(self, record: DayRecord) -> None:
        self.found: list[Violation] = []
        self._record, self._refusals = record, Refusals(record)

    def judge(self) -> None:
        """Judge every execution of a run that has no books."""
        opened = {books.run_id for books in self._record.books}
        for run in (each for each in self._record.runs if each.run_id not in opened):
            for execution in (each for each in self._record.executions if each.run_id == run.run_id):
                if not self._may_fail(run, execution):
                    name = "failed_without_cause" if execution.status == "FAILED" else "no_report"
                    self.found.append(Violation(name, max(0, execution.ended), run.run_id, "never opened"))

    def _may_fail(self, run: JudgedRun, execution: Execution) -> bool:
        """Whether an execution that opened no run had a reason."""
        until = execution.ended if execution.ended >= 0 else self._record.until
        own = [i for i in self._record.invoked if i.run_id == run.run_id and execution.began <= i.began <= until]
        if execution.status not in {"SUCCEEDED", "FAILED"}:
            return True
        attempts = [step for step in own if step.function == "OpenRun" and not step.is_duplicate]
        last = attempts[-1].began if attempts else execution.began
        is_throttled = any((who, what) == (run.run_id, "OpenRun") and last <= at <= until
                           for at, who, what in self._record.throttled)  # fmt: skip
        is_refused = bool(attempts) and self._may_refuse(run, attempts[-1])
        return is_throttled or is_refused or any(is_hindered(self._record, step, own) for step in attempts[-1:])

    def _may_refuse(self, run: JudgedRun, step: Invoked) -> bool:
        """Whether a step had a reason to refuse a run, by its settings as the day planned them or as deployed since."""
        starts = self._record.starts.deployed
        deployed = [each.settings for each in starts if each.stack == run.stack and each.at <= step.ended]
        if is_switched_off(self._record, run.stack, step.began, step.ended):
            return True
        known = (run, *(replace(run, settings={**run.settings, **changed}) for changed in deployed[-1:]))
        return self._is_an_earlier_run_open(run, step) or any(self._forbids(each, step) for each in known)

    def _forbids(self, run: JudgedRun, step: Invoked) -> bool:
        """Whether the settings, the prices or the account do not allow the plan at that time."""
        rules = Rules(run.settings)
        closes = self._record.session_close - int(rules["close_margin_minutes"]) * MINUTE
        is_allowed = rules["allowed_symbols"] is None or symbols_of(run) <= set(rules["allowed_symbols"])
        return step.ended >= closes - CLOCK or not is_allowed or self._refusals.may_refuse(run, [step])

    def _is_an_earlier_run_open(self, run: JudgedRun, step: Invoked) -> bool:
        """Whether another run of the same stack and plan was opened, and was not over when a step began."""
        begun = {i.run_id for i in self._record.invoked if i.function == "OpenRun" and i.began <= step.ended}
        opened = begun & {books.run_id for books in self._record.books}
        return any(
            other is not run
            and (other.stack, other.plan["name"]) == (run.stack, run.plan["name"])
            and not self._is_over(other, step.began)
            for other in self._record.runs
            if other.run_id in opened
        )

    def _is_over(self, run: JudgedRun, at: int) -> bool:
        """Whether a run was published as settled by then; or as failed, and a step of its own that closes it succeeded:
        one that failed may have been published before the broker could be read."""
        ends = [each for each in self._record.published if each.run_id == run.run_id and each.at <= at]
        closing = (i for i in self._record.invoked if i.run_id == run.run_id and i.function in CLOSING)
        is_closed = any(step.answered and not step.is_struck and step.ended <= at for step in closing)
        return any(not end.is_failure for end in ends) or (bool(ends) and is_closed)
