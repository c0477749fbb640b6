"""How Lambda runs the deployed functions: folders, timeouts, the form of failures, and how long a history may be."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from repeg.domain import next_step
from repeg_workbench.engine.runtime import VirtualRuntime
from repeg_workbench.engine.scheduler import Scheduler
from repeg_workbench.faults.walker import TaskFailed

# Each function's timeout in seconds. A test compares it with the template.
FUNCTION_TIMEOUTS = {
    "OpenRun": 25, "CheckSession": 25, "PlanOrders": 25, "ValidateQuotes": 25, "PlaceOrders": 50, "RepegOrders": 50,
    "CloseRun": 110, "SweepOrders": 840, "WatchRuns": 840,
}  # fmt: skip

# RepegOrders' in a stack whose runs listen.
LISTENING_TIMEOUT = 655


def time_limit(function: str, *, listening: bool) -> int:
    """A function's timeout in seconds, in a stack whose runs listen or do not."""
    return LISTENING_TIMEOUT if listening and function == "RepegOrders" else FUNCTION_TIMEOUTS[function]


FOLDERS = {
    "OpenRun": "open_run", "CheckSession": "check_session", "PlanOrders": "plan_orders",
    "ValidateQuotes": "validate_quotes", "PlaceOrders": "place_orders", "RepegOrders": "repeg_orders",
    "CloseRun": "close_run", "SweepOrders": "sweep_orders", "WatchRuns": "watch_runs",
}  # fmt: skip


def failed(error: str, message: str) -> TaskFailed:
    """A function's failure, as Lambda reports it to the state machine."""
    return TaskFailed(error, json.dumps({"errorMessage": message, "errorType": error}, separators=(",", ":")))


def context_of(function: str, seconds: int) -> Any:
    """A Lambda context with the fields that Powertools reads, for a function with that time limit."""
    return SimpleNamespace(
        function_name=function, memory_limit_in_mb=512, invoked_function_arn=f"arn:{function}", aws_request_id="0",
        get_remaining_time_in_millis=lambda: seconds * 1_000,
    )  # fmt: skip


@contextmanager
def history_of(turns: int | None) -> Iterator[None]:
    """Limit an execution to so many turns for the length of a block; None leaves the deployed limit."""
    deployed = next_step.TURNS_PER_EXECUTION
    next_step.TURNS_PER_EXECUTION = turns or deployed
    try:
        yield
    finally:
        next_step.TURNS_PER_EXECUTION = deployed


class ClockedRuntime(VirtualRuntime):
    """A runtime whose clock is off by some seconds."""

    def __init__(self, scheduler: Scheduler, seed: int, error: float) -> None:
        super().__init__(scheduler, seed, workers=8)
        self._error = timedelta(seconds=error)

    def now(self) -> datetime:
        """The time of the function's own clock."""
        return super().now() + self._error


class Variables:
    """The variables of the function that runs next, in the environment of this process."""

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        self._environment = environment
        self._set: dict[str, str] = {}

    def enter(self, variables: dict[str, str]) -> None:
        """Set a stack's variables and remove those of another stack, or of an earlier deployment."""
        if self._set is variables:
            return
        for name in self._set.keys() - variables.keys():
            self._environment.pop(name, None)
        self._environment.update(variables)
        self._set = variables

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Restore the environment after a block."""
        before = dict(self._environment)
        try:
            yield
        finally:
            for name in self._set:
                self._environment.pop(name, None)
            self._environment.update(before)
            self._set = {}
