"""Differences of moto's executions from AWS: how they start and end, and how they are described.

Reported upstream: `$$.Execution.StartTime` is not in AWS's format (https://github.com/localstack/localstack/issues/9695)
and ended executions lack a stop date (https://github.com/getmoto/moto/issues/6792, fixed for list_executions alone).
No report was found of the others: aliases that do not start, stops and timeouts that wait for the running state, the
missing limit of 25,000 events, stop reasons that get lost, and string outputs that are not JSON.
"""

# ruff: noqa: SLF001 - moto has no other handles
from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random
from moto.stepfunctions.exceptions import InvalidExecutionInput
from moto.stepfunctions.models import StateMachineAlias
from moto.stepfunctions.parser.api import (
    ExecutionAbortedEventDetails,
    ExecutionFailedEventDetails,
    ExecutionStatus,
    ExecutionTimedOutEventDetails,
    HistoryEventType,
)
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent
from moto.stepfunctions.parser.asl.component.program.program import Program
from moto.stepfunctions.parser.asl.eval.event.event_manager import EventManager
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped, ProgramTimedOut
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker
from moto.stepfunctions.parser.models import StepFunctionsParserBackend
from moto.stepfunctions.responses import StepFunctionResponse

from repeg_workbench.engine.moto_corrections.patches import Patches
from repeg_workbench.engine.moto_corrections.states import aws_time
from repeg_workbench.engine.scheduler import Killed, Scheduler

MAX_HISTORY_EVENTS = 25_000
MAX_INPUT_BYTES = 256 * 1024
HISTORY_FULL = "The execution reached the maximum number of history events (25000)."

StatusListener = Callable[[Any], None]


def apply(patches: Patches, scheduler: Scheduler, on_status: StatusListener) -> None:
    """Make all corrections of this module; `on_status` receives every execution that starts or ends."""
    _start_as_aws_does(patches, scheduler, on_status)
    _write_the_start_time_as_text(patches)
    _end_at_once(patches, scheduler)
    _limit_the_history(patches)
    _report_the_end(patches, on_status)
    _describe_in_full(patches)
    _pass_on_why_it_was_stopped(patches, scheduler)


def _start_as_aws_does(patches: Patches, scheduler: Scheduler, on_status: StatusListener) -> None:
    """Generate a missing name; an alias or version starts its state machine under the machine's own name."""

    def start(
        self: Any,
        state_machine_arn: str,
        name: str | None = None,
        execution_input: str | None = None,
        trace_header: Any = None,
    ) -> Any:
        del trace_header
        revision, machine = _revision_and_machine(self, state_machine_arn)
        text = _checked_input(execution_input)
        name = name or str(mock_random.uuid4())
        self._validate_name(name)
        already = machine._handle_name_input_idempotency(name, text)
        if already is not None:
            return already
        snapshot = copy.copy(revision)
        snapshot.executions = []
        execution = Execution(
            name=name,
            sm_type=snapshot.sm_type,
            role_arn=snapshot.roleArn,
            exec_arn=f"{machine.arn.replace(':stateMachine:', ':execution:')}:{name}",
            account_id=self.account_id,
            region_name=self.region_name,
            state_machine=snapshot,
            start_date=scheduler.now(),
            cloud_watch_logging_session=None,
            input_data=text,
            activity_store={},
        )
        execution.state_machine_arn = machine.arn
        machine.executions.append(execution)
        execution.start()
        on_status(execution)
        return execution

    patches.replace(StepFunctionsParserBackend, "start_execution", start)


def _revision_and_machine(backend: Any, arn: str) -> tuple[Any, Any]:
    """The revision to run for the ARN of a state machine, version or alias, and its state machine."""
    if len(arn.split(":")) == 8 and not arn.rsplit(":", 1)[-1].isnumeric():
        alias: StateMachineAlias = backend.describe_state_machine_alias(arn)
        arn = alias.routing_configuration[0]["stateMachineVersionArn"]
    revision = backend.describe_state_machine(arn)
    return revision, backend.describe_state_machine(getattr(revision, "source_arn", revision.arn))


def _checked_input(text: str | None) -> str:
    text = "{}" if text is None else text
    if len(text.encode()) > MAX_INPUT_BYTES:
        raise InvalidExecutionInput("Invalid State Machine Execution Input: the input is larger than 262144 bytes")
    try:
        json.loads(text)
    except ValueError as error:
        raise InvalidExecutionInput(f"Invalid State Machine Execution Input: '{error}'") from error
    return text


def _write_the_start_time_as_text(patches: Patches) -> None:
    def details(self: Any) -> Any:
        made = original(self)
        made.start_time = aws_time(made.start_time)
        return made

    original = patches.replace(Execution, "get_start_execution_details", details)


