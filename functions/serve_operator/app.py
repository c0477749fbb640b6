"""ServeOperator: for an operator, set the kill switch, cancel the stack's orders, and read back what is open."""

from __future__ import annotations

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.operating import OperatorAnswer, OperatorPayload
from repeg.domain.run import KillSwitch
from repeg.lambda_step import lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.operating import operate


@lambda_step
def lambda_handler(payload: OperatorPayload, _context: LambdaContext) -> OperatorAnswer:
    """The kill switch, what was cancelled, and what is still open."""
    return serve_operator(payload.switch, payload.before, ports())


def serve_operator(switch: KillSwitch | None, before: str, ports: Ports) -> OperatorAnswer:
    """Do what the operator asks; nothing is refused, and the answer says what did not work."""
    return operate(switch, before, ports)
