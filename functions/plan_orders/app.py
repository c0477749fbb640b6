"""PlanOrders: the plan becomes parent orders, from the account and the prices as they are now."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from repeg.domain.parent_order import ParentOrder
from repeg.lambda_step import count, lambda_step
from repeg.ports import Ports
from repeg.wiring import ports
from repeg.workflow.opening import draft_orders
from repeg.workflow.turn import Turn, begin_trading_turn


@lambda_step
def lambda_handler(event: dict[str, Any], _context: LambdaContext) -> dict[str, Any]:
    """Payload: run_id, epoch. Answer: how many parent orders the run has."""
    answer = plan_orders(event["run_id"], event["epoch"], ports())
    count(parent_orders=answer["orders"])
    return answer


def plan_orders(run_id: str, epoch: int, ports: Ports) -> dict[str, Any]:
    """Write the parent orders down, once: a run that is planned already keeps the orders it has."""
    turn = begin_trading_turn(run_id, epoch, ports)
    if not turn.run.is_planned:
        orders = draft_orders(turn.run, ports)
        ports.store.add_orders(run_id, epoch, orders)
        for order in orders:
            note(turn, order)
    return {"orders": len(ports.store.orders(run_id))}


def note(turn: Turn, order: ParentOrder) -> None:
    """Tell the journal what is wanted."""
    turn.note(order.symbol, "plan", f"{order.side} {order.target}", f"worth {order.target * order.reference_price:.2f}")