def _end_at_once(patches: Patches, scheduler: Scheduler) -> None:
    """A stop, a timeout of the state machine or a full history ends the execution at once, whatever it waits for.

    Functions that it has called continue, as on AWS.
    """

    def evaluate(self: Any, env: Any) -> None:
        if env.is_frame():  # an iteration of a Map ends with its execution
            inner(self, env)
            return
        env.next_state_name = self.start_at.start_at_name
        env.settled = scheduler.event()
        env.event_manager.root = env

        finished = False

        def work() -> None:
            nonlocal finished
            EvalComponent.eval(self, env)
            finished = True
            env.settled.set()

        worker = scheduler.spawn(work)
        limit = self.timeout_seconds.timeout_seconds if self.timeout_seconds else None
        if not env.settled.wait(limit):
            env.set_timed_out()
        if not finished:
            worker.kill()
            _record_the_end(env)

    def stop(self: Any, stop_date: datetime, error: str | None, cause: str | None) -> None:
        self.env.set_stop(stop_date=stop_date, cause=cause, error=error)
        self.env.settled.set()

    def start(self: Any) -> None:
        scheduler.spawn_apart(self._execution_logic)  # not a child of the caller, which it outlives

    inner = patches.replace(Program, "eval", evaluate)
    patches.replace(ExecutionWorker, "start", start)
    patches.replace(ExecutionWorker, "stop", stop)


def _record_the_end(env: Any) -> None:
    """Write the last history event of an execution that was stopped, timed out or cut at its limit."""
    kind, details = _ending(env.program_state())
    env.event_history_context.source_event_id = 0
    env.event_manager.add_event(context=env.event_history_context, event_type=kind, event_details=details)


def _ending(state: Any) -> tuple[HistoryEventType, dict[str, Any]]:
    if isinstance(state, ProgramStopped):
        reason = ExecutionAbortedEventDetails(error=state.error, cause=state.cause)
        return HistoryEventType.ExecutionAborted, {"executionAbortedEventDetails": reason}
    if isinstance(state, ProgramTimedOut):
        return HistoryEventType.ExecutionTimedOut, {"executionTimedOutEventDetails": ExecutionTimedOutEventDetails()}
    return HistoryEventType.ExecutionFailed, {"executionFailedEventDetails": state.error or {}}


def _limit_the_history(patches: Patches) -> None:
    """Event 25,000 is the last: unless the execution ends there, it fails with States.Runtime, uncaught."""
    endings = (
        HistoryEventType.ExecutionSucceeded,
        HistoryEventType.ExecutionFailed,
        HistoryEventType.ExecutionAborted,
        HistoryEventType.ExecutionTimedOut,
    )

    def add(self: Any, context: Any, event_type: Any, *args: Any, **kwargs: Any) -> Any:
        if len(self._history_event_list) >= MAX_HISTORY_EVENTS - 1 and event_type not in endings:
            self.root.set_error(ExecutionFailedEventDetails(error="States.Runtime", cause=HISTORY_FULL))
            self.root.settled.set()
            raise Killed
        return original(self, context, event_type, *args, **kwargs)

    original = patches.replace(EventManager, "add_event", add)


def _report_the_end(patches: Patches, on_status: StatusListener) -> None:
    def terminated(self: Any) -> None:
        original(self)
        state = self.execution.exec_worker.env.program_state()
        if isinstance(state, ProgramStopped):
            self.execution.error, self.execution.cause = state.error, state.cause
        on_status(self.execution)

    original = patches.replace(BaseExecutionWorkerCommunication, "terminated", terminated)


def _describe_in_full(patches: Patches) -> None:
    """Describe a string output as JSON, and give every ended execution a stop date."""

    def describe(self: Any) -> Any:
        answer = original(self)
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        if execution.exec_status == ExecutionStatus.SUCCEEDED:
            answer.result["output"] = json.dumps(execution.output, separators=(",", ":"))
        if execution.stop_date is not None:
            answer.result["stopDate"] = execution.stop_date
        return answer

    original = patches.replace(StepFunctionResponse, "describe_execution", describe)


def _pass_on_why_it_was_stopped(patches: Patches, scheduler: Scheduler) -> None:
    def stop(self: Any) -> Any:
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        now = scheduler.now()
        if execution.exec_status == ExecutionStatus.RUNNING:
            execution.stop(stop_date=now, error=self._get_param("error"), cause=self._get_param("cause"))
        return ActionResult({"stopDate": execution.stop_date or now})

    patches.replace(StepFunctionResponse, "stop_execution", stop)
