"""The deployed definition, run with the deployed handlers at a simulated desk."""

from __future__ import annotations

import importlib
import json
from types import SimpleNamespace
from typing import Any, cast

from repeg import wiring
from repeg_workbench.faults.function_service import FOLDERS
from repeg_workbench.faults.stack import DEFINITION
from repeg_workbench.faults.walker import Execution, TaskFailed, Walker
from tests.functions.desk import Desk

NAME = "arn:aws:states:us-east-1:123456789012:execution:execute-plan:walked"


class Machine:
    """Starts executions at a desk; they advance with the desk's clock."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.calls: list[str] = []
        self.walker = Walker(json.loads(DEFINITION.read_text()), desk.scheduler, 0, self.invoke, self._refuse)
        wiring.provide(desk.ports)

    def start(self, given: dict[str, Any], name: str = NAME) -> Execution:
        """Begin an execution."""
        return self.walker.start(name, given)

    def invoke(self, function: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Call a handler; its exception becomes the machine's error."""
        self.calls.append(function)
        handler = importlib.import_module(f"functions.{FOLDERS[function]}.app").lambda_handler
        try:
            answer = handler(json.loads(json.dumps(payload)), _context(function))
        except Exception as error:
            cause = {"errorMessage": str(error), "errorType": type(error).__name__}
            raise TaskFailed(type(error).__name__, json.dumps(cause)) from error
        return cast("dict[str, Any]", json.loads(json.dumps(answer)))

    @staticmethod
    def _refuse(name: str, given: dict[str, Any]) -> None:
        raise AssertionError(f"no renewal was expected: {name} {given}")


def _context(function: str) -> Any:
    return SimpleNamespace(
        function_name=function, memory_limit_in_mb=512, invoked_function_arn=f"arn:{function}", aws_request_id="0",
        get_remaining_time_in_millis=lambda: 50_000,
    )  # fmt: skip
