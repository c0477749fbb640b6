"""CheckSession: trade now, wait until the window opens, or stop for the day."""

from __future__ import annotations

from datetime import datetime

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain import session
from repeg.domain.journal import Ruling
from repeg.domain.journalled_rules import SESSION
from repeg.domain.run import Run
from repeg.domain.steps import RunRef, SessionChecked
from repeg.lambda_step import lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.turn import begin_turn


@lambda_step
def lambda_handler(payload: RunRef, _context: LambdaContext) -> SessionChecked:
    """The session decision for the machine's next state."""
    return check_session(payload.run_id, ports())


def check_session(run_id: str, ports: Ports) -> SessionChecked:
    """Compare the broker's clock with the run's window."""
    turn = begin_turn(run_id, ports)
    window = turn.run.window
    answer = session.check(turn.moment.now, window)
    ruling = Ruling(SESSION, {"moment": turn.moment, "window": window}, answer)
    until = f"until {_clock(answer.until)}"
    turn.journal("session", answer.decision, until, _because(turn.run, answer.decision), ruling)
    return SessionChecked(decision=answer.decision, reason=answer.reason, until=session.wire(answer.until))


def _because(run: Run, decision: session.SessionDecision) -> str:
    day, settings = run.trading_day, run.settings
    if decision is session.SessionDecision.WAIT:
        return f"opens {_clock(day.open)}, orders from {settings.market_open_delay_minutes} minutes after"
    return f"closes {_clock(day.close)}, orders until {settings.close_margin_minutes} minutes before"


def _clock(instant: datetime) -> str:
    return f"{instant.astimezone(session.NEW_YORK):%H:%M}"
