"""Differences of moto's service integrations from AWS: the casing of startExecution, and dates in answers.

startExecution fails on its parameters' casing: https://github.com/getmoto/moto/issues/10076; the fix in
https://github.com/getmoto/moto/pull/10101 is not merged. No report was found of dates that are not serialized.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_sfn import (
    StateTaskServiceSfn,
)

from repeg_workbench.engine.moto_corrections.patches import Patches
from repeg_workbench.engine.moto_corrections.states import aws_time

START_EXECUTION = {"StateMachineArn": "stateMachineArn", "Input": "input", "Name": "name"}


def apply(patches: Patches) -> None:
    """Make all corrections of this module."""
    _start_executions(patches)
    _write_dates_as_text(patches)


def plain(value: Any) -> Any:
    """The value with every date in AWS's format."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return aws_time(value) if isinstance(value, datetime) else value


def _start_executions(patches: Patches) -> None:
    """Convert parameters from the definition's PascalCase to boto3's camelCase, and answers back."""

    def normalise(self: Any, parameters: dict[str, Any], *args: Any, **kwargs: Any) -> None:
        original(self, parameters, *args, **kwargs)
        if self._get_boto_service_action() == "start_execution":
            for written, wanted in START_EXECUTION.items():
                if written in parameters:
                    parameters[wanted] = parameters.pop(written)

    def answer(self: Any, response: Any, *args: Any, **kwargs: Any) -> None:
        del self, args, kwargs
        for key in list(response):
            response[key[0].upper() + key[1:]] = response.pop(key)

    original = patches.replace(StateTaskServiceSfn, "_normalise_parameters", normalise)
    patches.replace(StateTaskServiceSfn, "_normalise_response", answer)


def _write_dates_as_text(patches: Patches) -> None:
    def finish(self: Any, env: Any, *args: Any, **kwargs: Any) -> None:
        env.stack[-1] = plain(env.stack[-1])
        original(self, env, *args, **kwargs)

    original = patches.replace(StateTaskService, "_after_eval_execution", finish)
