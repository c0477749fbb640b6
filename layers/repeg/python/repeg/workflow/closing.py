"""Closing a run: cancel and confirm its open orders, whatever their state, and book their fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from repeg.domain.broker import CancelAnswer
from repeg.domain.child_order import RESTING, UNRESOLVED, ChildState, OrderReport
from repeg.domain.parent_order import ParentOrder
from repeg.domain.time_limits import BOOKS_FINAL_AFTER, LOST_AFTER
from repeg.ports import Ports
from repeg.workflow.cancellation import cancel_children
from repeg.workflow.in_flight import refresh_children
from repeg.workflow.reconciliation import book_executions, fetch_report, list_own_orders
from repeg.workflow.saving import save_order
from repeg.workflow.turn import Turn


def close_orders(turn: Turn) -> list[str]:
    """Cancel and confirm every order of the run; returns the client order ids that may still be open."""
    listed = list_own_orders(turn)
    orders = turn.ports.store.books(turn.run.run_id).orders

    def close(order: ParentOrder) -> ParentOrder:
        return _close(turn, refresh_children(turn, order, listed))

    closed = turn.each(close, orders)
    stray_ids = cancel_strays(turn, listed, orders)
    book_executions(turn, closed)
    ours = [child for order in closed for child in order.open_children if not child.is_owners]
    # After the session nothing more can be done here: the watchdog goes on looking at them.
    return [child.client_order_id for child in ours] + ([] if _is_final(turn) else stray_ids)


def cancel_strays(turn: Turn, listed: Mapping[str, OrderReport], orders: Sequence[ParentOrder]) -> list[str]:
    """Cancel the listed orders of the run that are not in its books. Returns the ids of those that are still open."""
    strays = set(listed) - {child.client_order_id for order in orders for child in order.children}
    return [client_id for client_id in sorted(strays) if not _cancel_stray(turn, listed[client_id])]


def cancel_by_prefix(prefix: str, ports: Ports) -> list[str]:
    """Request the cancel of every open order whose id begins with a run's prefix; needs no store. Returns their ids.

    No other order of the account is touched.
    """
    ours = [report for report in ports.broker.open_orders() if report.client_order_id.startswith(prefix)]
    for report in ours:
        ports.broker.cancel(report.broker_id)
    return [report.client_order_id for report in ours]


def _close(turn: Turn, order: ParentOrder) -> ParentOrder:
    after = cancel_children(turn, order)
    saved = save_order(turn, after) if after != order else order
    # Only the latest child can be in flight: a child that it replaces had been seen at the broker.
    is_unknown = saved.child is not None and saved.child.state in UNRESOLVED
    return _give_up_lost(turn, _give_up_unknown(turn, saved) if is_unknown else saved)


def _give_up_lost(turn: Turn, order: ParentOrder) -> ParentOrder:
    """Give up the children that do not close, so that the run can end: after the session's close those that the broker
    does not find, and once its books are final those that it does not show as closed."""
    if turn.now < turn.run.trading_day.close:
        return order
    after = order
    for child in order.open_children:
        if (
            child.state in RESTING
            and not child.is_owners
            and (_is_final(turn) or fetch_report(turn, order, child) is None)
        ):
            turn.warn(order.symbol, "lost", child.client_order_id, "not seen closed by the end of the session")
            after = after.with_child(child.becomes(ChildState.LOST))
    return save_order(turn, after) if after != order else order


def _is_final(turn: Turn) -> bool:
    """Whether the broker's books of the run's day are final."""
    return turn.now >= turn.run.trading_day.close + BOOKS_FINAL_AFTER


def _give_up_unknown(turn: Turn, order: ParentOrder) -> ParentOrder:
    """Give up an in-flight order that the broker does not find after LOST_AFTER. It has been looked up twice, here and
    in the read before, and nothing is resent while a run closes."""
    child = order.children[-1]
    if turn.now - child.sent_at < LOST_AFTER:
        return order
    turn.ports.runtime.pause(1)
    if fetch_report(turn, order, child) is not None:
        return order
    return save_order(turn, order.with_child(child.becomes(ChildState.NEVER_ARRIVED)))


def _cancel_stray(turn: Turn, report: OrderReport) -> bool:
    """Cancel an order that has this run's prefix and is not in our books. Returns whether it is closed."""
    turn.warn(report.symbol, "stray", report.client_order_id, "at the broker, not in our books")
    answer = turn.ports.broker.cancel(report.broker_id)
    turn.ports.runtime.pause(1)
    after = turn.ports.broker.order(report.client_order_id)
    return after is not None and after.is_closed and answer is not CancelAnswer.UNKNOWN
