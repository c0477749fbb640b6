"""Replacements: when a move may be one, and what a replacement has filled itself.

A replacement shares its quantity with the order whose place it takes, and brokers differ on whether it shows that
order's fills as its own. So fills are never summed along a chain: where there is a doubt, the executions decide.
"""

from __future__ import annotations

from decimal import Decimal

from repeg.domain.broker import Execution
from repeg.domain.child_order import Child, ChildState, OrderReport
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import Action, Decision
from repeg.domain.settings import Settings
from repeg.workflow.turn import Turn


def is_replaceable(order: ParentOrder, child: Child, decision: Decision, settings: Settings) -> bool:
    """Whether a move may be one replace: of a resting limit order in whole shares, with nothing filled anywhere on its
    chain, that is all there is left to do. One replace is tried per child; what it was refused is done by a cancel."""
    is_move = decision.verb is Action.MOVE and decision.limit is not None and child.limit is not None
    is_resting = child.state is ChildState.LIVE and child.broker_id is not None
    is_untouched = not any(each.filled for each in (child, *order.predecessors(child)))
    is_whole = child.qty == child.qty.to_integral_value() and child.qty == order.remaining
    is_first = order.replacement_of(child) is None and len(order.children) < settings.max_attempts
    return settings.use_replace and is_move and is_resting and is_untouched and is_whole and is_first


def undo_move(order: ParentOrder) -> ParentOrder:
    """An order whose replacement came to nothing: it has not moved, and stands where its resting child stands."""
    resting = order.open_child
    rung = order.rung if resting is None else resting.rung
    return order.model_copy(update={"rung": rung, "moves": max(0, order.moves - 1)})


def own_fills(turn: Turn, order: ParentOrder, child: Child, report: OrderReport) -> OrderReport | None:
    """A report with the fills that are the child's very own; None where they cannot be told yet.

    What a predecessor filled while the replace was on its way may be in the report or not, by the broker's habit.
    """
    before = order.predecessors(child)
    if report.filled_qty == 0 or all(each.is_closed and each.filled == 0 for each in before):
        return report
    if report.state is ChildState.REJECTED:
        # It never worked. What it shows is its predecessor's, as that stood then, and that may go on filling.
        return report.model_copy(update={"filled_qty": Decimal(0), "average_price": None})
    executions = turn.ports.broker.executions(turn.run.trading_day.day)
    mine = [execution for execution in executions if execution.broker_order_id == report.broker_id]
    filled, inherited = _shares(mine), sum((each.filled for each in before), Decimal(0))
    # The list of executions may lag: it is believed when it has all that the predecessors filled.
    ids = {each.broker_id for each in before}
    is_complete = _shares([e for e in executions if e.broker_order_id in ids]) == inherited
    is_told = report.filled_qty in {filled, filled + inherited}
    if not (is_complete and is_told and all(each.is_closed for each in before)):
        return None
    paid = sum((execution.qty * execution.price for execution in mine), Decimal(0))
    return report.model_copy(update={"filled_qty": filled, "average_price": paid / filled if filled else None})


def fills_pending(child: Child, report: OrderReport) -> Child:
    """A child that is at the broker, while what it filled cannot be told: open, whatever the report says."""
    resting = child if not child.is_closed and child.broker_id else child.becomes(ChildState.LIVE)
    return resting.model_copy(update={"broker_id": report.broker_id})


def _shares(executions: list[Execution]) -> Decimal:
    return sum((execution.qty for execution in executions), Decimal(0))
