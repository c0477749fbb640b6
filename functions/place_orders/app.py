"""PlaceOrders: sells first, then the buys that their cash is there for, all symbols at once."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.errors import BrokerUnavailable
from repeg.journal import Entry
from repeg.order import ParentState
from repeg.ports import Ports
from repeg.quote import Side
from repeg.release import fund
from repeg.session import next_turn, wire
from repeg.shell import count, lambda_step
from repeg.turn import Turn, find_run, open_turn
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
    """Place every waiting order whose book may be traded on, then say when the next turn is due."""
    try:
        turn = open_turn(run_id, epoch, ports)
        run, placed, now = turn.run, place_ready(turn), turn.now
    except BrokerUnavailable as error:
        ports.journal.record(Entry(ports.runtime.now(), run_id, "run", "skip", reason=str(error)))
        run, placed, now = find_run(run_id, ports), 0, ports.runtime.now()
    due = next_turn(now, run.window, run.settings.order_monitoring_seconds)
    return {"turns": turns, "turn_at": wire(due), "placed": placed}


def place_ready(turn: Turn) -> int:
    """Sells first, all at once; then the buys that their cash is there for. Returns how many now have a child."""
    orders = turn.ports.store.orders(turn.run.run_id)
    ready = [order for order in orders if order.state is ParentState.WAITING and not is_held_by_book(order)]
    quotes = turn.quotes(ready)
    sells = [order for order in ready if order.side is Side.SELL]
    sold = turn.each(lambda order: place(turn, order, quotes.get(order.symbol), order.remaining), sells)
    buys = [order for order in ready if order.side is Side.BUY]
    grants = fund(turn, buys, orders, quotes) if buys else {}
    funded = [order for order in buys if grants[order.symbol] > 0]
    bought = turn.each(lambda order: place(turn, order, quotes.get(order.symbol), grants[order.symbol]), funded)
    return sum(order.open_child is not None for order in [*sold, *bought])
