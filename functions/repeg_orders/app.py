"""RepegOrders: the turn. Read what the broker says, compare it with what we want, act once per order, write it down."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.errors import BrokerUnavailable
from repeg.domain.journal import Entry
from repeg.domain.next_step import NextStep, after_turn
from repeg.domain.parent_order import ParentOrder, ParentState
from repeg.domain.session import next_turn, wire
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.placement import refresh_children
from repeg.workflow.turn import Turn, begin_trading_turn, find_run
from repeg.workflow.working import book_fills, list_own_orders, work_order


@lambda_step
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Payload: run_id, epoch, first_turn, turn. Answer: what comes next, the turn count, when the next is due."""
    answer = repeg_orders(event["run_id"], event["epoch"], event["turn"]["turns"], event["first_turn"], ports())
    count(turns=1, orders_working=answer["working"])
    return answer


def repeg_orders(run_id: str, epoch: int, turns: int, first_turn: int, ports: Ports) -> dict[str, Any]:
    """Reconcile every working order with the broker, then hold it, move it, cross with it, or finish it."""
    try:
        turn = begin_trading_turn(run_id, epoch, ports)
        ports.store.record_heartbeat(run_id, turn.moment.now)
        orders = work_all(turn)
    except BrokerUnavailable as error:
        return skip_turn(run_id, turns, first_turn, str(error), ports)
    following = after_turn(orders, turn.now, turn.run.window, ports.store.kill_switch(), turns + 1 - first_turn)
    due = next_turn(turn.now, turn.run.window, turn.run.settings.order_monitoring_seconds)
    working = sum(order.state is ParentState.WORKING for order in orders)
    return {"decision": following, "turns": turns + 1, "turn_at": wire(due), "working": working}


def work_all(turn: Turn) -> list[ParentOrder]:
    """Every order of the run after its turn."""
    orders = turn.ports.store.orders(turn.run.run_id)
    working = [order for order in orders if order.state is ParentState.WORKING]
    listed = list_own_orders(turn) if working else {}
    seen = turn.each(lambda order: refresh_children(turn, order, listed), working)
    book_fills(turn, working, seen)
    quotes = turn.quotes([order for order in seen if order.open_child])
    kill = turn.ports.store.kill_switch()
    worked = {
        order.symbol: order for order in turn.each(lambda o: work_order(turn, o, quotes.get(o.symbol), kill), seen)
    }
    return [worked.get(order.symbol, order) for order in orders]


def skip_turn(run_id: str, turns: int, first_turn: int, why: str, ports: Ports) -> dict[str, Any]:
    """A turn in which the broker did not answer: what rests keeps resting, until our own clock ends the window.

    It is a turn all the same: the run is not dead, and nobody is to sweep it once the broker answers again.
    """
    run = find_run(run_id, ports)
    now = ports.runtime.now()
    ports.store.record_heartbeat(run_id, now)
    ports.journal.record(Entry(now, run_id, "run", "skip", reason=why))
    orders = ports.store.orders(run_id)
    following = after_turn(orders, now, run.window, ports.store.kill_switch(), turns + 1 - first_turn)
    following = NextStep.WAIT if following is NextStep.VALIDATE else following
    due = next_turn(now, run.window, run.settings.order_monitoring_seconds)
    return {"decision": following, "turns": turns + 1, "turn_at": wire(due), "working": len(orders)}
