"""Placing exactly once: intent first, then the request; an unknown outcome is looked up, never guessed.

A successor is sent only after its predecessor is closed as read from the broker, for what is then left. A replacement
takes the predecessor's place instead, and both are read until only one of them can fill.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial

from repeg.domain.broker import Accepted, Refusal, Refused, Submission
from repeg.domain.child_order import UNRESOLVED, Child, ChildState, OrderReport
from repeg.domain.errors import BudgetSpent
from repeg.domain.outcome import outcome_of
from repeg.domain.parent_order import Intent, Outcome, ParentOrder
from repeg.domain.peg import Decision
from repeg.domain.price_format import format_average, format_limit
from repeg.domain.quote import Quote, Side
from repeg.domain.run import KillSwitch, RunState
from repeg.workflow import replacement
from repeg.workflow.intents import budgets, new_intent, with_intent
from repeg.workflow.reconciliation import after_rejection, apply_report, fetch_report
from repeg.workflow.sellable import holdings
from repeg.workflow.turn import Turn

# How long an order that the broker does not know yet may still be on its way: only then is the same intent sent again.
# A step that was cut off between intent and request has been ended by its own time limit long before.
UNKNOWN_SETTLES = timedelta(seconds=60)

# A step that is frozen between writing an intent down and sending it lives for its time limit, and its request may then
# be late by as much again: only after both is an order that nobody has seen given up.
UNKNOWN_IS_LOST = timedelta(seconds=120)

# A cancel is confirmed by reading; these pauses add up to two seconds, the most that a step waits for one.
CONFIRMATION_PAUSES = (0.1, 0.2, 0.3, 0.6, 0.8)

# What an order waits for that a budget has no room for; another order's end may make some.
HELD_BY_BUDGET = "budget"

TOO_LATE = "too late in this step to send"

_PASSING = frozenset({Refusal.FUNDS, Refusal.SHARES, Refusal.OPPOSITE_ORDER})


def refresh_children(turn: Turn, order: ParentOrder, listed: dict[str, OrderReport]) -> ParentOrder:
    """The order with its open children as the broker tells them now, oldest first, saved if anything changed.

    `listed` is the list of open orders; what is not in it is asked for by its id, for a list may lag. An order and its
    replacement are both asked for: only one of two answers of different age could be believed.
    """
    is_chain = len(order.open_children) > 1
    for n in [child.n for child in order.open_children]:
        child = _attempt(order, n)
        if not child.is_closed:
            report = None if is_chain else listed.get(child.client_order_id)
            order = _read(turn, order, child, report or fetch_report(turn, child))
    return order


def send_order(turn: Turn, order: ParentOrder, decision: Decision, quote: Quote, qty: Decimal) -> ParentOrder:
    """Write the intent of a new child, then send it. Returns the order as stored afterwards.

    An order that has used up its attempts is ended instead: whatever refuses it will go on refusing.
    One that a budget has no room for is held. Raises Conflict or RefusedRun, before anything is sent, where the run or
    the order has moved on.
    """
    if not turn.may_send:
        turn.note(order.symbol, "hold", reason=TOO_LATE)
        return order
    if attempts_exhausted(turn, order):
        outcome, _ = outcome_of(order, KillSwitch.ACTIVE)
        return finish_order(turn, order, outcome, f"{order.filled} of {order.target}: attempts are used up")
    intent = new_intent(turn, order, decision, quote, qty)
    return _request(turn, order, with_intent(turn, order, intent, decision), intent, turn.ports.broker.submit)


def attempts_exhausted(turn: Turn, order: ParentOrder) -> bool:
    """Whether an order has had all the children that it may have."""
    return len(order.children) >= turn.run.settings.max_attempts


def replace_order(turn: Turn, order: ParentOrder, child: Child, decision: Decision, quote: Quote) -> ParentOrder:
    """Write the intent of a replacement, then have the broker move the child. Returns the order as stored afterwards.

    It is never sent again: a second replace of the same order could replace the first one's. Where a budget has no
    room for it, the child stays where it is. Raises like `send`.
    """
    if child.broker_id is None:
        raise ValueError(f"{child.client_order_id} is not at the broker")
    intent = new_intent(turn, order, decision, quote, child.qty)
    grown = with_intent(turn, order, intent, decision, child.n)
    return _request(turn, order, grown, intent, partial(turn.ports.broker.replace, child.broker_id))


def cancel_children(turn: Turn, order: ParentOrder) -> ParentOrder:
    """Ask the broker to cancel every open child, oldest first, and read each until it is closed, for at most two
    seconds.

    The order comes back unsaved, its children closed or still `cancelling`; fills that beat a cancel are in it.
    """
    for n in [child.n for child in order.open_children]:
        order = _withdraw(turn, order, _attempt(order, n))
    return order


def finish_order(turn: Turn, order: ParentOrder, outcome: Outcome, reason: str) -> ParentOrder:
    """End the order with an outcome and save it."""
    price = f" @ {format_average(order.average_price)}" if order.average_price is not None else ""
    turn.note(order.symbol, "finish", f"{order.filled} of {order.target}{price}", reason)
    return turn.ports.store.save_order(order.done(outcome, reason))


def _write_down(turn: Turn, order: ParentOrder, grown: ParentOrder, intent: Intent) -> ParentOrder:
    taken = budgets(turn, grown.committed - order.committed)
    return turn.ports.store.write_intent(grown, intent, turn.run.epoch, taken)


def _request(
    turn: Turn, order: ParentOrder, grown: ParentOrder, intent: Intent, request: Callable[[Intent], Submission]
) -> ParentOrder:
    """Intent first, then the request. What a budget has no room for is held, and said once, not every turn."""
    try:
        stored = _write_down(turn, order, grown, intent)
    except BudgetSpent as spent:
        if order.held == HELD_BY_BUDGET:
            return order
        turn.note(order.symbol, "hold", reason=str(spent))
        return turn.ports.store.save_order(order.model_copy(update={"held": HELD_BY_BUDGET}))
    return _record(turn, stored, request(intent))


def _attempt(order: ParentOrder, n: int) -> Child:
    return next(child for child in order.children if child.n == n)


def _read(turn: Turn, order: ParentOrder, child: Child, report: OrderReport | None) -> ParentOrder:
    if report is None:
        return _missing(turn, order, child)
    seen = apply_report(turn, order, report)
    return turn.ports.store.save_order(seen) if seen != order else order


def _withdraw(turn: Turn, order: ParentOrder, child: Child) -> ParentOrder:
    if child.is_closed or child.broker_id is None:
        return order
    turn.ports.broker.cancel(child.broker_id)
    asked = order.with_child(child.becomes(ChildState.CANCELLING))
    for pause in CONFIRMATION_PAUSES:
        turn.ports.runtime.pause(pause)
        report = fetch_report(turn, child)
        asked = apply_report(turn, asked, report) if report is not None else asked
        if _attempt(asked, child.n).is_closed:
            return asked
    turn.note(order.symbol, "hold", format_limit(child), "cancel not confirmed yet")
    return asked


def _missing(turn: Turn, order: ParentOrder, child: Child) -> ParentOrder:
    """The broker does not know the child (yet). A resting one is only unseen; an unresolved one may be sent again."""
    if child.state not in UNRESOLVED:
        turn.note(order.symbol, "hold", reason=f"the broker does not find {child.client_order_id}")
        return order
    if child.replaces is not None:
        return _unseen(turn, order, child)
    age = turn.now - child.sent_at
    if age < UNKNOWN_SETTLES or not _may_resend(turn, order, child):
        turn.note(order.symbol, "hold", reason=f"unknown for {age.total_seconds():.0f}s, not at the broker")
        return order
    intent = next(i for i in turn.ports.store.intents(order.run_id) if i.client_order_id == child.client_order_id)
    turn.note(
        order.symbol, "resend", f"{intent.side} {intent.qty} @ {format_limit(intent)}", "never seen at the broker"
    )
    # Written down first, like an intent: whoever closes the run must know that it may be on its way again.
    again = child.model_copy(update={"resent_at": turn.now})
    order = turn.ports.store.save_order(order.with_child(again))
    answer = turn.ports.broker.submit(intent)
    if isinstance(answer, Refused):
        # The first request may have arrived meanwhile and taken the cash that this one was refused for.
        found = fetch_report(turn, child)
        answer = Accepted(report=found) if found is not None else answer
    return _record(turn, order, answer)


def _unseen(turn: Turn, order: ParentOrder, child: Child) -> ParentOrder:
    """A replacement that the broker does not know. Its request can do nothing once the old order is closed otherwise;
    while that still rests, it may be on its way."""
    age = turn.now - child.sent_at
    old = order.predecessors(child)[0]
    if age < (UNKNOWN_SETTLES if old.is_closed else UNKNOWN_IS_LOST):
        turn.note(order.symbol, "hold", reason=f"replacement unknown for {age.total_seconds():.0f}s")
        return order
    turn.note(order.symbol, "lost", format_limit(child), "the replacement was never seen at the broker")
    without = order.with_child(child.becomes(ChildState.NEVER_ARRIVED))
    return turn.ports.store.save_order(replacement.undo_move(without))


def _may_resend(turn: Turn, order: ParentOrder, child: Child) -> bool:
    """Whether the run, as it stands this moment, may still place orders: what a new intent's transaction would ask. A
    sell also needs its shares to be there still: nothing that we know of has kept them reserved meanwhile."""
    run = turn.ports.store.run(turn.run.run_id)
    is_ours = run is not None and run.state is RunState.RUNNING and run.epoch == turn.run.epoch
    if not is_ours or not turn.may_send or turn.ports.store.kill_switch() is not KillSwitch.ACTIVE:
        return False
    return order.side is Side.BUY or holdings(turn).get(order.symbol, Decimal(0)) >= child.qty


def _record(turn: Turn, order: ParentOrder, answer: Submission) -> ParentOrder:
    """Write down what the broker answered to a submission: accepted, refused, or unknown."""
    child = order.children[-1]
    if isinstance(answer, Accepted):
        return turn.ports.store.save_order(apply_report(turn, order, answer.report))
    if isinstance(answer, Refused):
        turn.note(order.symbol, "refused", answer.refusal, answer.message)
        return turn.ports.store.save_order(_refused(order, child, answer))
    turn.note(order.symbol, "unknown", format_limit(child), answer.reason)
    unknown = child if child.state is ChildState.UNKNOWN else child.becomes(ChildState.UNKNOWN, answer.reason)
    return turn.ports.store.save_order(order.with_child(unknown))


def _refused(order: ParentOrder, child: Child, answer: Refused) -> ParentOrder:
    after = order.with_child(child.becomes(ChildState.REFUSED, answer.message))
    if answer.refusal in _PASSING and child.replaces is None:
        held = "unfunded" if answer.refusal is Refusal.FUNDS else str(answer.refusal)
        return after.model_copy(update={"held": held})
    return after_rejection(after, child, answer.message)
