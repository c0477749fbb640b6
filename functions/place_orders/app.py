"""PlaceOrders: sells first, then the buys that the cash is there for, all symbols at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.errors import BrokerUnavailable
from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder, ParentState
from repeg.domain.quote import Quote, Side
from repeg.domain.session import next_turn, whole_second, wire
from repeg.domain.setting_types import Waiting
from repeg.domain.steps import OrdersPlaced, TurnPayload
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.batches import Placing, begin_placing
from repeg.workflow.doubtful import still_missing
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
    """Place the waiting orders whose quotes may be traded on, as many as the step has time and requests for.

    If some are left, the next turn is due at once: it works the orders that rest by then, and PlaceOrders follows. If
    the broker does not answer, none is placed this turn.
    """
    try:
        turn = begin_sending_turn(run_id, epoch, ports)
        placing = place_ready(turn)
        # A step that has placed none would be repeated at once for nothing, and use up the quota that it waits for.
        left = placing.left if placing.placed else 0
        due = whole_second(turn.now) if left else _due(turn)
    except BrokerUnavailable as error:
        run, now = find_run(run_id, ports), journal_skip(run_id, error, ports)
        due = next_turn(now, run.window, run.settings.order_monitoring_seconds)
        return OrdersPlaced(turns=turns, turn_at=wire(due), placed=0)
    return OrdersPlaced(turns=turns, turn_at=wire(due), placed=placing.placed, left=left)


def place_ready(turn: Turn) -> Placing:
    """Place sells of held shares, then buys that the cash is there for; buys wait while sells are left."""
    orders = turn.ports.store.orders(turn.run.run_id)
    waiting = [order for order in orders if order.state is ParentState.WAITING]
    # An interrupted step may have left an order to be finished: after its last fill, or after its owner's move.
    ended = [order for order in waiting if order.remaining <= 0 or order.held is HoldReason.OWNER]
    turn.each(lambda order: start_order(turn, order, None, Decimal(0)), ended)
    due = [order for order in waiting if order not in ended and not is_held_by_book(order) and _is_due(turn, order)]
    ready = still_missing(turn, due)
    placing = begin_placing(turn, ready)
    buys = [order for order in ready if order.side is Side.BUY]
    _place_sells(placing, [order for order in ready if order.side is Side.SELL])
    if placing.left:
        placing.left += len(buys)
    else:
        _place_buys(placing, buys, orders)
    if placing.left:
        turn.journal("run", "batch", f"{placing.placed} placed", f"{placing.left} are left for the next step")
    return placing


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


def _place_sells(placing: Placing, sells: Sequence[ParentOrder]) -> None:
    """Place sells for the shares that are still held."""
    if not sells:
        return
    turn = placing.turn
    placing.held = read_holdings(turn)
    granted = sellable_quantities(turn, sells, placing.held)

    def start(order: ParentOrder, quote: Quote | None) -> ParentOrder:
        return start_order(turn, order, quote, granted[order.symbol], held=placing.held)

    placing.place([order for order in sells if granted[order.symbol] > 0], start)
    placing.held = None


def _place_buys(placing: Placing, buys: Sequence[ParentOrder], orders: Sequence[ParentOrder]) -> None:
    """Place buys for the shares that the cash is there for, under the account's funding lease.

    A buy that a budget has held is tried after the others: its cash would only keep them from buying.
    """
    if not buys:
        return
    turn = placing.turn
    first = [order for order in buys if order.held is not HoldReason.BUDGET]
    with funding_lease(turn) as holder:
        if not holder:
            turn.each(lambda order: hold_order(turn, order, HoldReason.OTHER_RUN, "waits for its lease"), buys)
            return
        _place_funded(placing, first, orders, holder)
        if len(first) == len(buys) or placing.left:
            return
        after = turn.ports.store.orders(turn.run.run_id) if first else orders
        symbols = {order.symbol for order in buys}
        left = [o for o in after if o.symbol in symbols and o.state is ParentState.WAITING and _is_due(turn, o)]
        _place_funded(placing, left, after, holder)


def _place_funded(placing: Placing, buys: Sequence[ParentOrder], orders: Sequence[ParentOrder], holder: str) -> None:
    if not buys:
        return
    turn = placing.turn
    placing.refresh(buys)
    granted = fund_buys(turn, buys, orders, placing.quotes, holder)

    def start(order: ParentOrder, quote: Quote | None) -> ParentOrder:
        qty, funds = granted[order.symbol]
        return start_order(turn, order, quote, qty, funds=funds)

    placing.place([order for order in buys if granted[order.symbol][0] > 0], start)
