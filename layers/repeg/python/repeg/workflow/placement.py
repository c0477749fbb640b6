"""Placing exactly once: intent first, then the request; the answer is recorded as accepted, refused or unknown.

A successor is sent only after its predecessor is closed as read from the broker, for what is then left. A replacement
takes the predecessor's place instead, and both are read until only one of them can fill.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from repeg.domain.attempts import attempts_left
from repeg.domain.broker import Accepted, Refusal, Refused, Submission
from repeg.domain.child_order import Child, ChildState
from repeg.domain.control import CONTROL
from repeg.domain.dust import is_dust
from repeg.domain.errors import BudgetSpent
from repeg.domain.final_outcome import excess, outcome_of
from repeg.domain.intent import Intent
from repeg.domain.limits import require_room
from repeg.domain.order_news import sent
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.price_format import format_limit
from repeg.domain.pricing import furthest_price, reserved_price, reserved_qty
from repeg.domain.replacement import undo_move
from repeg.domain.retry import retry_pause
from repeg.domain.run import KillSwitch
from repeg.workflow.intents import budgets, new_intent, with_intent
from repeg.workflow.proposals import Proposal, is_granted
from repeg.workflow.quote_check import hold_order
from repeg.workflow.reconciliation import after_rejection, apply_report
from repeg.workflow.saving import save_order
from repeg.workflow.sellable import limit_to_holdings
from repeg.workflow.turn import Turn

# Refusals that may pass when cash, shares or the account's own opposite order are free again.
_PASSING = {
    Refusal.FUNDS: HoldReason.UNFUNDED,
    Refusal.SHARES: HoldReason.SHARES,
    Refusal.OPPOSITE_ORDER: HoldReason.OPPOSITE_ORDER,
}


def send_order(turn: Turn, order: ParentOrder, proposal: Proposal) -> ParentOrder:
    """Write the intent of a new child, then send it. Returns the order as stored afterwards.

    An order that has used up its attempts ends instead; one that a budget has no room for, or whose shares are not held
    any more, is held; one whose decision or quote is too old by now is left to the next look, in its place in the
    budgets. Raises Conflict or RefusedRun, before anything is sent, if the run or the order has changed meanwhile.
    """
    if not turn.may_send:
        return hold_too_late(turn, order)
    if outdated := proposal.outdated(turn.now, turn.settings(order.symbol)):
        turn.warn(order.symbol, "hold", proposal.detail, f"not sent: {outdated}; decided anew at the next look")
        return save_order(turn, order)
    if attempts_exhausted(turn, order):
        outcome, _ = outcome_of(order, KillSwitch.ACTIVE)
        return finish_order(turn, order, outcome, f"{order.filled} of {order.target}: {HoldReason.ATTEMPTS.words}")
    qty = limit_to_holdings(turn, order, proposal.qty, proposal.held)
    if qty <= 0:
        return hold_order(turn, order, HoldReason.NOT_HELD, "no shares are held any more")
    is_whole_only = proposal.decision.reason == CONTROL or is_dust(qty, proposal.decision.limit or proposal.quote.mid)
    if qty < order.remaining and is_whole_only:
        return hold_order(turn, order, HoldReason.NOT_HELD, f"only {qty} are still held, too little for an order")
    if not is_granted(order, proposal, qty):
        price = furthest_price(order, turn.now.date(), turn.settings(order.symbol))
        turn.warn(order.symbol, "hold", "market", "no cash for a market order, a limit at the collar is sent instead")
        proposal = proposal.at(price, f"{order.side} {qty} @ {format_limit(price)}")
    return _submit(turn, order, proposal, qty)


def _submit(turn: Turn, order: ParentOrder, proposal: Proposal, qty: Decimal) -> ParentOrder:
    """Send a new child. If the budgets have no room for it, it takes the price and the shares reserved for it.

    An unconfirmed cancel leaves the move to a later turn: the price is another one then, and the cash may be more.
    """
    intent = new_intent(turn, order, proposal.decision, proposal.quote, qty)
    grown = with_intent(order, intent, proposal.decision, is_piece=proposal.is_piece)
    try:
        stored = _write_intent(turn, order, grown, intent, proposal.funds.lease)
    except BudgetSpent as exhausted:
        part = min(qty, reserved_qty(order))
        price = reserved_price(order, part, turn.now.date(), turn.settings(order.symbol).tick_size)
        if price is None or (part == qty and intent.limit is not None and price >= intent.limit):
            return hold_for_budget(turn, order, exhausted)
        price = price if intent.limit is None else min(price, intent.limit)
        turn.warn(order.symbol, "hold", format_limit(intent.limit), f"sent as it was reserved: {exhausted}")
        return _submit(turn, order, proposal.at(price, f"{order.side} {part} @ {format_limit(price)}"), part)
    return _request(turn, stored, intent, proposal, turn.ports.broker.submit)


def replace_order(turn: Turn, order: ParentOrder, child: Child, proposal: Proposal) -> ParentOrder:
    """Write the intent of a replacement, then have the broker move the child. Returns the order as stored afterwards.

    A replace is never resent: a second one could replace the first one's order. If a budget has no room for it, the
    child stays where it is. Raises like `send_order`.
    """
    if child.broker_id is None:
        raise ValueError(f"{child.client_order_id} is not at the broker")
    intent = new_intent(turn, order, proposal.decision, proposal.quote, child.qty)
    grown = with_intent(order, intent, proposal.decision, child.n)
    try:
        stored = _write_intent(turn, order, grown, intent, proposal.funds.lease)
    except BudgetSpent as exhausted:
        return hold_for_budget(turn, order, exhausted)
    return _request(turn, stored, intent, proposal, partial(turn.ports.broker.replace, child.broker_id))


def reserve_successor(turn: Turn, order: ParentOrder, child: Child, proposal: Proposal) -> ParentOrder:
    """Reserve the budgets for a child's successor and mark the child as being cancelled, in one write.

    Comes before the cancel: without room for the successor the child stays where it is, and the order as it is then
    stored has none reserved.
    """
    if order.reserved_orders:
        return order  # reserved by an earlier turn, whose cancel was not confirmed
    intent = new_intent(turn, order, proposal.decision, proposal.quote, proposal.qty)
    cancelling = order.with_child(child.cancelling(turn.now, turn.earliest))
    after = with_intent(order.with_child(child.becomes(ChildState.CANCELED)), intent, proposal.decision)
    reserving = cancelling.reserving(max(order.committed, after.committed))
    try:
        require_room(reserving, turn.run.settings)
        return turn.ports.store.reserve(reserving, turn.run.epoch, budgets(turn, order, reserving), turn.step)
    except BudgetSpent as exhausted:
        return hold_for_budget(turn, order, exhausted)


def attempts_exhausted(turn: Turn, order: ParentOrder) -> bool:
    """Whether an order has had all the children that it may have."""
    return attempts_left(order, turn.run.settings) <= 0


def hold_too_late(turn: Turn, order: ParentOrder) -> ParentOrder:
    """Report that an order is not sent: too little is left of the step, or of the window."""
    turn.warn(order.symbol, "hold", reason="too late in this step to send")
    return order


def hold_for_budget(turn: Turn, order: ParentOrder, exhausted: BudgetSpent) -> ParentOrder:
    """Hold an order that a budget has no room for; journalled once."""
    if order.held is HoldReason.BUDGET:
        return order
    turn.warn(order.symbol, "hold", reason=str(exhausted))
    return save_order(turn, order.on_hold(HoldReason.BUDGET, turn.now))


def finish_order(turn: Turn, order: ParentOrder, outcome: Outcome, reason: str) -> ParentOrder:
    """End the order with an outcome and save it. A reason names what it has filled too much."""
    return save_order(turn, order.done(outcome, excess(order) or reason))


def record_answer(turn: Turn, order: ParentOrder, answer: Submission) -> ParentOrder:
    """Save what the broker answered to the request of the latest child: accepted, refused, or unknown."""
    child = order.children[-1]
    if isinstance(answer, Accepted):
        return save_order(turn, apply_report(turn, order.accepted(), answer.report))
    if isinstance(answer, Refused):
        turn.warn(order.symbol, "refused", answer.refusal, answer.message)
        return save_order(turn, _after_refusal(turn, order, child, answer))
    turn.warn(order.symbol, "unknown", format_limit(child.limit), answer.reason)
    if not answer.was_sent:
        return save_order(turn, _without_unsent(order, child, answer.reason))
    unknown = child.becomes(ChildState.UNKNOWN, answer.reason)
    return save_order(turn, order.with_child(unknown.known_at_broker() if answer.id_is_used else unknown))


def _request(
    turn: Turn, stored: ParentOrder, intent: Intent, proposal: Proposal, request: Callable[[Intent], Submission]
) -> ParentOrder:
    """After the intent the journal, then the request: the tape shows only orders that were sent."""
    decision = proposal.decision
    news = sent(stored, intent, decision.because)
    turn.journal(stored.symbol, str(decision.verb), proposal.detail, decision.because, proposal.ruling, news)
    return record_answer(turn, stored, request(intent))


def _write_intent(turn: Turn, order: ParentOrder, grown: ParentOrder, intent: Intent, funded_by: str) -> ParentOrder:
    require_room(grown, turn.run.settings)
    costs = budgets(turn, order, grown)
    return turn.ports.store.write_intent(grown, intent, turn.run.epoch, costs, funded_by, turn.step)


def _without_unsent(order: ParentOrder, child: Child, reason: str) -> ParentOrder:
    """The order after a child that has not left the program, which is nowhere: the order is decided anew at once, on a
    book of that time. Its next child has this one's place in the budgets; a replaced child stays where it is."""
    refused = order.with_child(child.refused(reason, may_pass=True))
    return undo_move(refused) if child.replaces is not None else refused.reserving(refused.committed)


def _after_refusal(turn: Turn, order: ParentOrder, child: Child, answer: Refused) -> ParentOrder:
    reason = _PASSING.get(answer.refusal)
    if reason is None or child.replaces is not None:
        return after_rejection(order.with_child(child.refused(answer.message, may_pass=False)), child, answer.message)
    after = order.with_child(child.refused(answer.message, may_pass=True))
    return after.refused_for_now(reason, _retry_at(turn, order.refusals + 1))


def _retry_at(turn: Turn, refusals: int) -> datetime:
    """When an order is tried again: after its pause, but in time for the last turn of the window."""
    last_turn = turn.moment.closes - timedelta(seconds=turn.moment.turn_seconds)
    due = turn.now + retry_pause(refusals)
    return min(due, last_turn) if last_turn > turn.now else due
