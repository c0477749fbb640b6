"""The deployed functions as the service runs them: where they are, how long they may take, how their failures look."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from repeg_workbench.faults.walker import TaskFailed

# Each function's own time limit, in seconds, as the template sets it; a test holds the two together.
FUNCTION_TIMEOUTS = {
    "OpenRun": 25, "CheckSession": 25, "PlanOrders": 25, "ValidateQuotes": 25, "PlaceOrders": 50, "RepegOrders": 50,
    "CloseRun": 110, "SweepOrders": 600, "WatchRuns": 600,
}  # fmt: skip

FOLDERS = {
    "OpenRun": "open_run", "CheckSession": "check_session", "PlanOrders": "plan_orders",
    "ValidateQuotes": "validate_quotes", "PlaceOrders": "place_orders", "RepegOrders": "repeg_orders",
    "CloseRun": "close_run", "SweepOrders": "sweep_orders", "WatchRuns": "watch_runs",
}  # fmt: skip


def failed(error: str, message: str) -> TaskFailed:
    """A function's failure as Lambda reports it."""
    return TaskFailed(error, json.dumps({"errorMessage": message, "errorType": error}, separators=(",", ":")))


def context_of(function: str) -> Any:
    """What Powertools asks of a Lambda context."""
    return SimpleNamespace(
        function_name=function, memory_limit_in_mb=512, invoked_function_arn=f"arn:{function}", aws_request_id="0",
        get_remaining_time_in_millis=lambda: FUNCTION_TIMEOUTS[function] * 1_000,
    )  # fmt: skip
