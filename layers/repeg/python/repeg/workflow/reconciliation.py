"""Reconciliation: what the broker's reports and executions change in our orders.

A replacement shares its quantity with the order it replaces, and brokers differ on whether its report includes that
order's fills. So fills are never summed along a chain: where a report is ambiguous, the executions decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from repeg.domain.adoption import difference
from repeg.domain.broker import Execution
from repeg.domain.cancel_origin import is_cancel_void, is_own_cancel
from repeg.domain.child_order import TRANSITIONS, Child, ChildState, OrderReport
from repeg.domain.final_outcome import by_unknown_hand
from repeg.domain.order_news import filled
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.price_format import fill_price, format_average, format_limit
from repeg.domain.replacement import is_failure_counted, replacement_of, undo_move
from repeg.domain.run import KillSwitch, RunState
from repeg.workflow.turn import Turn

# After this many rejections without a fill, or a child's cancel, between them an order ends: the same request would be
# rejected again. That the broker has accepted a child is not enough: it may reject that one a moment later.
MAX_REJECTIONS = 3

# The broker's lists have so many orders each; so few are read by their ids instead.
ORDERS_OF_A_LIST = 500
FEW_READS = 4


def list_own_orders(turn: Turn) -> dict[str, OrderReport]:
    """The run's open orders as the broker lists them, by client order id. Other orders of the account are ignored."""
    prefix = turn.run.order_prefix
    return {r.client_order_id: r for r in turn.ports.broker.open_orders() if r.client_order_id.startswith(prefix)}


def list_reports(turn: Turn, orders: Sequence[ParentOrder]) -> dict[str, OrderReport]:
    """The run's open orders as the broker lists them, by client order id; also its closed ones of the day, if reading
    the open children of `orders` that are not among them one by one would take more requests."""
    listed = list_own_orders(turn)
    unlisted = [order for order in orders if any(c.client_order_id not in listed for c in order.open_children)]
    if not is_listing_cheaper(unlisted):
        return listed
    return listed | {report.client_order_id: report for report in list_orders_of_day(turn)}


def is_listing_cheaper(orders: Sequence[ParentOrder]) -> bool:
    """Whether lists take fewer requests than reading these orders one by one."""
    pages = 1 + sum(len(order.children) for order in orders) // ORDERS_OF_A_LIST
    return len(orders) > FEW_READS * pages


def reported(order: ParentOrder, child: Child, listed: Mapping[str, OrderReport]) -> OrderReport | None:
    """The listed report of a child, if it is that child's."""
    report = listed.get(child.client_order_id)
    return None if report is None or difference(order, child, report) else report


def list_orders_of_day(turn: Turn) -> list[OrderReport]:
    """Every order of the run that the broker has, open or closed, whatever our books say of it."""
    prefix, day = turn.run.order_prefix, turn.run.trading_day.day
    return [r for r in turn.ports.broker.orders_since(day) if r.client_order_id.startswith(prefix)]


def fetch_report(turn: Turn, order: ParentOrder, child: Child) -> OrderReport | None:
    """The broker's report of a child, by our id or else by the broker's; None if it knows neither, or has an order that
    is not the child under our id."""
    report = turn.ports.broker.order(child.client_order_id)
    if report is not None and not difference(order, child, report):
        return report
    return turn.ports.broker.order_by_broker_id(child.broker_id) if child.broker_id is not None else None


def taken_by(turn: Turn, order: ParentOrder, child: Child) -> str:
    """What shows that the broker has an order under the id of a child, and that it is not the child, in words; empty if
    that is not so."""
    report = turn.ports.broker.order(child.client_order_id)
    return "" if report is None else difference(order, child, report)


def apply_report(turn: Turn, order: ParentOrder, report: OrderReport) -> ParentOrder:
    """The order after a report of one of its children. Journals fills and rejections.

    A replaced child is closed only together with a look at its replacement.
    """
    child = next(each for each in order.children if each.client_order_id == report.client_order_id)
    own = own_fills(turn, order, child, report)
    if own is None:
        turn.warn(order.symbol, "hold", format_limit(child.limit), "the replacement's own fills are not known yet")
        return order.with_child(fills_pending(child, report))
    seen = child.after(own)
    if seen.is_cancelled_by_us and own.state is ChildState.LIVE and is_cancel_void(seen, turn.now):
        seen = seen.rests_again()
    if seen is child:
        return order
    seen = seen.dated(child, turn.now)
    after = _with_seen(order, child, seen)
    if seen.filled > child.filled:
        _journal_fill(turn, after, seen.filled - child.filled, fill_price(child, seen))
    if seen.state is ChildState.REPLACED and child.state is not ChildState.REPLACED:
        return _follow_replacement(turn, after, seen, report) or order
    if seen.state is ChildState.CANCELED and _is_cancelled_by_others(turn, child, report):
        return _end_by_unknown_hand(after)
    if seen.state is ChildState.REJECTED and child.state is not ChildState.REJECTED:
        turn.warn(order.symbol, "rejected", format_limit(seen.limit), "the broker rejected it after accepting it")
        after = after if is_failure_counted(child) else after_rejection(after, seen, "rejected by the broker")
    return after


def _with_seen(order: ParentOrder, child: Child, seen: Child) -> ParentOrder:
    """The order with a child as read; one that has traded, or was cancelled, shows that rejections have passed."""
    is_worked = seen.filled > child.filled or seen.state is ChildState.CANCELED
    return (order.not_rejected() if is_worked else order).with_child(seen)


