"""CheckSession: trade now, wait until the window opens, or stop for the day."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain import session
from repeg.domain.run import Run
from repeg.lambda_step import lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.turn import begin_turn


@lambda_step
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Payload: run_id. Answer: decision (trade, wait, stop), reason, and until when to wait."""
    return check_session(event["run_id"], ports())


def check_session(run_id: str, ports: Ports) -> dict[str, Any]:
    """Ask the broker's clock where we are in the run's window."""
    turn = begin_turn(run_id, ports)
    window = turn.run.window
    answer = session.check(turn.moment.now, window)
    turn.note(
        "session",
        answer.decision,
        f"until {_clock(answer.until)}",
        _because(turn.run, answer.decision),
        rule="session.check",
        inputs={"moment": turn.moment, "window": window},
        answer=answer,
    )
    return {"decision": answer.decision, "reason": answer.reason, "until": session.wire(answer.until)}


def _because(run: Run, decision: session.SessionDecision) -> str:
    day, settings = run.trading_day, run.settings
    if decision is session.SessionDecision.WAIT:
        return f"opens {_clock(day.open)}, the first {settings.market_open_delay_minutes} minutes are not ours"
    return f"closes {_clock(day.close)}, the last {settings.close_margin_minutes} minutes are not ours"


def _clock(instant: datetime) -> str:
    return f"{instant.astimezone(session.NEW_YORK):%H:%M}"
