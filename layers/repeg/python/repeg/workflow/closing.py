"""Closing a run: cancel its open orders, whatever their state, confirm by list that they are closed, book their fills.

A step of closing requests cancels for a while only, so that it ends well before its function's limit; what is left is
for the next one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from repeg.domain.child_order import NOT_AT_BROKER, RESTING, UNRESOLVED, ChildState, OrderReport
from repeg.domain.errors import BrokerDenied, BrokerUnavailable
from repeg.domain.parent_order import ParentOrder
from repeg.domain.time_limits import BOOKS_FINAL_AFTER, CANCELS_FOR, CLOSES_FOR, LOST_AFTER
from repeg.ports import Ports
from repeg.workflow.broker_lists import BrokerLists
from repeg.workflow.cancellation import confirm_cancels, request_cancels
from repeg.workflow.doubtful import look_again
from repeg.workflow.in_flight import refresh_children
from repeg.workflow.reconciliation import apply_report, book_executions, fetch_report, list_reports
from repeg.workflow.saving import save_order
from repeg.workflow.turn import Turn


class Closed(NamedTuple):
    """What a step of closing has left: the client order ids that may still be open, and how many orders it had no time
    or no request to ask about; zero if it has closed none at all, so that another step would be no better."""

    left: list[str]
    unasked: int


def close_orders(turn: Turn) -> Closed:
    """Cancel and confirm every order of the run, for as long as one step of closing may."""
    orders = list(turn.ports.store.books(turn.run.run_id).orders)
    listed = list_reports(turn, orders)
    read: dict[str, ParentOrder] = {}

    def ask(order: ParentOrder) -> ParentOrder:
        if order.open_children and turn.elapsed > CLOSES_FOR:
            return order
        seen = refresh_children(turn, order, listed)
        asked = request_cancels(turn, seen)
        read[order.symbol] = seen
        return asked

    asked = turn.each(ask, orders)
    confirmed = confirm_cancels(turn, [order for order in asked if order.symbol in read])
    seen = {order.symbol: order for order in confirmed}
    # What cannot be saved counts as it was read: still open.
    lists = _fetch_lists(turn, confirmed)
    closed = turn.each(lambda order: _close(turn, order, seen[order.symbol], lists), list(read.values()))
    after = list({order.symbol: order for order in (*orders, *closed)}.values())
    stray_ids = cancel_strays(turn, listed, after)
    book_executions(turn, after)
    ours = [child for order in after for child in order.open_children if not child.is_owners]
    # After the session nothing more can be done here: the watchdog goes on looking at them.
    left = [child.client_order_id for child in ours] + ([] if _is_final(turn) else stray_ids)
    unasked = sum(order.symbol not in read for order in orders)
    ended = sum(bool(read[order.symbol].open_children) and not order.open_children for order in closed)
    return Closed(left, unasked if ended else 0)


def cancel_strays(turn: Turn, listed: Mapping[str, OrderReport], orders: Sequence[ParentOrder]) -> list[str]:
    """Cancel the listed orders of the run that are not in its books. Returns the ids of those that are still open."""
    ids = {client_id for client_id, report in listed.items() if not report.is_closed}
    strays = ids - {child.client_order_id for order in orders for child in order.children}
    return [client_id for client_id in sorted(strays) if not _cancel_stray(turn, listed[client_id])]


def cancel_by_prefix(prefix: str, ports: Ports) -> list[str]:
    """Request the cancel of every open order whose id begins with a run's prefix, for as long as a function can wait;
    needs no store. Returns the ids of all of them. No other order of the account is touched.
    """
    began = ports.runtime.now()
    ours = [report for report in ports.broker.open_orders() if report.client_order_id.startswith(prefix)]
    for report in ours:
        if ports.runtime.now() - began > CANCELS_FOR:
            break
        ports.broker.cancel(report.broker_id)
    return [report.client_order_id for report in ours]


def _close(turn: Turn, order: ParentOrder, after: ParentOrder, lists: BrokerLists) -> ParentOrder:
    """Save what has become of an order's children since it was read, and give up those that will not be seen again."""
    saved = save_order(turn, after) if after != order else order
    # Only the latest child can be in flight: a child that it replaces had been seen at the broker.
    is_unknown = saved.child is not None and saved.child.state in UNRESOLVED
    known = _give_up_unknown(turn, saved, lists) if is_unknown else saved
    return _give_up_lost(turn, _look_again(turn, known, lists))


