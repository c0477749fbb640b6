"""PlaceOrders: sells first, then the buys that their cash is there for, all symbols at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.errors import BrokerUnavailable
from repeg.domain.journal import Entry
from repeg.domain.parent_order import ParentOrder, ParentState
from repeg.domain.quote import Quote, Side
from repeg.domain.session import next_turn, wire
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.funding import fund_buys
from repeg.workflow.quote_check import is_held_by_book
from repeg.workflow.sellable import sellable_quantities
from repeg.workflow.turn import Turn, begin_trading_turn, find_run
from repeg.workflow.working import start_order


@lambda_step
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Payload: run_id, epoch, turn. Answer: the turn count, what was placed, and when the next turn is due."""
    answer = place_orders(event["run_id"], event["epoch"], event["turn"]["turns"], ports())
    count(orders_placed=answer["placed"])
    return answer


def place_orders(run_id: str, epoch: int, turns: int, ports: Ports) -> dict[str, Any]:
    """Place every waiting order whose book may be traded on, then say when the next turn is due."""
    try:
        turn = begin_trading_turn(run_id, epoch, ports)
        run, placed, now = turn.run, place_ready(turn), turn.now
    except BrokerUnavailable as error:
        ports.journal.record(Entry(ports.runtime.now(), run_id, "run", "skip", reason=str(error)))
        run, placed, now = find_run(run_id, ports), 0, ports.runtime.now()
    due = next_turn(now, run.window, run.settings.order_monitoring_seconds)
    return {"turns": turns, "turn_at": wire(due), "placed": placed}


def place_ready(turn: Turn) -> int:
    """Sells of what is held first; then the buys that their cash is there for. Returns how many now have a child."""
    orders = turn.ports.store.orders(turn.run.run_id)
    waiting = [order for order in orders if order.state is ParentState.WAITING]
    # One that was cut off between its last fill and its end is still to be ended.
    turn.each(
        lambda order: start_order(turn, order, None, Decimal(0)), [order for order in waiting if order.remaining <= 0]
    )
    ready = [order for order in waiting if order.remaining > 0 and not is_held_by_book(order)]
    quotes = turn.quotes(ready)
    sells = [order for order in ready if order.side is Side.SELL]
    sold = _place(turn, sells, sellable_quantities(turn, sells) if sells else {}, quotes)
    buys = [order for order in ready if order.side is Side.BUY]
    bought = _place(turn, buys, fund_buys(turn, buys, orders, quotes) if buys else {}, quotes)
    return sum(order.open_child is not None for order in [*sold, *bought])


def _place(
    turn: Turn, orders: Sequence[ParentOrder], granted: Mapping[str, Decimal], quotes: Mapping[str, Quote]
) -> list[ParentOrder]:
    """All at once, each for the shares that it was granted; one that was granted none waits."""
    due = [order for order in orders if granted[order.symbol] > 0]
    return turn.each(lambda order: start_order(turn, order, quotes.get(order.symbol), granted[order.symbol]), due)
