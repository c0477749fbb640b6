"""PlanOrders: the plan becomes parent orders, from the account and the prices as they are now."""

from __future__ import annotations

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.errors import Conflict
from repeg.domain.steps import OrdersPlanned, RunRef
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.planning import Draft, draft_orders, journal_plan, journal_sizing
from repeg.workflow.turn import Turn, begin_trading_turn

# Attempts within one step; the state machine retries the step itself.
ATTEMPTS = 3


@lambda_step
def lambda_handler(payload: RunRef, _context: LambdaContext) -> OrdersPlanned:
    """How many parent orders the run has."""
    answer = plan_orders(payload.run_id, payload.epoch, ports())
    count("ParentOrders", answer.orders)
    return answer


def plan_orders(run_id: str, epoch: int, ports: Ports) -> OrdersPlanned:
    """Store the parent orders, once: a run that is already planned keeps its orders.

    Raises Conflict, to be retried, if other runs of the day kept planning at the same time.
    """
    turn = begin_trading_turn(run_id, epoch, ports)
    if not turn.run.is_planned:
        journal_sizing(turn, _plan(turn, ATTEMPTS))
        for order in ports.store.orders(run_id):
            journal_plan(turn, order)
    return OrdersPlanned(orders=len(ports.store.orders(run_id)))


def _plan(turn: Turn, attempts: int) -> Draft:
    """Size the orders and store them; size them again if another run planned meanwhile, whose orders then count."""
    draft = draft_orders(turn.run, turn.now, turn.ports)
    try:
        turn.ports.store.add_orders(turn.run.run_id, turn.run.epoch, draft.orders, draft.version)
    except Conflict:
        if attempts == 1:
            raise
        return _plan(turn, attempts - 1)
    return draft
