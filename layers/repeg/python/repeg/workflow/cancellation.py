"""Cancelling: ask the broker, then read each order until it is closed; many are read by list."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from functools import partial

from repeg.domain.broker import CancelAnswer
from repeg.domain.child_order import Child, OrderReport
from repeg.domain.errors import BrokerUnavailable, StoreUnavailable
from repeg.domain.parent_order import ParentOrder
from repeg.domain.price_format import format_limit
from repeg.domain.run import RunState
from repeg.domain.time_limits import CANCEL_CONFIRMATION_PAUSES, CANCEL_REMARKED_AFTER
from repeg.workflow.reconciliation import (
    apply_report,
    fetch_report,
    is_listing_cheaper,
    list_reports,
    reported,
)
from repeg.workflow.saving import save_order
from repeg.workflow.turn import Turn

# The answers to a request that has cancelled nothing.
_CANCELS_NOTHING = frozenset({CancelAnswer.NOT_OPEN, CancelAnswer.NOT_FOUND, CancelAnswer.UNSENT})


def cancel_children(turn: Turn, order: ParentOrder, just_marked: Container[int] = ()) -> ParentOrder:
    """Ask the broker to cancel every open child, oldest first, and read each until it is closed or two seconds pass.

    Returns the order with its children closed or still `cancelling`, and with any fills that came before the cancel;
    what the reads changed is not saved yet. A child that the account's owner has moved is left alone. `just_marked` are
    the attempts that the caller has marked for this very request.
    """
    for n in [child.n for child in order.open_children]:
        order = _cancel_child(turn, order, order.attempt(n), just_marked)
    return order


def request_cancels(turn: Turn, order: ParentOrder) -> ParentOrder:
    """Ask the broker to cancel an order's open child, and leave the confirmation to `confirm_cancels`.

    A child and its replacement are both confirmed here, one after the other. What has changed is not saved yet. Raises
    BrokerUnavailable if the account's quota had no request for the cancel.
    """
    if len(order.open_children) > 1:
        return cancel_children(turn, order)
    for child in filter(_is_cancellable, order.open_children):
        order, answer = _request_cancel(turn, order, child, ())
        if answer is CancelAnswer.UNSENT:
            raise BrokerUnavailable(f"no request for the cancel of {child.client_order_id}")
    return order


def confirm_cancels(turn: Turn, orders: Sequence[ParentOrder]) -> list[ParentOrder]:
    """Read orders whose cancels have been requested until they are closed or two seconds pass: many by list, few by
    their ids. What the reads changed is not saved yet."""
    after = {order.symbol: order for order in orders}
    for pause in CANCEL_CONFIRMATION_PAUSES:
        awaited = [order for order in after.values() if _awaits_cancel(order)]
        if not awaited:
            break
        turn.ports.runtime.pause(pause)
        reports = list_reports(turn, awaited) if is_listing_cheaper(awaited) else {}
        after |= {order.symbol: order for order in turn.each(partial(_read_again, turn, reports), awaited)}
    for order in filter(_awaits_cancel, after.values()):
        turn.warn(order.symbol, "hold", "", "cancel not confirmed yet")
    return list(after.values())


def _read_again(turn: Turn, reports: Mapping[str, OrderReport], order: ParentOrder) -> ParentOrder:
    for n in [child.n for child in order.open_children]:
        child = order.attempt(n)
        report = reported(order, child, reports) or fetch_report(turn, order, child)
        order = apply_report(turn, order, report) if report is not None else order
    return order


def _awaits_cancel(order: ParentOrder) -> bool:
    return any(_is_cancellable(child) for child in order.open_children)


def _is_cancellable(child: Child) -> bool:
    return not (child.is_closed or child.broker_id is None or child.is_owners)


def _cancel_child(turn: Turn, order: ParentOrder, child: Child, just_marked: Container[int]) -> ParentOrder:
    if not _is_cancellable(child):
        return order
    order, answer = _request_cancel(turn, order, child, just_marked)
    if answer is CancelAnswer.UNSENT:
        turn.warn(order.symbol, "hold", format_limit(child.limit), "no request for its cancel")
        return order
    for pause in CANCEL_CONFIRMATION_PAUSES:
        turn.ports.runtime.pause(pause)
        report = fetch_report(turn, order, child)
        order = apply_report(turn, order, report) if report is not None else order
        if order.attempt(child.n).is_closed:
            return order
    turn.warn(order.symbol, "hold", format_limit(child.limit), "cancel not confirmed yet")
    return order


def _request_cancel(
    turn: Turn, order: ParentOrder, child: Child, just_marked: Container[int]
) -> tuple[ParentOrder, CancelAnswer]:
    if child.broker_id is None:
        raise ValueError(f"{child.client_order_id} is not at the broker")
    is_first = child.last_marked_at is None or child.n in just_marked
    order = _mark_cancelling(turn, order, child)
    answer = turn.ports.broker.cancel(child.broker_id)
    if answer is CancelAnswer.REQUESTED:
        order = order.with_child(order.attempt(child.n).with_cancel_at_broker())
    if answer in _CANCELS_NOTHING and is_first:
        # No request of this run can have ended it: if it is cancelled, another hand has cancelled it.
        order = order.with_child(order.attempt(child.n).rests_again())
    return order, answer


def _mark_cancelling(turn: Turn, order: ParentOrder, child: Child) -> ParentOrder:
    """Store that we cancel this child, before the request: a cancel by another hand can then be recognised.

    If the mark cannot be stored, an order that goes on working is not cancelled: its row would go on counting as open,
    and its cash would be counted on twice. An order that must not stay open is cancelled all the same.
    """
    if child.last_marked_at is not None and turn.now - child.last_marked_at < CANCEL_REMARKED_AFTER:
        return order
    marked = order.with_child(child.cancelling(turn.now, turn.earliest))
    try:
        return save_order(turn, marked)
    except StoreUnavailable as error:
        if turn.run.state is RunState.RUNNING and order.remaining > 0:
            raise
        turn.warn(order.symbol, "hold", format_limit(child.limit), f"cancelled without a stored mark: {error}")
        return marked
