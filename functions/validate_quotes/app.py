"""ValidateQuotes: which of the orders not yet placed have a book that may be traded on."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.order import ParentOrder, ParentState
from repeg.ports import Ports
from repeg.quote import Gate
from repeg.shell import count, lambda_step
from repeg.turn import open_turn
from repeg.validation import accept
from repeg.wiring import ports


@lambda_step
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Payload: run_id, epoch. Answer: how many orders have a usable quote and how many are held."""
    answer = validate_quotes(event["run_id"], event["epoch"], ports())
    count(quotes_used=answer["use"], quotes_held=answer["hold"])
    return answer


def validate_quotes(run_id: str, epoch: int, ports: Ports) -> dict[str, Any]:
    """Look at every waiting order's quote; the first accepted one is its arrival and fixes its collar."""
    turn = open_turn(run_id, epoch, ports)
    waiting = [order for order in ports.store.orders(run_id) if order.state is ParentState.WAITING]
    quotes = ports.market.quotes([order.symbol for order in waiting]) if waiting else {}

    def look(order: ParentOrder) -> ParentOrder:
        return accept(turn, order, quotes.get(order.symbol))

    looked_at = turn.each(look, waiting)
    held = [order for order in looked_at if order.held in set(Gate) | {"halted"}]
    return {"use": len(looked_at) - len(held), "hold": len(held)}
