"""Walks the deployed state machine's definition: the path of the interpreter at a hundredth of its cost.

It knows what our machine uses and refuses everything else. That it takes the interpreter's path is held by a test.
"""

from __future__ import annotations

import copy
import fnmatch
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from repeg_workbench.engine.scheduler import Scheduler, VirtualThread

Json = dict[str, Any]


class TaskFailed(Exception):
    """A task ended in an error, as the service reports it: the error's name, and its cause as text."""

    def __init__(self, error: str, cause: str) -> None:
        self.error = error
        self.cause = cause
        super().__init__(f"{error}: {cause}")


class UnknownDefinition(ValueError):
    """The definition uses something that this walker does not know."""


@dataclass
class Execution:
    """One walk: where it has been and how it ended. `status` is the service's word."""

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
    thread: VirtualThread[None] | None = None


Invoke = Callable[[str, Json], Json]
Start = Callable[[str, Json], None]

# Events that a state adds to a history, as the service writes it.
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
        self.wakes_early: Callable[[], float] = lambda: 0.0  # by so many seconds, as the service's waits may

    def start(self, name: str, given: Json) -> Execution:
        """Begin an execution; it walks whenever the scheduler runs."""
        execution = Execution(name, given, self._scheduler.now())
        execution.thread = self._scheduler.spawn_apart(lambda: self._walk(execution))
        return execution

    def stop(self, execution: Execution) -> None:
        """Abort an execution. A function that is running goes on: nobody tells it."""
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
        raise UnknownDefinition("a state leads nowhere")

    def _finish(self, execution: Execution, state: Json, data: Any) -> None:
        if state["Type"] == "Fail":
            execution.error = _value(state, "Error", data)
            execution.cause = _value(state, "Cause", data)
            return self._end(execution, "FAILED")
        execution.output = data
        return self._end(execution, "SUCCEEDED")

    def _end(self, execution: Execution, status: str) -> None:
        execution.status = status
        execution.events += 1
        for listener in self.on_end:
            listener(execution)

    def _step(self, execution: Execution, state: Json, data: Any) -> tuple[Any, str | None]:
        kind = state["Type"]
        if kind == "Choice":
            return data, _choose(state, data)
        if kind == "Pass":
            return _placed(state, data, _filled(state["Parameters"], data, self._context(execution))), state["Next"]
        if kind == "Wait":
            until = _instant(_get(state["TimestampPath"], data))
            self._scheduler.sleep_until(until - timedelta(seconds=self.wakes_early()))
            return data, state["Next"]
        if kind == "Task":
            return self._task(execution, state, data)
        raise UnknownDefinition(f"state type {kind}")

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
                catcher = next((c for c in state.get("Catch", ()) if _matches(c["ErrorEquals"], failure.error)), None)
                if catcher is None:
                    raise UnknownDefinition(f"uncaught {failure.error}") from None
                return _placed(catcher, data, {"Error": failure.error, "Cause": failure.cause}), catcher["Next"]
            return _placed(state, data, result), state["Next"]

    def _attempt(self, execution: Execution, state: Json, data: Any) -> Any:
        given = _filled(state["Parameters"], data, self._context(execution))
        if state["Resource"].endswith("states:startExecution"):
            self._start(given["Name"], given["Input"])
            return {}
        function = given["FunctionName"].removeprefix("${").removesuffix("Arn}")
        answer = self._invoke_in_time(function, given["Payload"], state["TimeoutSeconds"])
        result = {"Payload": answer}
        return _filled(state["ResultSelector"], result, {}) if "ResultSelector" in state else result

    def _invoke_in_time(self, function: str, payload: Json, timeout: float) -> Json:
        """The function runs in a thread of its own: the service's time-out ends the waiting, not the function."""
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
            if not _matches(retrier["ErrorEquals"], failure.error):
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


def _matches(names: list[str], error: str) -> bool:
    return error in names or "States.ALL" in names


def _get(path: str, data: Any) -> Any:
    found = data
    for part in path.split(".")[1:]:
        if not isinstance(found, Mapping) or part not in found:
            raise UnknownDefinition(f"{path} is not there")
        found = found[part]
    return found


def _filled(template: Any, data: Any, context: Json) -> Any:
    """A payload template with its `.$` fields resolved."""
    if isinstance(template, list):
        return [_filled(item, data, context) for item in template]
    if not isinstance(template, Mapping):
        return template
    filled = {}
    for key, value in template.items():
        if key.endswith(".$"):
            filled[key[:-2]] = copy.deepcopy(_expression(value, data, context))
        else:
            filled[key] = _filled(value, data, context)
    return filled


def _expression(text: str, data: Any, context: Json) -> Any:
    if text.startswith("States."):
        name, _, rest = text.partition("(")
        arguments = [a.strip() for a in rest.removesuffix(")").split(",")]
        values = [a.strip("'") if a.startswith("'") else _expression(a, data, context) for a in arguments]
        if name == "States.Format":
            return values[0].format(*values[1:])
        if name == "States.StringToJson":
            return json.loads(values[0])
        raise UnknownDefinition(f"intrinsic {name}")
    return _get(text[1:], context) if text.startswith("$$") else _get(text, data)


def _placed(state: Json, data: Any, result: Any) -> Any:
    """The result where ResultPath says: in the place of everything, nowhere, or at one field."""
    path = state.get("ResultPath", "$")
    if path is None:
        return data
    if path == "$":
        return result
    after = dict(data)
    after[path.removeprefix("$.")] = result
    return after


def _choose(state: Json, data: Any) -> str:
    for choice in state["Choices"]:
        if _holds(choice, data):
            return str(choice["Next"])
    return str(state["Default"])


def _holds(rule: Json, data: Any) -> bool:
    if "And" in rule:
        return all(_holds(part, data) for part in rule["And"])
    try:
        value = _get(rule["Variable"], data)
    except UnknownDefinition:
        if "IsPresent" in rule:
            return not rule["IsPresent"]
        raise
    if "IsPresent" in rule:
        return bool(rule["IsPresent"])
    if "StringEquals" in rule:
        return bool(value == rule["StringEquals"])
    if "StringMatches" in rule:
        return isinstance(value, str) and fnmatch.fnmatchcase(value, rule["StringMatches"].replace("[", "[[]"))
    raise UnknownDefinition(f"rule {sorted(rule)}")


def _value(state: Json, name: str, data: Any) -> str:
    return str(_get(state[f"{name}Path"], data)) if f"{name}Path" in state else str(state.get(name, ""))


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
