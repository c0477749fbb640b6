"""`repeg watch`: follows a run by its journal, with the tape that a simulation prints, until it has ended."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from repeg.adapters.journal.bucket import keys_of
from repeg.adapters.journal.files import StepJournal, read_file
from repeg.domain.errors import StoreUnavailable
from repeg.domain.journal import Entry
from repeg.domain.run import Run
from repeg_workbench.operate import history
from repeg_workbench.operate.answer import DONE, Answer
from repeg_workbench.operate.failures import AWS_ERRORS, CannotOperate, is_passing, reason
from repeg_workbench.operate.runs import report
from repeg_workbench.operate.stack import DeployedStack, find_stack
from repeg_workbench.operate.workstation import Workstation
from repeg_workbench.simulate.tape import Tape

BUCKET = "JournalBucket"
EVERY_SECONDS = 5.0
BEGINS_WITHIN_SECONDS = 90.0
"""How long a run that was named is waited for: its execution may not have claimed it yet."""


def watch(at: Workstation, stack: str | None, run_id: str | None, *, is_json: bool) -> Answer:
    """Print what the run does as it is journalled, and at its end its report, with the report's exit code.

    Ctrl-C ends the watching and leaves the run alone.
    """
    found = find_stack(at, stack)
    bucket = found.resource(BUCKET)
    follow = _Follower(found, bucket, is_json=is_json)
    try:
        run = _begun(found, run_id)
        while not follow.is_over(run.run_id):
            at.runtime.pause(EVERY_SECONDS)
    except KeyboardInterrupt:
        return Answer({"watching": False}, ["stopped watching; the run goes on"], DONE)
    return report(at, found.name, run.run_id)


def _begun(stack: DeployedStack, run_id: str | None) -> Run:
    """The run; one that was named and is not there yet is waited for. Raises CannotOperate if it does not come."""
    waited = 0.0
    while True:
        try:
            return history.find_run(stack, run_id)
        except CannotOperate:
            if run_id is None or waited >= BEGINS_WITHIN_SECONDS or not _is_starting(stack):
                raise
        stack.at.runtime.pause(EVERY_SECONDS)
        waited += EVERY_SECONDS


def _is_starting(stack: DeployedStack) -> bool:
    listed = stack.at.client("stepfunctions").list_executions(stateMachineArn=stack.machine, statusFilter="RUNNING")
    return bool(listed["executions"])


@dataclass
class _Follower:
    """Prints the entries of the steps that have not been printed yet.

    A step's object is stored when the step ends, under the time at which it began: one that began earlier may appear
    after another. All keys are therefore listed each time.
    """

    stack: DeployedStack
    bucket: str
    is_json: bool
    _seen: set[str] = field(default_factory=set)
    _tape: Tape = field(default_factory=Tape)
    _trouble: str = ""

    def is_over(self, run_id: str) -> bool:
        """Print what is new; whether the run has ended, and nothing was new after its end.

        A read that fails for the moment is said once, and tried again.
        """
        try:
            guard = self.stack.store.guard(run_id)
            steps = list(self._fresh(run_id))
        except (StoreUnavailable, *AWS_ERRORS) as error:
            if not is_passing(error):
                raise
            self._say_once(reason(error, self.stack.at.region))
            return False
        self._trouble = ""
        for step in steps:
            self._print(step)
        return guard is not None and guard.is_over and not steps

    def _fresh(self, run_id: str) -> Iterator[StepJournal]:
        s3 = self.stack.at.client("s3")
        for key in keys_of(s3, self.bucket, run_id):
            if key not in self._seen:
                body = s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
                self._seen.add(key)
                yield read_file(key, body)

    def _print(self, step: StepJournal) -> None:
        for one in step.entries:
            line = _as_json(one.entry) if self.is_json else self._tape.see(one.entry)
            if line:
                self.stack.at.say(line)
        if not self.is_json:
            for problem in step.problems:
                self.stack.at.say(f"{'':<8}  {'journal':<9} {step.function}: {problem}")

    def _say_once(self, trouble: str) -> None:
        if trouble != self._trouble and not self.is_json:
            with suppress(BrokenPipeError):
                self.stack.at.say(f"{'':<8}  {'watch':<9} {trouble}; trying again")
        self._trouble = trouble


def _as_json(entry: Entry) -> str:
    """An entry as one line of JSON, without the inputs of its decision."""
    fields = {"at": entry.at.isoformat(), "subject": entry.subject, "verb": entry.verb, "detail": entry.detail}
    return json.dumps({**fields, "reason": entry.reason, "is_abnormal": entry.is_abnormal}, ensure_ascii=False)
