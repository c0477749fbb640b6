"""The event that Step Functions sends to EventBridge when an execution changes its status."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from repeg_workbench.engine.execution import Execution

SOURCE = "aws.states"
DETAIL_TYPE = "Step Functions Execution Status Change"


def status_change(execution: Execution, machine_arn: str, account: str, region: str, number: int) -> dict[str, Any]:
    """The event of an execution that started or ended; `time` is in seconds since 1970."""
    moment = execution.stopped or execution.started
    detail = {
        "executionArn": execution.arn,
        "stateMachineArn": machine_arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": _milliseconds(execution.started),
        "stopDate": None if execution.stopped is None else _milliseconds(execution.stopped),
        "input": json.dumps(execution.input, separators=(",", ":")),
        "output": None if execution.status != "SUCCEEDED" else json.dumps(execution.output, separators=(",", ":")),
        "inputDetails": {"included": True},
        "outputDetails": {"included": True} if execution.status == "SUCCEEDED" else None,
        "error": execution.error,
        "cause": execution.cause,
    }
    return {
        "version": "0",
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "detail-type": DETAIL_TYPE,
        "source": SOURCE,
        "account": account,
        "time": moment.timestamp(),
        "region": region,
        "resources": [execution.arn],
        "detail": detail,
    }


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
