"""Asks the stack's own function for operators: it holds the broker's keys, and this machine does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from repeg.domain.operating import UNREAD, OperatorAnswer
from repeg_workbench.operate.failures import AWS_ERRORS, CannotOperate, reason
from repeg_workbench.operate.stack import DeployedStack

FUNCTION = "ServeOperator"


def ask(stack: DeployedStack, payload: Mapping[str, Any]) -> OperatorAnswer:
    """What the function did and found. A function that fails is a problem in the answer, and raises nothing."""
    try:
        return OperatorAnswer.model_validate(stack.invoke(FUNCTION, payload))
    except (CannotOperate, ValidationError, *AWS_ERRORS) as error:
        problem = f"the function {FUNCTION} did not answer: {reason(error, stack.at.region)}"
        return OperatorAnswer(switch=UNREAD, before=UNREAD, problems=(problem,))
