"""PlanOrders: the plan becomes parent orders, from the account and the prices as they are now."""

from __future__ import annotations

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.steps import OrdersPlanned, RunRef
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.planning import draft_orders
from repeg.workflow.turn import begin_trading_turn


@lambda_step
def lambda_handler(payload: RunRef, _context: LambdaContext) -> OrdersPlanned:
    """How many parent orders the run has."""
    answer = plan_orders(payload.run_id, payload.epoch, ports())
    count("ParentOrders", answer.orders)
    return answer


def plan_orders(run_id: str, epoch: int, ports: Ports) -> OrdersPlanned:
    """Store the parent orders, once: a run that is already planned keeps its orders."""
    turn = begin_trading_turn(run_id, epoch, ports)
    if not turn.run.is_planned:
        orders = draft_orders(turn.run, ports)
        ports.store.add_orders(run_id, epoch, orders)
        for order in orders:
            worth = f"worth {order.target * order.reference_price:.2f}"
            turn.journal(order.symbol, "plan", f"{order.side} {order.target}", worth)
    return OrdersPlanned(orders=len(ports.store.orders(run_id)))