def _fetch_lists(turn: Turn, orders: Sequence[ParentOrder]) -> BrokerLists:
    """The broker's lists, fetched if there is a child that it does not have, as far as we know."""
    missing = NOT_AT_BROKER | UNRESOLVED
    sides = {order.side for order in orders if any(child.state in missing for child in order.children)}
    lists = BrokerLists(turn)
    lists.fetch(sides)
    return lists


def _look_again(turn: Turn, order: ParentOrder, lists: BrokerLists) -> ParentOrder:
    """The order after a look for its refused children. What cannot be read says nothing; the watchdog looks again."""
    try:
        after = look_again(turn, order, lists)
    except (BrokerUnavailable, BrokerDenied):
        return order
    return save_order(turn, after) if after != order else order


def _give_up_lost(turn: Turn, order: ParentOrder) -> ParentOrder:
    """Give up the children that have arrived and do not close, so that the run can end: after the session's close those
    that the broker does not find, and once its books are final those that it does not show as closed."""
    if turn.now < turn.run.trading_day.close:
        return order
    after = order
    for child in order.open_children:
        if (
            (child.state in RESTING or child.id_is_used)
            and not child.is_owners
            and (_is_final(turn) or fetch_report(turn, order, child) is None)
        ):
            turn.warn(order.symbol, "lost", child.client_order_id, "not seen closed by the end of the session")
            after = after.with_child(child.becomes(ChildState.LOST))
    return save_order(turn, after) if after != order else order


def _is_final(turn: Turn) -> bool:
    """Whether the broker's books of the run's day are final."""
    return turn.now >= turn.run.trading_day.close + BOOKS_FINAL_AFTER


def _give_up_unknown(turn: Turn, order: ParentOrder, lists: BrokerLists) -> ParentOrder:
    """Give up an in-flight order that the broker does not find after LOST_AFTER, unless it has refused its id as used.
    It has been looked up twice, here and in the read before, and nothing is resent while a run closes. One that may
    have traded is lost, so that its outcome is unknown."""
    child = order.children[-1]
    is_there = child.id_is_used and order.outcome is None  # with an outcome, the id is another order's
    if is_there or turn.now - child.sent_at < LOST_AFTER:
        return order
    turn.ports.runtime.pause(1)
    if fetch_report(turn, order, child) is not None:
        return order
    try:
        report, traded = lists.find(order, child), lists.sign_of_a_trade(order, child)
    except (BrokerUnavailable, BrokerDenied) as error:
        if not _is_final(turn):
            raise
        report, traded = None, f"whether it has traded cannot be read: {error}"
    if report is not None:
        return save_order(turn, apply_report(turn, order, report))
    if not traded:
        return save_order(turn, order.with_child(child.becomes(ChildState.NEVER_ARRIVED)))
    turn.warn(order.symbol, "lost", child.client_order_id, traded)
    return save_order(turn, order.with_child(child.becomes(ChildState.LOST, traded)))


def _cancel_stray(turn: Turn, report: OrderReport) -> bool:
    """Cancel an order that has this run's prefix and is not in our books. Returns whether it is closed."""
    turn.warn(report.symbol, "stray", report.client_order_id, "at the broker, not in our books")
    turn.ports.broker.cancel(report.broker_id)
    turn.ports.runtime.pause(1)
    after = turn.ports.broker.order(report.client_order_id)
    return after is not None and after.is_closed
