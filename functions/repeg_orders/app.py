"""RepegOrders: one turn. Read the broker's reports, compare them with the orders, act once per order, store it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.errors import BrokerUnavailable
from repeg.domain.next_step import NextStep, after_turn, turns_left
from repeg.domain.parent_order import ParentOrder, ParentState
from repeg.domain.run_health import overdue
from repeg.domain.session import next_turn, wire
from repeg.domain.setting_types import Waiting
from repeg.domain.steps import TurnDone, TurnPayload
from repeg.lambda_step import count, flush_now, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.alerts import tell_long_holds
from repeg.workflow.listening import Listened, listen
from repeg.workflow.looking import work_turn
from repeg.workflow.switches import switch_now
from repeg.workflow.turn import Turn, begin_sending_turn, find_run, journal_skip


@lambda_step
def lambda_handler(payload: TurnPayload, context: LambdaContext) -> TurnDone:
    """What comes next, and when."""
    ref = payload.run_id, payload.epoch, payload.turn.turns, payload.first_turn
    answer = repeg_orders(*ref, ports(), lambda: flush_now(context), left=payload.turn.left)
    count("Turns", 1)
    count("OrdersWorking", answer.working)
    count("OrdersUnknown", answer.unknown)
    return answer


def repeg_orders(
    run_id: str,
    epoch: int,
    turns: int,
    first_turn: int,
    ports: Ports,
    flush: Callable[[], None] = lambda: None,
    *,
    left: int = 0,
) -> TurnDone:
    """Reconcile every working order with the broker, then hold it, move it, cross with it, or finish it.

    A listening step makes many turns, and calls `flush` after each, so that its journal is not behind by minutes.
    `left` orders could not be placed yet for lack of time: then the step makes one turn, looks once, and PlaceOrders
    goes on.
    """
    try:
        turn = begin_sending_turn(run_id, epoch, ports)
        if turn.run.settings.waiting is Waiting.STREAM and not left:
            done = listen(turn, turns_left(turns - first_turn), lambda at, orders: _turned(at, orders, flush))
        else:
            orders, due = work_turn(turn, looks_once=left > 0)
            done = Listened(turn, orders, 1, due)
            tell_long_holds(turn, orders)
    except BrokerUnavailable as error:
        return skip_turn(run_id, turns, first_turn, error, ports)
    turn, orders, turns = done.turn, done.orders, turns + done.turns
    kill = switch_now(turn.run, turn.now, ports)
    following = after_turn(orders, turn.now, turn.run.window, kill, turns - first_turn)
    working = sum(order.state is ParentState.WORKING for order in orders)
    unknown = overdue(orders, turn.now)
    return TurnDone(decision=following, turns=turns, turn_at=wire(done.due), working=working, unknown=unknown)


def _turned(turn: Turn, orders: Sequence[ParentOrder], flush: Callable[[], None]) -> None:
    tell_long_holds(turn, orders)
    flush()


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
