"""Reading open children back, and resolving in-flight orders: those whose outcome at the broker is not known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from repeg.domain.broker import Accepted, Refused, Unknown
from repeg.domain.child_order import GIVEN_UP, NOT_AT_BROKER, UNRESOLVED, Child, ChildState, OrderReport
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.price_format import format_limit
from repeg.domain.quote import Side
from repeg.domain.replacement import undo_move
from repeg.domain.run import KillSwitch, RunState
from repeg.domain.time_limits import LOST_AFTER, RESEND_AFTER, UNPRICED_LOST_AFTER
from repeg.workflow.broker_lists import BrokerLists
from repeg.workflow.placement import finish_order, record_answer
from repeg.workflow.reconciliation import (
    apply_report,
    fetch_report,
    reported,
    taken_by,
)
from repeg.workflow.saving import save_order
from repeg.workflow.switches import switch_now
from repeg.workflow.turn import Turn


def refresh_children(
    turn: Turn, order: ParentOrder, listed: Mapping[str, OrderReport], lists: BrokerLists | None = None
) -> ParentOrder:
    """The order with its open children as the broker reports them now, oldest first; saved if anything changed.

    `listed` are the broker's open orders, `lists` where an order in flight is looked for that it does not find for
    long; without them it stays in flight. A child that is not listed is requested by its id, since the list may lag. A
    child and its replacement are both requested: two answers of different age could not both be believed. A child that
    was refused or given up, and that the broker has all the same, is open again or filled.
    """
    order = _reopen_found(turn, order, listed)
    is_chain = len(order.open_children) > 1
    for known in order.open_children:
        child = order.attempt(known.n) if is_chain else known
        if not child.is_closed:
            report = None if is_chain else reported(order, child, listed)
            order = _refresh(turn, order, child, report or fetch_report(turn, order, child), lists)
    return order


def lists_for(turn: Turn, orders: Sequence[ParentOrder]) -> BrokerLists:
    """The broker's lists, fetched if one of some orders may have to be looked for in them."""
    lists = BrokerLists(turn)
    lists.fetch({order.side for order in orders if any(_is_overdue(turn, child) for child in order.open_children)})
    return lists


def _is_overdue(turn: Turn, child: Child) -> bool:
    patience = UNPRICED_LOST_AFTER if child.limit is None else RESEND_AFTER
    return child.state in UNRESOLVED and turn.now - child.sent_at >= patience


def _reopen_found(turn: Turn, order: ParentOrder, listed: Mapping[str, OrderReport]) -> ParentOrder:
    after = order
    for child in order.children:
        if child.state not in NOT_AT_BROKER | GIVEN_UP or _is_shown_by_replaced(order, child):
            continue
        report = reported(order, child, listed)
        if report is None and child.state in GIVEN_UP:
            report = fetch_report(turn, order, child)  # it may have filled at once, or closed with what it replaced
        if report is not None:
            turn.warn(order.symbol, "late", child.client_order_id, f"{child.state} in our books, at the broker now")
            after = apply_report(turn, after if child.state is not ChildState.LOST else after.undecided(), report)
    return save_order(turn, after) if after is not order else order


def _is_shown_by_replaced(order: ParentOrder, child: Child) -> bool:
    """Whether the report of an order that the child replaces, and that is still open, leads to it."""
    return any(not each.is_closed for each in order.predecessors(child))


def _refresh(
    turn: Turn, order: ParentOrder, child: Child, report: OrderReport | None, lists: BrokerLists | None
) -> ParentOrder:
    if report is None:
        return _resolve_missing(turn, order, child, lists)
    seen = apply_report(turn, order, report)
    return save_order(turn, seen) if seen is not order and seen != order else order


def _resolve_missing(turn: Turn, order: ParentOrder, child: Child, lists: BrokerLists | None) -> ParentOrder:
    """The broker does not find the child. A live one is left alone, and so is one whose id it has refused as used; an
    in-flight one may be resent after a while."""
    if child.state not in UNRESOLVED:
        turn.warn(order.symbol, "hold", reason=f"the broker does not find {child.client_order_id}")
        return order
    taken = taken_by(turn, order, child)
    if taken or order.outcome is not None:
        return _end_as_taken(turn, order, child, taken) if order.outcome is None else order
    if child.id_is_used:
        turn.warn(order.symbol, "hold", reason=f"the broker has {child.client_order_id}, and does not find it")
        return order
    if lists is None:
        return order
    if child.replaces is not None:
        return _resolve_missing_replacement(turn, order, child, lists)
    return _resolve_never_seen(turn, order, child, lists)


def _resolve_never_seen(turn: Turn, order: ParentOrder, child: Child, lists: BrokerLists) -> ParentOrder:
    """Send a child that the broker has never shown once more, after a while and if it may still be sent."""
    age = turn.now - child.sent_at
    if child.limit is None and age >= UNPRICED_LOST_AFTER:
        return _give_up_unpriced(turn, order, child, lists)
    if age < RESEND_AFTER or not _may_resend(turn, order, child):
        turn.warn(order.symbol, "hold", reason=f"unknown for {age.total_seconds():.0f}s, not at the broker")
        return order
    listed = lists.find(order, child)
    if listed is not None:
        # The lookup by id lags. Where a closed order's id is free again, a second request would trade a second time.
        return save_order(turn, apply_report(turn, order, listed))
    if order.side is Side.SELL and (held := lists.held(order.symbol)) < child.qty:
        return _hold_unsold(turn, order, child, held)
    if traded := lists.unaccounted(order, child):
        turn.warn(order.symbol, "hold", reason=f"not resent: {traded}")
        return order
    return _resend(turn, order, child)


