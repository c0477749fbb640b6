"""ValidateQuotes: which of the orders not yet placed have a book that may be traded on."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.errors import BrokerUnavailable
from repeg.domain.journal import Entry
from repeg.domain.parent_order import ParentState
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.quote_check import apply_quote_check, is_held_by_book
from repeg.workflow.turn import Turn, begin_trading_turn


@lambda_step
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Payload: run_id, epoch. Answer: how many orders have a usable quote and how many are held."""
    answer = validate_quotes(event["run_id"], event["epoch"], ports())
    count(quotes_used=answer["use"], quotes_held=answer["hold"])
    return answer


def validate_quotes(run_id: str, epoch: int, ports: Ports) -> dict[str, Any]:
    """Look at every waiting order's quote; the first accepted one is its arrival and fixes its collar."""
    try:
        return look_at_quotes(begin_trading_turn(run_id, epoch, ports))
    except BrokerUnavailable as error:
        ports.journal.record(Entry(ports.runtime.now(), run_id, "run", "skip", reason=str(error)))
        return {"use": 0, "hold": 0}


def look_at_quotes(turn: Turn) -> dict[str, Any]:
    """How many waiting orders have a book that may be traded on, and how many do not."""
    waiting = [order for order in turn.ports.store.orders(turn.run.run_id) if order.state is ParentState.WAITING]
    quotes = turn.quotes(waiting)
    looked_at = turn.each(lambda order: apply_quote_check(turn, order, quotes.get(order.symbol)), waiting)
    held = sum(is_held_by_book(order) for order in looked_at)
    return {"use": len(looked_at) - held, "hold": held}
