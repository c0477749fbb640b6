"""Differences of moto's interpreter from AWS: uncatchable errors, choices, waits, timestamps, inline Maps.

Reported upstream: a Choice ignores a missing variable (https://github.com/localstack/localstack/issues/11980), and
`$$.State.EnteredTime` is not in AWS's format (https://github.com/localstack/localstack/issues/10713). Timestamps drop
their milliseconds on AWS too (https://github.com/localstack/localstack/pull/9813). No report was found of the others:
States.ALL that catches States.Runtime, an unmatched Choice without its error name, waits that end up to a second early,
timed-out tasks that still write history, and inline Maps without the limit of forty.
"""

# ruff: noqa: SLF001 - moto has no other handles
from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.error_equals_decl import ErrorEqualsDecl
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state import state as state_module
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_operator_type import (
    ComparisonOperatorType,
)
from moto.stepfunctions.parser.asl.component.state.choice.comparison.comparison_variable import ComparisonVariable
from moto.stepfunctions.parser.asl.component.state.choice.comparison.variable import NoSuchVariable
from moto.stepfunctions.parser.asl.component.state.choice.state_choice import StateChoice
from moto.stepfunctions.parser.asl.component.state.exec.execute_state import ExecutionState
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.inline_iteration_component import (
    InlineIterationComponent,
)
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.timestamp import Timestamp
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction

from repeg_workbench.engine.moto_corrections.patches import Patches
from repeg_workbench.engine.scheduler import Scheduler

# Documented as uncatchable by States.ALL.
BEYOND_STATES_ALL = ("States.Runtime", "States.DataLimitExceeded")
TIMESTAMP = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$")
MAX_INLINE_ITERATIONS = 40
# moto's message for a Choice without a match and without a default.
NO_CHOICE = "No branching option reached in state"


def aws_time(moment: datetime) -> str:
    """A moment in Step Functions' format: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def apply(patches: Patches, scheduler: Scheduler) -> None:
    """Make all corrections of this module."""
    _leave_terminal_errors_uncaught(patches)
    _fail_choices_on_missing_variables(patches)
    _name_the_failure_of_no_choice(patches)
    _wait_until_the_very_second(patches, scheduler)
    _stamp_entry_in_milliseconds(patches)
    _kill_what_timed_out(patches, scheduler)
    _bound_inline_maps(patches)


def _leave_terminal_errors_uncaught(patches: Patches) -> None:
    def evaluate(self: Any, env: Any) -> None:
        error_name = env.stack[-1]
        original(self, env)
        catches_all = ErrorEqualsDecl._STATE_ALL_ERROR in self.error_names
        if catches_all and error_name.error_name in BEYOND_STATES_ALL:
            env.stack[-1] = False

    original = patches.replace(ErrorEqualsDecl, "_eval_body", evaluate)


def _fail_choices_on_missing_variables(patches: Patches) -> None:
    def evaluate(self: Any, env: Any) -> None:
        self.variable.eval(env)
        missing = isinstance(env.stack[-1], NoSuchVariable)
        if missing and self.comparison_function.operator_type != ComparisonOperatorType.IsPresent:
            path = self.variable.string_sampler.literal_value
            cause = f"Invalid path '{path}': The choice state's condition path references an invalid value."
            raise _failure(env, StatesErrorNameType.StatesRuntime, cause)
        self.comparison_function.eval(env)

    patches.replace(ComparisonVariable, "_eval_body", evaluate)


def _name_the_failure_of_no_choice(patches: Patches) -> None:
    def evaluate(self: Any, env: Any) -> None:
        try:
            original(self, env)
        except RuntimeError as error:
            if not str(error.args[0]).startswith(NO_CHOICE):
                raise
            cause = f"Failed to transition out of the state '{self.name}'. The state does not point to a next state."
            raise _failure(env, StatesErrorNameType.StatesNoChoiceMatched, cause) from error

    original = patches.replace(StateChoice, "_eval_state", evaluate)


def _wait_until_the_very_second(patches: Patches, scheduler: Scheduler) -> None:
    """AWS truncates the timestamp to seconds and waits until that instant; moto also truncates the remaining time."""

    def parse(text: Any) -> datetime | None:
        if not isinstance(text, str) or not TIMESTAMP.match(text):
            return None
        try:
            return datetime.fromisoformat(text).astimezone(UTC).replace(microsecond=0)
        except ValueError:
            return None

    def seconds_left(self: Any, env: Any) -> float:
        self.string.eval(env=env)
        text = env.stack.pop()
        moment = parse(text)
        if moment is None:
            raise FailureEventException(self._create_failure_event(env, text))
        return (moment - scheduler.now()) / timedelta(seconds=1)

    def wait(self: Any, env: Any, wait_seconds: float) -> None:
        del self, env
        if wait_seconds > 0:
            scheduler.sleep(wait_seconds)

    patches.replace(Timestamp, "_from_timestamp_string", staticmethod(parse))
    patches.replace(Timestamp, "_get_wait_seconds", seconds_left)
    patches.replace(WaitFunction, "_wait_interval", wait)


def _stamp_entry_in_milliseconds(patches: Patches) -> None:
    def state_data(EnteredTime: str, Name: str) -> Any:  # noqa: N803 - the interpreter passes them by these names
        return original(EnteredTime=aws_time(datetime.fromisoformat(EnteredTime)), Name=Name)

    original = patches.replace(state_module, "StateData", state_data)


def _kill_what_timed_out(patches: Patches, scheduler: Scheduler) -> None:
    """A timed-out task writes no more history; the function that it called continues, as on AWS."""

    def evaluate(self: Any, env: Any) -> None:
        try:
            original(self, env)
        finally:
            if scheduler.current is not None:
                scheduler.current.kill_children()

    original = patches.replace(ExecutionState, "_evaluate_with_timeout", evaluate)


def _bound_inline_maps(patches: Patches) -> None:
    """AWS runs at most forty iterations of an inline Map at once, whatever MaxConcurrency asks for."""

    def evaluate(self: Any, env: Any) -> None:
        asked = env.stack[-1]
        asked.max_concurrency = min(asked.max_concurrency or MAX_INLINE_ITERATIONS, MAX_INLINE_ITERATIONS)
        original(self, env)

    original = patches.replace(InlineIterationComponent, "_eval_body", evaluate)


def _failure(env: Any, error: StatesErrorNameType, cause: str) -> FailureEventException:
    details: Any = {"executionFailedEventDetails": ExecutionFailedEventDetails(error=error.to_name(), cause=cause)}
    return FailureEventException(
        FailureEvent(
            env=env,
            error_name=StatesErrorName(typ=error),
            event_type=HistoryEventType.ExecutionFailed,
            event_details=details,
        )
    )