def _give_up_unpriced(turn: Turn, order: ParentOrder, child: Child, lists: BrokerLists) -> ParentOrder:
    """Give up an order without a limit that the broker does not find, so that a new decision may follow."""
    report = lists.find(order, child)
    if report is None and (traded := lists.sign_of_a_trade(order, child)):
        turn.warn(order.symbol, "hold", reason=f"not given up: {traded}")
        return order
    if report is None:
        turn.ports.runtime.pause(1)
        report = fetch_report(turn, order, child)
    if report is not None:
        return save_order(turn, apply_report(turn, order, report))
    minutes = f"not seen at the broker for {(turn.now - child.sent_at).total_seconds() // 60:.0f} minutes"
    turn.warn(order.symbol, "lost", child.client_order_id, minutes)
    return save_order(turn, order.with_child(child.becomes(ChildState.NEVER_ARRIVED)))


def _hold_unsold(turn: Turn, order: ParentOrder, child: Child, held: Decimal) -> ParentOrder:
    """Hold a sell in flight that is for more than is held by now. It is not sent for less: the first request may still
    arrive, and both would be a short sale."""
    turn.warn(order.symbol, "hold", reason=f"{child.qty} may be in flight, and only {held} are still held")
    return (
        order if order.held is HoldReason.NOT_HELD else save_order(turn, order.on_hold(HoldReason.NOT_HELD, turn.now))
    )


def _end_as_taken(turn: Turn, order: ParentOrder, child: Child, taken: str) -> ParentOrder:
    """End an order whose child's id another order has: not this run's, so it is neither booked nor cancelled. What
    became of the child is unknown, and stays so: the run fails."""
    reason = f"another order has the id {child.client_order_id} at the broker: {taken}"
    turn.warn(order.symbol, "taken", format_limit(child.limit), reason)
    return finish_order(turn, order, Outcome.UNKNOWN, f"{order.filled} of {order.target}: {reason}")


def _resend(turn: Turn, order: ParentOrder, child: Child) -> ParentOrder:
    """Send the child's own intent again, under the same id."""
    intent = next(i for i in turn.ports.store.intents(order.run_id) if i.client_order_id == child.client_order_id)
    terms = f"{intent.side} {intent.qty} @ {format_limit(intent.limit)}"
    turn.warn(order.symbol, "resend", terms, "never seen at the broker")
    until = turn.sends_until
    # Stored before it is sent, and under an intent's conditions: the closing step must know that it may be in flight
    # again, and a step that has lost its lease must not send it a second time.
    resent = order.released().with_child(child.resent(turn.now))
    order = turn.ports.store.reserve(resent, turn.run.epoch, (), turn.step)
    answer = turn.ports.broker.submit(intent.resent_until(until))
    if isinstance(answer, Unknown) and not answer.was_sent:
        # The first request is where it was, so that the next turn may try again.
        turn.warn(order.symbol, "unknown", format_limit(child.limit), answer.reason)
        return save_order(turn, order.with_child(child))
    if isinstance(answer, Refused):
        # It says nothing of the first request, which may have arrived meanwhile, or may be on its way still.
        found = fetch_report(turn, order, child)
        refused = Unknown(reason=f"the resend was refused: {answer.message}")
        answer = refused if found is None else Accepted(report=found)
    return record_answer(turn, order, answer)


def _resolve_missing_replacement(turn: Turn, order: ParentOrder, child: Child, lists: BrokerLists) -> ParentOrder:
    """A replacement that the broker does not find. Its request can do nothing once the replaced order is closed by
    other means; while that order is open, the request may be in flight."""
    age = turn.now - child.sent_at
    old = order.predecessors(child)[0]
    if age < (RESEND_AFTER if old.is_closed else LOST_AFTER):
        turn.warn(order.symbol, "hold", reason=f"replacement unknown for {age.total_seconds():.0f}s")
        return order
    report = lists.find(order, child)
    if report is not None:
        return save_order(turn, apply_report(turn, order, report))
    if traded := lists.unaccounted(order, child):
        turn.warn(order.symbol, "hold", reason=f"replacement not given up: {traded}")
        return order
    turn.warn(order.symbol, "lost", format_limit(child.limit), "the replacement was never seen at the broker")
    without = order.with_child(child.becomes(ChildState.NEVER_ARRIVED))
    return save_order(turn, undo_move(without))


def _may_resend(turn: Turn, order: ParentOrder, child: Child) -> bool:
    """Whether the child's own intent may still be sent: the conditions of a new intent's transaction. Only a limit
    bounds the price whatever the market has done meanwhile, and no other child may be there for the same shares."""
    others = sum((each.remaining for each in order.open_children if each.n != child.n), Decimal(0))
    if child.limit is None or child.qty + others > order.remaining:
        return False
    run = turn.ports.store.run(turn.run.run_id)
    is_ours = run is not None and run.state is RunState.RUNNING and run.epoch == turn.run.epoch
    return is_ours and turn.may_send and switch_now(turn.run, turn.now, turn.ports) is KillSwitch.ACTIVE