def _journal_fill(turn: Turn, order: ParentOrder, qty: Decimal, price: Decimal | None) -> None:
    detail = f"{qty} @ {'?' if price is None else format_average(price)}"
    turn.journal(order.symbol, "fill", detail, f"{order.filled} of {order.target}", news=filled(order, qty, price))


def after_rejection(order: ParentOrder, child: Child, reason: str) -> ParentOrder:
    """The order after a rejection; too many end it. A replacement's rejection does not count: the replaced order is
    still open, and the next move is a cancel."""
    if child.replaces is not None:
        return undo_move(order)
    after = order.once_rejected()
    is_over = after.rejections >= MAX_REJECTIONS and order.outcome is None
    return after.done(Outcome.REJECTED, reason) if is_over else after


def own_fills(turn: Turn, order: ParentOrder, child: Child, report: OrderReport) -> OrderReport | None:
    """The report with inherited fills removed, or None if they cannot be separated yet.

    Whether a replacement's report includes what its predecessor filled meanwhile depends on the broker.
    """
    if report.filled_qty == 0:
        return report
    before = order.predecessors(child)
    if all(each.is_closed and each.filled == 0 for each in before):
        return report
    if report.state is ChildState.REJECTED:
        # It never worked: any fills in the report are its predecessor's at that time, and that may go on filling.
        return report.with_fills(Decimal(0), None)
    executions = turn.ports.broker.executions(turn.run.trading_day.day)
    mine = [execution for execution in executions if execution.broker_order_id == report.broker_id]
    filled, inherited = _shares(mine), sum((each.filled for each in before), Decimal(0))
    # The list of executions may lag. It is complete once it has all that the predecessors filled.
    ids = {each.broker_id for each in before}
    is_complete = _shares([e for e in executions if e.broker_order_id in ids]) == inherited
    is_consistent = report.filled_qty in {filled, filled + inherited}
    if not (is_complete and is_consistent and all(each.is_closed for each in before)):
        return None
    paid = sum((execution.qty * execution.price for execution in mine), Decimal(0))
    return report.with_fills(filled, paid / filled if filled else None)


def fills_pending(child: Child, report: OrderReport) -> Child:
    """A child at the broker whose own fills are not known yet: open, whatever the report says, unless it was closed."""
    if child.is_closed and ChildState.LIVE not in TRANSITIONS[child.state]:
        return child
    resting = child if not child.is_closed and child.broker_id else child.becomes(ChildState.LIVE)
    return resting.found_as(report.broker_id)


def book_fills(turn: Turn, before: Sequence[ParentOrder], after: Sequence[ParentOrder]) -> list[Execution]:
    """Book the run's executions if a report has shown new fills; each is booked once, by its own id."""
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


def _follow_replacement(turn: Turn, order: ParentOrder, old: Child, report: OrderReport) -> ParentOrder | None:
    """The order with the replacement of a replaced child, whatever the answer to our request was; None if the broker
    names a replacement and does not show it."""
    new = replacement_of(order, old)
    found = turn.ports.broker.order_by_broker_id(report.replaced_by) if report.replaced_by else None
    if found is not None and (new is None or found.client_order_id != new.client_order_id):
        return _follow_owner(turn, order, old, found)
    if found is None:
        turn.warn(
            order.symbol, "hold", format_limit(old.limit), f"replaced by {report.replaced_by}, which is not found"
        )
        return None
    return apply_report(turn, order, found)


def _follow_owner(turn: Turn, order: ParentOrder, old: Child, found: OrderReport) -> ParentOrder:
    """The order with the child that its owner has made of ours, by moving it at the broker.

    The owner's order is read like a child of ours, so that its fills count; it is never moved or cancelled.
    """
    known = next((each for each in order.children if each.broker_id == found.broker_id), None)
    if known is None:
        detail = f"{format_limit(old.limit)} → {format_limit(found.limit)}"
        turn.warn(order.symbol, "owner", detail, "moved at the broker by the account's owner; left to its owner")
        known = Child(
            n=order.children[-1].n + 1,
            client_order_id=found.client_order_id,
            qty=found.qty,
            limit=found.limit,
            rung=old.rung,
            decided_at=turn.now,
            notional=old.notional if found.limit is None else found.qty * found.limit,
            replaces=old.n,
            is_owners=True,
        )
    return apply_report(turn, order.with_child(known).on_hold(HoldReason.OWNER, turn.now), found)


def _is_cancelled_by_others(turn: Turn, child: Child, report: OrderReport) -> bool:
    """Whether a child of ours was cancelled by another hand: a running run marks a child before it cancels it, and a
    sweep that cancels without a mark has taken the run over before. Under `cancel_all` it was the operator's command,
    which ends the run. An order that its owner has moved is its owner's to cancel."""
    is_known = child.is_owners or is_own_cancel(child, report, turn.now)
    if turn.run.state is not RunState.RUNNING or is_known or child.is_closed:
        return False
    held = turn.ports.store.guard(turn.run.run_id)
    is_running = held is not None and (held.state, held.epoch) == (RunState.RUNNING, turn.run.epoch)
    return is_running and turn.ports.store.kill_switch() is not KillSwitch.CANCEL_ALL


def _end_by_unknown_hand(order: ParentOrder) -> ParentOrder:
    """The order, ended because its child was cancelled by another hand, unless nothing was left of it."""
    return order if order.remaining <= 0 or order.outcome is not None else by_unknown_hand(order)


def _shares(executions: list[Execution]) -> Decimal:
    return sum((execution.qty for execution in executions), Decimal(0))
