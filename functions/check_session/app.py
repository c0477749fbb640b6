"""CheckSession: trade now, wait until the window opens, or stop for the day."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext
from repeg.wiring import ports

from repeg import session
from repeg.ports import Ports
from repeg.shell import lambda_step
from repeg.turn import begin


@lambda_step
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Payload: run_id. Answer: decision (trade, wait, stop), reason, and until when to wait."""
    return check_session(event["run_id"], ports())


def check_session(run_id: str, ports: Ports) -> dict[str, Any]:
    """Ask the broker's clock where we are in the run's window."""
    turn = begin(run_id, ports)
    window = turn.run.window
    answer = session.check(turn.moment.now, window)
    seconds = (answer.until - turn.moment.now).total_seconds()
    detail = f"{answer.decision} {seconds:.0f}s" if answer.decision is session.SessionDecision.WAIT else answer.decision
    opens = turn.run.trading_day.open.astimezone(session.NEW_YORK)
    delay = turn.run.settings.market_open_delay_minutes
    turn.note("session", detail, reason=f"opens {opens:%H:%M}, the first {delay} minutes are not ours",
              rule="session.check", answer=answer)
    return {"decision": answer.decision, "reason": answer.reason, "until": session.wire(answer.until)}
