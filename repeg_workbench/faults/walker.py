"""Walks the deployed state machine's definition along the interpreter's path, at a hundredth of its cost.

The walker implements what the definition uses and refuses the rest. Tests compare it with the interpreter.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from repeg_workbench.engine.scheduler import Scheduler, VirtualThread
from repeg_workbench.faults.state_data import (
    Json,
    UnsupportedDefinition,
    choose_next,
    fill_template,
    matches_error,
    parse_instant,
    place_result,
    read_path,
    read_value,
)


class TaskFailed(Exception):
    """A task ended in an error, as Step Functions reports it: the error's name and its cause."""

    def __init__(self, error: str, cause: str) -> None:
        self.error = error
        self.cause = cause
        super().__init__(f"{error}: {cause}")


@dataclass
class Execution:
    """One walk: the states it entered and how it ended. `status` uses Step Functions' own words."""

    name: str
    input: Json
    started_at: datetime
    status: str = "RUNNING"
    path: list[str] = field(default_factory=list)
    events: int = 1
    transitions: int = 0
    error: str = ""
    cause: str = ""
    output: Json | None = None
    ended_at: datetime | None = None
    is_end_lost: bool = False
    thread: VirtualThread[None] | None = None


Invoke = Callable[[str, Json], Json]
Start = Callable[[str, Json], None]

# History events that Step Functions writes for each type of state.
_EVENTS = {"Task": 5, "Wait": 2, "Choice": 2, "Pass": 2, "Succeed": 2, "Fail": 1}
_RETRY_EVENTS = 3


class Walker:
    """Starts executions of one definition on a scheduler.

    `invoke` runs a function by its logical name, `start` starts another execution; both may raise TaskFailed.
    """

    def __init__(self, definition: Json, scheduler: Scheduler, seed: int, invoke: Invoke, start: Start) -> None:
        self._states: Json = definition["States"]
        self._definition = definition
        self._scheduler = scheduler
        self._random = random.Random(f"jitter {seed}")
        self._invoke = invoke
        self._start = start
        self.on_end: list[Callable[[Execution], None]] = []
        self.wakes_early: Callable[[], float] = lambda: 0.0  # seconds by which a Wait ends too soon

    def start(self, name: str, given: Json) -> Execution:
        """Start an execution; it advances while the scheduler runs."""
        execution = Execution(name, given, self._scheduler.now())
        execution.thread = self._scheduler.spawn_apart(lambda: self._walk(execution))
        return execution

    def stop(self, execution: Execution) -> None:
        """Abort an execution. Functions that are already running continue."""
        if execution.status == "RUNNING" and execution.thread is not None:
            execution.thread.kill()
            self._end(execution, "ABORTED")

    def _walk(self, execution: Execution) -> None:
        data: Any = copy.deepcopy(execution.input)
        name: str | None = self._definition["StartAt"]
        while name is not None:
            state = self._states[name]
            execution.path.append(name)
            execution.transitions += 1
            execution.events += _EVENTS[state["Type"]]
            if state["Type"] in {"Succeed", "Fail"}:
                return self._finish(execution, state, data)
            data, name = self._step(execution, state, data)
        raise UnsupportedDefinition("a state has no next state")

    def _finish(self, execution: Execution, state: Json, data: Any) -> None:
        if state["Type"] == "Fail":
            execution.error = read_value(state, "Error", data)
            execution.cause = read_value(state, "Cause", data)
            return self._end(execution, "FAILED")
        execution.output = data
        return self._end(execution, "SUCCEEDED")

    def _end(self, execution: Execution, status: str) -> None:
        execution.status = status
        execution.ended_at = self._scheduler.now()
        execution.events += 1
        for listener in self.on_end:
            listener(execution)

    def _step(self, execution: Execution, state: Json, data: Any) -> tuple[Any, str | None]:
        kind = state["Type"]
        if kind == "Choice":
            return data, choose_next(state, data)
        if kind == "Pass":
            return place_result(state, data, fill_template(state["Parameters"], data, self._context(execution))), state[
                "Next"
            ]
        if kind == "Wait":
            until = parse_instant(read_path(state["TimestampPath"], data))
            self._scheduler.sleep_until(until - timedelta(seconds=self.wakes_early()))
            return data, state["Next"]
        if kind == "Task":
            return self._task(execution, state, data)
        raise UnsupportedDefinition(f"state type {kind}")

    def _task(self, execution: Execution, state: Json, data: Any) -> tuple[Any, str | None]:
        attempts: dict[int, int] = {}
        while True:
            try:
                result = self._attempt(execution, state, data)
            except TaskFailed as failure:
                if self._wait_to_retry(state, failure, attempts):
                    execution.events += _RETRY_EVENTS
                    execution.transitions += 1
                    continue
                catcher = next(
                    (c for c in state.get("Catch", ()) if matches_error(c["ErrorEquals"], failure.error)), None
                )
                if catcher is None:
                    raise UnsupportedDefinition(f"uncaught {failure.error}") from None
                return place_result(catcher, data, {"Error": failure.error, "Cause": failure.cause}), catcher["Next"]
            return place_result(state, data, result), state["Next"]

    def _attempt(self, execution: Execution, state: Json, data: Any) -> Any:
        given = fill_template(state["Parameters"], data, self._context(execution))
        if state["Resource"].endswith("states:startExecution"):
            self._start(given["Name"], given["Input"])
            return {}
        function = given["FunctionName"].removeprefix("${").removesuffix("Arn}")
        path = state.get("TimeoutSecondsPath")
        timeout = state["TimeoutSeconds"] if path is None else read_path(path, data)
        answer = self._invoke_in_time(function, given["Payload"], timeout)
        result = {"Payload": answer}
        return fill_template(state["ResultSelector"], result, {}) if "ResultSelector" in state else result

    def _invoke_in_time(self, function: str, payload: Json, timeout: float) -> Json:
        """Invoke a function in its own thread: the state's timeout ends the wait, not the function."""
        sent = json.loads(json.dumps(payload))

        def run() -> Json | TaskFailed:
            try:
                return self._invoke(function, sent)
            except TaskFailed as failure:
                return failure

        thread = self._scheduler.spawn_apart(run)
        if not thread.join(timeout):
            raise TaskFailed("States.Timeout", f"{function} did not answer in {timeout} s")
        if thread.was_killed:
            raise TaskFailed("Lambda.Unknown", f"{function} was killed")
        answer = thread.result()
        if isinstance(answer, TaskFailed):
            raise answer
        return answer

    def _wait_to_retry(self, state: Json, failure: TaskFailed, attempts: dict[int, int]) -> bool:
        for number, retrier in enumerate(state.get("Retry", ())):
            if not matches_error(retrier["ErrorEquals"], failure.error):
                continue
            done = attempts.get(number, 0)
            if done >= retrier.get("MaxAttempts", 3):
                return False
            attempts[number] = done + 1
            delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** done
            delay = min(delay, retrier.get("MaxDelaySeconds", delay))
            self._scheduler.sleep(self._random.uniform(0, delay) if retrier.get("JitterStrategy") == "FULL" else delay)
            return True
        return False

    def _context(self, execution: Execution) -> Json:
        started = execution.started_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "Execution": {"Id": execution.name, "Name": execution.name, "StartTime": started},
            "StateMachine": {"Id": "machine"},
        }
