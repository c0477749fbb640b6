"""RepegOrders: one turn. Read the broker's reports, compare them with the orders, act once per order, store it."""

from __future__ import annotations

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.errors import BrokerUnavailable
from repeg.domain.next_step import NextStep, after_turn
from repeg.domain.parent_order import ParentState
from repeg.domain.run_health import overdue
from repeg.domain.session import next_turn, wire
from repeg.domain.steps import TurnDone, TurnPayload
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.alerts import tell_long_holds
from repeg.workflow.looking import work_turn
from repeg.workflow.switches import switch_now
from repeg.workflow.turn import begin_sending_turn, find_run, journal_skip


@lambda_step
def lambda_handler(payload: TurnPayload, _context: LambdaContext) -> TurnDone:
    """What comes next, and when."""
    answer = repeg_orders(payload.run_id, payload.epoch, payload.turn.turns, payload.first_turn, ports())
    count("Turns", 1)
    count("OrdersWorking", answer.working)
    count("OrdersUnknown", answer.unknown)
    return answer


def repeg_orders(run_id: str, epoch: int, turns: int, first_turn: int, ports: Ports) -> TurnDone:
    """Reconcile every working order with the broker, then hold it, move it, cross with it, or finish it."""
    try:
        turn = begin_sending_turn(run_id, epoch, ports)
        orders, due = work_turn(turn)
    except BrokerUnavailable as error:
        return skip_turn(run_id, turns, first_turn, error, ports)
    tell_long_holds(turn, orders)
    kill = switch_now(turn.run, turn.now, ports)
    following = after_turn(orders, turn.now, turn.run.window, kill, turns + 1 - first_turn)
    working = sum(order.state is ParentState.WORKING for order in orders)
    unknown = overdue(orders, turn.now)
    return TurnDone(decision=following, turns=turns + 1, turn_at=wire(due), working=working, unknown=unknown)


def skip_turn(run_id: str, turns: int, first_turn: int, error: BrokerUnavailable, ports: Ports) -> TurnDone:
    """A turn during a broker outage: resting orders stay, until our own clock ends the window.

    It counts as a turn: the run is alive, so the watchdog must not sweep it when the broker answers again.
    """
    run = find_run(run_id, ports)
    now = journal_skip(run_id, error, ports)
    ports.store.record_heartbeat(run_id, now)
    orders = ports.store.orders(run_id)
    following = after_turn(orders, now, run.window, switch_now(run, now, ports), turns + 1 - first_turn)
    following = NextStep.WAIT if following is NextStep.VALIDATE else following
    due = next_turn(now, run.window, run.settings.order_monitoring_seconds)
    unknown = overdue(orders, now)
    return TurnDone(decision=following, turns=turns + 1, turn_at=wire(due), working=len(orders), unknown=unknown)
