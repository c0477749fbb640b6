"""Placing exactly once: intent first, then the request; the answer is recorded as accepted, refused or unknown.

A successor is sent only after its predecessor is closed as read from the broker, for what is then left. A replacement
takes the predecessor's place instead, and both are read until only one of them can fill.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from repeg.domain.broker import Accepted, Refusal, Refused, Submission
from repeg.domain.child_order import Child, ChildState
from repeg.domain.errors import BudgetSpent
from repeg.domain.final_outcome import outcome_of
from repeg.domain.intent import Intent
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import Decision
from repeg.domain.price_format import format_average, format_limit
from repeg.domain.quote import Quote
from repeg.domain.run import KillSwitch
from repeg.workflow.intents import budgets, new_intent, with_intent
from repeg.workflow.reconciliation import after_rejection, apply_report
from repeg.workflow.turn import Turn

# Refusals that may pass when cash, shares or the account's own opposite order are free again.
_PASSING = {
    Refusal.FUNDS: HoldReason.UNFUNDED,
    Refusal.SHARES: HoldReason.SHARES,
    Refusal.OPPOSITE_ORDER: HoldReason.OPPOSITE_ORDER,
}


def send_order(turn: Turn, order: ParentOrder, decision: Decision, quote: Quote, qty: Decimal) -> ParentOrder:
    """Write the intent of a new child, then send it. Returns the order as stored afterwards.

    An order that has used up its attempts ends instead; one that a budget has no room for is held. Raises Conflict or
    RefusedRun, before anything is sent, if the run or the order has changed meanwhile.
    """
    if not turn.may_send:
        hold_too_late(turn, order)
        return order
    if attempts_exhausted(turn, order):
        outcome, _ = outcome_of(order, KillSwitch.ACTIVE)
        return finish_order(turn, order, outcome, f"{order.filled} of {order.target}: {HoldReason.ATTEMPTS.words}")
    intent = new_intent(turn, order, decision, quote, qty)
    return _request(turn, order, with_intent(turn, order, intent, decision), intent, turn.ports.broker.submit)


def replace_order(turn: Turn, order: ParentOrder, child: Child, decision: Decision, quote: Quote) -> ParentOrder:
    """Write the intent of a replacement, then have the broker move the child. Returns the order as stored afterwards.

    A replace is never resent: a second one could replace the first one's order. If a budget has no room for it, the
    child stays where it is. Raises like `send_order`.
    """
    if child.broker_id is None:
        raise ValueError(f"{child.client_order_id} is not at the broker")
    intent = new_intent(turn, order, decision, quote, child.qty)
    grown = with_intent(turn, order, intent, decision, child.n)
    return _request(turn, order, grown, intent, partial(turn.ports.broker.replace, child.broker_id))


def attempts_exhausted(turn: Turn, order: ParentOrder) -> bool:
    """Whether an order has had all the children that it may have."""
    return len(order.children) >= turn.run.settings.max_attempts


def hold_too_late(turn: Turn, order: ParentOrder) -> None:
    """Report that an order is not sent because the step, or the window, is too far gone."""
    turn.warn(order.symbol, "hold", reason="too late in this step to send")


def finish_order(turn: Turn, order: ParentOrder, outcome: Outcome, reason: str) -> ParentOrder:
    """End the order with an outcome and save it."""
    price = f" @ {format_average(order.average_price)}" if order.average_price is not None else ""
    turn.journal(order.symbol, "finish", f"{order.filled} of {order.target}{price}", reason)
    return turn.ports.store.save_order(order.done(outcome, reason))


def record_answer(turn: Turn, order: ParentOrder, answer: Submission) -> ParentOrder:
    """Save what the broker answered to the request of the latest child: accepted, refused, or unknown."""
    child = order.children[-1]
    if isinstance(answer, Accepted):
        return turn.ports.store.save_order(apply_report(turn, order, answer.report))
    if isinstance(answer, Refused):
        turn.warn(order.symbol, "refused", answer.refusal, answer.message)
        return turn.ports.store.save_order(_after_refusal(order, child, answer))
    turn.warn(order.symbol, "unknown", format_limit(child.limit), answer.reason)
    unknown = child if child.state is ChildState.UNKNOWN else child.becomes(ChildState.UNKNOWN, answer.reason)
    return turn.ports.store.save_order(order.with_child(unknown))


def _request(
    turn: Turn, order: ParentOrder, grown: ParentOrder, intent: Intent, request: Callable[[Intent], Submission]
) -> ParentOrder:
    """Intent first, then the request. An order that a budget has no room for is held, and journalled only once."""
    try:
        stored = _write_intent(turn, order, grown, intent)
    except BudgetSpent as spent:
        if order.held is HoldReason.BUDGET:
            return order
        turn.warn(order.symbol, "hold", reason=str(spent))
        return turn.ports.store.save_order(order.on_hold(HoldReason.BUDGET))
    return record_answer(turn, stored, request(intent))


def _write_intent(turn: Turn, order: ParentOrder, grown: ParentOrder, intent: Intent) -> ParentOrder:
    taken = budgets(turn, grown.committed - order.committed)
    return turn.ports.store.write_intent(grown, intent, turn.run.epoch, taken)


def _after_refusal(order: ParentOrder, child: Child, answer: Refused) -> ParentOrder:
    after = order.with_child(child.becomes(ChildState.REFUSED, answer.message))
    if answer.refusal in _PASSING and child.replaces is None:
        return after.on_hold(_PASSING[answer.refusal])
    return after_rejection(after, child, answer.message)
