"""Working one order through one turn: decide, then act once."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from repeg.domain import peg
from repeg.domain.broker import Execution
from repeg.domain.child_order import UNRESOLVED, Child, ChildState, OrderReport
from repeg.domain.order_ids import run_prefix
from repeg.domain.parent_order import Outcome, ParentOrder
from repeg.domain.peg import Action, Decision
from repeg.domain.quote import Quote, QuoteVerdict, check_quote, format_price
from repeg.domain.run import KillSwitch
from repeg.workflow.placement import (
    TOO_LATE,
    attempts_exhausted,
    cancel_children,
    finish_order,
    replace_order,
    send_order,
)
from repeg.workflow.quote_check import hold_reason
from repeg.workflow.replacement import is_replaceable
from repeg.workflow.turn import Turn

# As its reason says at the end.
HELD_BY_ATTEMPTS = "attempts are used up"


def list_own_orders(turn: Turn) -> dict[str, OrderReport]:
    """The run's own open orders as the broker lists them, by client order id. Others' orders are not looked at."""
    prefix = run_prefix(turn.run.run_id)
    return {r.client_order_id: r for r in turn.ports.broker.open_orders() if r.client_order_id.startswith(prefix)}


def book_fills(turn: Turn, before: Sequence[ParentOrder], after: Sequence[ParentOrder]) -> list[Execution]:
    """Book the run's executions if a read has shown that something was filled; each is booked once, by its own id."""
    filled_before = sum((order.filled for order in before), Decimal(0))
    if sum((order.filled for order in after), Decimal(0)) == filled_before:
        return []
    return book_executions(turn, after)


def book_executions(turn: Turn, orders: Sequence[ParentOrder]) -> list[Execution]:
    """Book every execution of the day that belongs to a child of these orders; returns the new ones."""
    ours = {child.broker_id for order in orders for child in order.children}
    found = turn.ports.broker.executions(turn.run.trading_day.day)
    return turn.ports.store.book(
        turn.run.run_id, [execution for execution in found if execution.broker_order_id in ours]
    )


def start_order(turn: Turn, order: ParentOrder, quote: Quote | None, qty: Decimal) -> ParentOrder:
    """The first child of a waiting order, or a new one after its last was closed, for `qty` shares."""
    if order.remaining <= 0:
        return finish_order(turn, order, Outcome.FILLED, "filled")
    if not turn.may_send and not turn.run.preview:
        turn.note(order.symbol, "hold", reason=TOO_LATE)
        return order
    decision = _decide(turn, order, quote, qty)
    if quote is None or not decision.sends:
        return _keep(turn, order, decision, quote)
    if turn.run.preview:
        return finish_order(turn, order, Outcome.PREVIEW, f"would {decision.verb} at {_price(decision.limit)}")
    return send_order(turn, order, decision, quote, qty)


def work_order(turn: Turn, order: ParentOrder, quote: Quote | None, kill: KillSwitch) -> ParentOrder:
    """Hold, move, cross or finish an order that has been read back."""
    child = order.open_child
    if child is None and order.remaining <= 0:
        return finish_order(turn, order, Outcome.FILLED, "filled")
    is_clear = child is not None and child.state not in UNRESOLVED and len(order.open_children) == 1
    if child is None or not is_clear or kill is not KillSwitch.ACTIVE:
        return order
    if order.remaining <= 0:
        turn.note(order.symbol, "cancel", _price(child.limit), "filled before this one took its place")
        return _succeed(turn, order, cancel_children(turn, order))
    if attempts_exhausted(turn, order) and child.state is ChildState.LIVE:
        return _stay(turn, order, child)
    if not turn.may_send:
        return order
    decision = _decide(turn, order, quote, child.remaining)
    if not decision.sends and child.state is not ChildState.CANCELLING:
        return _keep(turn, order, decision, quote)
    if quote is not None and is_replaceable(order, child, decision, turn.settings(order.symbol)):
        return replace_order(turn, order, child, decision, quote)
    return _succeed(turn, order, cancel_children(turn, order), decision, quote)


def _succeed(
    turn: Turn,
    before: ParentOrder,
    withdrawn: ParentOrder,
    decision: Decision | None = None,
    quote: Quote | None = None,
) -> ParentOrder:
    """After the old child: a new one for what is left, or the end; if the old one is not closed yet, nothing."""
    if withdrawn.open_child is None and withdrawn.remaining <= 0:
        return finish_order(turn, withdrawn, Outcome.FILLED, "filled before the cancel")
    qty = _left_of(before, withdrawn)
    is_over = withdrawn.open_child is not None or withdrawn.outcome is not None or qty <= 0
    if is_over or decision is None or not decision.sends or quote is None:
        return turn.ports.store.save_order(withdrawn) if withdrawn != before else before
    return send_order(turn, withdrawn, decision, quote, qty)


def _left_of(before: ParentOrder, withdrawn: ParentOrder) -> Decimal:
    """Shares that a successor is for: what the old child has left. That is less than the order wants where the cash
    was not there for all of it: what was not released does not ride along with a move."""
    asked = {child.n for child in before.open_children}
    left = [child.qty - child.filled for child in withdrawn.children if child.n in asked]
    return min([withdrawn.remaining, *left])


def _decide(turn: Turn, order: ParentOrder, quote: Quote | None, qty: Decimal) -> Decision:
    settings = turn.settings(order.symbol)
    moment = turn.present
    decision = peg.decide(order, quote, moment, settings)
    turn.note(
        order.symbol,
        str(decision.verb),
        _tape_detail(order, decision, qty),
        decision.because,
        rule="peg.decide",
        inputs={"order": order, "quote": quote, "moment": moment, "settings": settings},
        answer=decision,
    )
    return decision


def _keep(turn: Turn, order: ParentOrder, decision: Decision, quote: Quote | None) -> ParentOrder:
    """Hold; remember what holds it when that has changed, for the outcome if the day ends so."""
    answer = check_quote(quote, order.side, turn.now, turn.settings(order.symbol))
    is_book = answer is not QuoteVerdict.OK and decision.reason == answer
    held = hold_reason(turn, quote, answer) if is_book else "collar" if decision.reason == "collar" else ""
    return order if order.held == held else turn.ports.store.save_order(order.model_copy(update={"held": held}))


def _stay(turn: Turn, order: ParentOrder, child: Child) -> ParentOrder:
    """The last child that the order may have is left where it rests, until the run ends; said once."""
    if order.held == HELD_BY_ATTEMPTS:
        return order
    sent = f"{len(order.children)} orders were sent, max_attempts; this one stays"
    turn.note(order.symbol, "hold", _price(child.limit), sent)
    return turn.ports.store.save_order(order.model_copy(update={"held": HELD_BY_ATTEMPTS}))


def _tape_detail(order: ParentOrder, decision: Decision, qty: Decimal) -> str:
    price = _price(decision.limit)
    child = order.open_child
    if decision.verb is Action.HOLD:
        return price if child is not None else ""
    if child is None:
        return f"{order.side} {qty} @ {price}"
    return f"{_price(child.limit)} → {price}"


def _price(limit: Decimal | None) -> str:
    return "market" if limit is None else format_price(limit)
