"""PlaceOrders: sells first, then the buys that the cash is there for, all symbols at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.errors import BrokerUnavailable
from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder, ParentState
from repeg.domain.quote import Quote, Side
from repeg.domain.session import next_turn, wire
from repeg.domain.setting_types import Waiting
from repeg.domain.steps import OrdersPlaced, TurnPayload
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.funding import fund_buys, funding_lease
from repeg.workflow.looking import is_looked_at, next_turn_of
from repeg.workflow.quote_check import hold_order, is_held_by_book
from repeg.workflow.sellable import read_holdings, sellable_quantities
from repeg.workflow.turn import Turn, begin_sending_turn, find_run, journal_skip
from repeg.workflow.working import start_order


@lambda_step
def lambda_handler(payload: TurnPayload, _context: LambdaContext) -> OrdersPlaced:
    """How many orders were placed, and when the next turn is due."""
    answer = place_orders(payload.run_id, payload.epoch, payload.turn.turns, ports())
    count("OrdersPlaced", answer.placed)
    return answer


def place_orders(run_id: str, epoch: int, turns: int, ports: Ports) -> OrdersPlaced:
    """Place every waiting order whose quote may be traded on. If the broker does not answer, place none this turn."""
    try:
        turn = begin_sending_turn(run_id, epoch, ports)
        placed = place_ready(turn)
        due = _due(turn)
    except BrokerUnavailable as error:
        run, placed, now = find_run(run_id, ports), 0, journal_skip(run_id, error, ports)
        due = next_turn(now, run.window, run.settings.order_monitoring_seconds)
    return OrdersPlaced(turns=turns, turn_at=wire(due), placed=placed)


def place_ready(turn: Turn) -> int:
    """Place sells of held shares, then buys that the cash is there for. Returns how many orders now have a child."""
    orders = turn.ports.store.orders(turn.run.run_id)
    waiting = [order for order in orders if order.state is ParentState.WAITING]
    # An interrupted step may have left an order to be finished: after its last fill, or after its owner's move.
    ended = [order for order in waiting if order.remaining <= 0 or order.held is HoldReason.OWNER]
    turn.each(lambda order: start_order(turn, order, None, Decimal(0)), ended)
    ready = [order for order in waiting if order not in ended and not is_held_by_book(order) and _is_due(turn, order)]
    quotes = turn.quotes(ready)
    sold = _place_sells(turn, [order for order in ready if order.side is Side.SELL], quotes)
    bought = _place_buys(turn, [order for order in ready if order.side is Side.BUY], orders, quotes)
    return sum(order.open_child is not None for order in [*sold, *bought])


def _due(turn: Turn) -> datetime:
    """When the next turn is due: on the grid, one look later where orders are looked at or were not sent in time, and
    at once where the next step listens."""
    orders = turn.ports.store.orders(turn.run.run_id)
    is_unsent = any(order.was_not_sent for order in orders)
    if turn.run.settings.waiting is Waiting.STREAM and not is_unsent:
        return turn.floor
    return next_turn_of(turn, looks=is_unsent or any(is_looked_at(turn, order) for order in orders))


def _is_due(turn: Turn, order: ParentOrder) -> bool:
    """Whether an order that the broker refused for now may be tried again."""
    return order.retry_at is None or turn.now >= order.retry_at


def _place_sells(turn: Turn, sells: Sequence[ParentOrder], quotes: Mapping[str, Quote]) -> list[ParentOrder]:
    """Place sells for the shares that are still held."""
    if not sells:
        return []
    held = read_holdings(turn)
    granted = sellable_quantities(turn, sells, held)
    due = [order for order in sells if granted[order.symbol] > 0]
    return turn.each(lambda o: start_order(turn, o, quotes.get(o.symbol), granted[o.symbol], held=held), due)


def _place_buys(
    turn: Turn, buys: Sequence[ParentOrder], orders: Sequence[ParentOrder], quotes: Mapping[str, Quote]
) -> list[ParentOrder]:
    """Place buys for the shares that the cash is there for, under the account's funding lease.

    A buy that a budget has held is tried after the others: its cash would only keep them from buying.
    """
    if not buys:
        return []
    first = [order for order in buys if order.held is not HoldReason.BUDGET]
    with funding_lease(turn) as holder:
        if not holder:
            return turn.each(lambda order: hold_order(turn, order, HoldReason.OTHER_RUN, "waits for its lease"), buys)
        placed = _place_funded(turn, first, orders, quotes, holder)
        if len(first) == len(buys):
            return placed
        after = turn.ports.store.orders(turn.run.run_id) if first else orders
        symbols = {order.symbol for order in buys}
        left = [o for o in after if o.symbol in symbols and o.state is ParentState.WAITING and _is_due(turn, o)]
        return placed + _place_funded(turn, left, after, quotes, holder)


def _place_funded(
    turn: Turn,
    buys: Sequence[ParentOrder],
    orders: Sequence[ParentOrder],
    quotes: Mapping[str, Quote],
    holder: str,
) -> list[ParentOrder]:
    if not buys:
        return []
    granted = fund_buys(turn, buys, orders, quotes, holder)

    def start(order: ParentOrder) -> ParentOrder:
        qty, funds = granted[order.symbol]
        return start_order(turn, order, quotes.get(order.symbol), qty, funds=funds)

    return turn.each(start, [order for order in buys if granted[order.symbol][0] > 0])
