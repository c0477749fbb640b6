"""PlaceOrders: sells first, then the buys that their cash is there for, all symbols at once."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.order import ParentOrder, ParentState
from repeg.ports import Ports
from repeg.quote import Side
from repeg.release import fund
from repeg.session import next_turn, wire
from repeg.shell import count, lambda_step
from repeg.turn import open_turn
from repeg.validation import is_held_by_book
from repeg.wiring import ports
from repeg.work import place


@lambda_step
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Payload: run_id, epoch, turn. Answer: the turn count, what was placed, and when the next turn is due."""
    answer = place_orders(event["run_id"], event["epoch"], event["turn"]["turns"], ports())
    count(orders_placed=answer["placed"])
    return answer


def place_orders(run_id: str, epoch: int, turns: int, ports: Ports) -> dict[str, Any]:
    """Place every waiting order whose book may be traded on."""
    turn = open_turn(run_id, epoch, ports)
    orders = ports.store.orders(run_id)
    ready = [order for order in orders if order.state is ParentState.WAITING and not is_held_by_book(order)]
    quotes = ports.market.quotes([order.symbol for order in ready]) if ready else {}

    def put(order: ParentOrder) -> ParentOrder:
        return place(turn, order, quotes.get(order.symbol), order.remaining)

    sold = turn.each(put, [order for order in ready if order.side is Side.SELL])
    buys = [order for order in ready if order.side is Side.BUY]
    grants = fund(turn, buys, orders, quotes) if buys else {}

    def put_funded(order: ParentOrder) -> ParentOrder:
        return place(turn, order, quotes.get(order.symbol), grants[order.symbol])

    bought = turn.each(put_funded, [order for order in buys if grants[order.symbol] > 0])
    due = next_turn(turn.now, turn.run.window, turn.run.settings.order_monitoring_seconds)
    placed = sum(order.open_child is not None for order in [*sold, *bought])
    return {"turns": turns, "turn_at": wire(due), "placed": placed}
