"""Working one order through one turn: decide, then act once."""

from __future__ import annotations

from decimal import Decimal

from repeg.domain import peg
from repeg.domain.child_order import UNRESOLVED, Child, ChildState
from repeg.domain.journal import Ruling
from repeg.domain.journalled_rules import NEXT_ACTION
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import Action, Decision
from repeg.domain.price_format import format_limit
from repeg.domain.quote import Quote, QuoteVerdict, check_quote
from repeg.domain.quote_check import hold_reason
from repeg.domain.replacement import is_replaceable
from repeg.domain.run import KillSwitch
from repeg.workflow.cancellation import cancel_children
from repeg.workflow.placement import (
    attempts_exhausted,
    finish_order,
    hold_too_late,
    replace_order,
    send_order,
)
from repeg.workflow.turn import Turn


def start_order(turn: Turn, order: ParentOrder, quote: Quote | None, qty: Decimal) -> ParentOrder:
    """Place a waiting order: its first child, or a new one after its last was closed, for `qty` shares."""
    if order.remaining <= 0:
        return finish_order(turn, order, Outcome.FILLED, "filled")
    if not turn.may_send and not turn.run.preview:
        hold_too_late(turn, order)
        return order
    decision = _decide(turn, order, quote, qty)
    if quote is None or not decision.sends:
        return _keep(turn, order, decision, quote)
    if turn.run.preview:
        would = f"would {decision.verb} at {format_limit(decision.limit)}"
        return finish_order(turn, order, Outcome.PREVIEW, would)
    return send_order(turn, order, decision, quote, qty)


def work_order(turn: Turn, order: ParentOrder, quote: Quote | None, kill: KillSwitch) -> ParentOrder:
    """Hold, move, cross or finish an order whose children have been read back."""
    child = order.open_child
    if child is None and order.remaining <= 0:
        return finish_order(turn, order, Outcome.FILLED, "filled")
    is_clear = child is not None and child.state not in UNRESOLVED and len(order.open_children) == 1
    if child is None or not is_clear or kill is not KillSwitch.ACTIVE:
        return order
    if order.remaining <= 0:
        turn.journal(order.symbol, "cancel", format_limit(child.limit), "filled before this one took its place")
        return _place_successor(turn, order, cancel_children(turn, order))
    if attempts_exhausted(turn, order) and child.state is ChildState.LIVE:
        return _leave_last_child(turn, order, child)
    if not turn.may_send:
        return order
    decision = _decide(turn, order, quote, child.remaining)
    if not decision.sends and child.state is not ChildState.CANCELLING:
        return _keep(turn, order, decision, quote)
    if quote is not None and is_replaceable(order, child, decision, turn.settings(order.symbol)):
        return replace_order(turn, order, child, decision, quote)
    return _place_successor(turn, order, cancel_children(turn, order), decision, quote)


def _place_successor(
    turn: Turn,
    before: ParentOrder,
    cancelled: ParentOrder,
    decision: Decision | None = None,
    quote: Quote | None = None,
) -> ParentOrder:
    """Place a child for what the cancelled one left, or finish the order. Does nothing while that one is open."""
    if cancelled.open_child is None and cancelled.remaining <= 0:
        return finish_order(turn, cancelled, Outcome.FILLED, "filled before the cancel")
    qty = _left_of(before, cancelled)
    is_over = cancelled.open_child is not None or cancelled.outcome is not None or qty <= 0
    if is_over or decision is None or not decision.sends or quote is None:
        return turn.ports.store.save_order(cancelled) if cancelled != before else before
    return send_order(turn, cancelled, decision, quote, qty)


def _left_of(before: ParentOrder, cancelled: ParentOrder) -> Decimal:
    """Shares for a successor: what the old child left unfilled.

    That is less than the order still needs if the old child was scaled to the cash: a move brings no new cash.
    """
    asked = {child.n for child in before.open_children}
    left = [child.qty - child.filled for child in cancelled.children if child.n in asked]
    return min([cancelled.remaining, *left])


def _decide(turn: Turn, order: ParentOrder, quote: Quote | None, qty: Decimal) -> Decision:
    settings = turn.settings(order.symbol)
    moment = turn.present
    decision = peg.decide(order, quote, moment, settings)
    inputs = {"order": order, "quote": quote, "moment": moment, "settings": settings}
    detail = _tape_detail(order, decision, qty)
    ruling = Ruling(NEXT_ACTION, inputs, decision)
    turn.journal(order.symbol, str(decision.verb), detail, decision.because, ruling)
    return decision


def _keep(turn: Turn, order: ParentOrder, decision: Decision, quote: Quote | None) -> ParentOrder:
    """Hold, and save a changed hold reason: it decides the outcome if the window closes now."""
    held = _held_by(turn, order, decision, quote)
    if order.held is held:
        return order
    return turn.ports.store.save_order(order.released() if held is None else order.on_hold(held))


def _held_by(turn: Turn, order: ParentOrder, decision: Decision, quote: Quote | None) -> HoldReason | None:
    verdict = check_quote(quote, order.side, turn.now, turn.settings(order.symbol))
    if verdict is not QuoteVerdict.OK and decision.reason == verdict:
        return hold_reason(verdict, quote, turn.now)
    return HoldReason.COLLAR if decision.reason == "collar" else None


def _leave_last_child(turn: Turn, order: ParentOrder, child: Child) -> ParentOrder:
    """Leave the last child that the order may have where it is until the run ends; journalled once."""
    if order.held is HoldReason.ATTEMPTS:
        return order
    sent = f"{len(order.children)} orders were sent, max_attempts; this one stays"
    turn.warn(order.symbol, "hold", format_limit(child.limit), sent)
    return turn.ports.store.save_order(order.on_hold(HoldReason.ATTEMPTS))


def _tape_detail(order: ParentOrder, decision: Decision, qty: Decimal) -> str:
    price = format_limit(decision.limit)
    child = order.open_child
    if decision.verb is Action.HOLD:
        return price if child is not None else ""
    if child is None:
        return f"{order.side} {qty} @ {price}"
    return f"{format_limit(child.limit)} → {price}"
