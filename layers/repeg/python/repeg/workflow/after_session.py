"""After a run's end: its books are compared with the broker's once more, in its session and after it.

A request may arrive, and a fill may be listed, after the run has been closed and reported. Every order that the broker
has under the run's ids is compared with our books, whatever they say of it. Late orders are cancelled, late fills are
booked, and a report that has changed is published as corrected. The comparison is repeated in each pass of the watchdog
until a pass long after the session's close finds the books equal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Sequence
from decimal import Decimal
from hashlib import sha256

from repeg.domain.books import Books
from repeg.domain.broker import Execution
from repeg.domain.child_order import GIVEN_UP, Child, ChildState, OrderReport
from repeg.domain.costs import MarketRecord, Settlement, analyse
from repeg.domain.errors import BrokerUnavailable, Conflict, RepegError, StoreUnavailable
from repeg.domain.final_outcome import corrected, lost_children
from repeg.domain.notice import RUN_CORRECTED
from repeg.domain.parent_order import ParentOrder
from repeg.domain.report import Report
from repeg.domain.run_health import Alert, Finding
from repeg.domain.setting_types import FundBuysFrom
from repeg.domain.store_rules import Guard
from repeg.domain.time_limits import BOOKS_FINAL_AFTER
from repeg.ports import Ports
from repeg.workflow.alerts import publish_alerts
from repeg.workflow.broker_lists import BrokerLists
from repeg.workflow.cancellation import cancel_children
from repeg.workflow.closing import cancel_strays
from repeg.workflow.doubtful import look_again
from repeg.workflow.measuring import is_to_be_measured, last_quotes, measure
from repeg.workflow.reconciliation import (
    apply_report,
    book_executions,
    fetch_report,
)
from repeg.workflow.reporting import UNEXPLAINED, lost_orders, unexplained
from repeg.workflow.saving import store_order
from repeg.workflow.turn import Turn, begin_turn


def reconcile_ended_run(held: Guard, ports: Ports) -> list[Alert]:
    """Compare an ended run's books with the broker's, and correct its report.

    The run is marked as reconciled when its books are equal BOOKS_FINAL_AFTER after the close. A difference that is
    there from then on is an alert.
    """
    turn = begin_turn(held.run_id, ports)
    if turn.run.report is None:
        return []
    left, ours = _read_again(turn)
    books = turn.ports.store.books(held.run_id)
    report = _report_again(turn, turn.run.report, books, left)
    newly_lost = [order for order in books.orders if lost_children(order) not in turn.run.report.reason]
    if newly_lost or report.figures != turn.run.report.figures:
        publish_alerts(lost_orders(held.run_id, newly_lost), ports)
        _publish_correction(turn, turn.run.report, report)
    if turn.now < turn.run.trading_day.close + BOOKS_FINAL_AFTER:
        return []
    loan, difference = _loan(turn), _difference(turn, books, left, ours)
    if difference:
        turn.warn("run", "differs", held.run_id, difference)
        return [*loan, Alert(finding=Finding.BOOKS_DIFFER, run_id=held.run_id, reason=difference)]
    if is_to_be_measured(turn.run.report, books) and not measure(turn, report, books):
        return loan
    publish_alerts(loan, ports)  # before the mark: no later pass looks at the run
    turn.ports.store.mark_reconciled(held.run_id)
    return []


def _loan(turn: Turn) -> list[Alert]:
    """An alert if the account owes money after the close of a run that could borrow it."""
    run = turn.run
    if run.preview or run.settings.fund_buys_from is FundBuysFrom.CASH:
        return []
    cash = turn.ports.broker.account().cash
    if cash >= 0:
        return []
    reason = f"the account's cash is {cash:.2f} dollars after the close, and the run could buy with borrowed money"
    return [Alert(finding=Finding.CASH_NEGATIVE, run_id=run.run_id, reason=reason)]


def _read_again(turn: Turn) -> tuple[list[str], list[OrderReport]]:
    """Read doubtful orders again, cancel those still open, and book every fill. Returns the ids that are still open,
    and the broker's orders of the run. If one could not be read or stored, raises that error once all others are done.
    """
    lists = BrokerLists(turn)
    executed = _shares_by_order(lists.executions)
    ours = [report for report in lists.orders if report.client_order_id.startswith(turn.run.order_prefix)]
    orders: list[ParentOrder] = []
    unread: list[RepegError] = []
    for order in turn.ports.store.books(turn.run.run_id).orders:
        try:
            orders.append(_refresh(turn, order, ours, executed, lists))
        except (BrokerUnavailable, StoreUnavailable, Conflict) as error:
            orders.append(order)
            unread.append(error)
    left = cancel_strays(turn, {r.client_order_id: r for r in ours if not r.is_closed}, orders)
    book_executions(turn, orders)
    if unread:
        raise unread[0]
    open_ids = [child.client_order_id for order in orders for child in order.open_children if not child.is_owners]
    return open_ids + left, ours


def _refresh(
    turn: Turn,
    order: ParentOrder,
    ours: Sequence[OrderReport],
    executed: dict[str, Decimal],
    lists: BrokerLists,
) -> ParentOrder:
    seen = _with_strays(turn, order, ours)
    listed = {report.client_order_id for report in ours}
    for n in [child.n for child in seen.children if _is_doubtful(child, listed, executed)]:
        report = fetch_report(turn, seen, seen.attempt(n)) or lists.find(seen, seen.attempt(n))
        if report is not None:
            seen = apply_report(turn, seen, report)
    seen = look_again(turn, seen, lists)
    seen = cancel_children(turn, seen)
    if seen == order:
        return order
    after = corrected(order, seen)
    turn.warn(order.symbol, "corrected", f"{order.filled} → {after.filled} of {order.target}", after.reason)
    return store_order(turn, after)


def _with_strays(turn: Turn, order: ParentOrder, ours: Sequence[OrderReport]) -> ParentOrder:
    """The order with the filled orders under the run's ids that trade its symbol and are in no book."""
    known = {child.client_order_id for child in order.children}
    for report in ours:
        is_its = (report.symbol, report.side) == (order.symbol, order.side) and report.filled_qty > 0
        if is_its and report.client_order_id not in known:
            turn.warn(order.symbol, "stray", report.client_order_id, f"filled {report.filled_qty}, not in our books")
            order = order.with_child(_stray_of(turn, order, report))
    return order


def _stray_of(turn: Turn, order: ParentOrder, report: OrderReport) -> Child:
    """The next child of an order, for one that was found at the broker and that no intent says."""
    return Child(
        n=order.children[-1].n + 1 if order.children else 1,
        client_order_id=report.client_order_id,
        qty=report.qty,
        limit=report.limit,
        rung=order.rung,
        decided_at=report.submitted_at or turn.now,
    )


def _is_doubtful(child: Child, listed: Container[str], executed: dict[str, Decimal]) -> bool:
    """Whether a child has to be read again: it was given up, is open, has other fills than the broker lists, or was
    refused and is listed all the same."""
    was_given_up = child.state in GIVEN_UP or (child.state is ChildState.REFUSED and child.replaces is not None)
    is_there = child.state is ChildState.REFUSED and child.client_order_id in listed
    return was_given_up or is_there or not child.is_closed or child.filled != executed[child.broker_id or ""]


def _report_again(turn: Turn, before: Report, books: Books, left: Sequence[str]) -> Report:
    """The report from the books as they are now. Only a failure for its books can become a settlement."""
    error, reason = before.error, before.reason
    if error in {"", UNEXPLAINED}:
        unknown = unexplained(books.orders, books, left) or "; ".join(_unmeant(books))
        error, reason = (UNEXPLAINED, unknown) if unknown else ("", "every order has an outcome")
    # An alert is published for each lost child that the report does not name.
    lost = [words for order in books.orders if (words := lost_children(order)) not in reason]
    reason = "; ".join([reason, *lost])
    settlement = Settlement(
        outcome="failed" if error else "settled",
        error=error,
        reason=reason,
        turns=before.totals.turns,
        usage=before.usage,
    )
    return analyse(turn.run, books, settlement, MarketRecord(last=last_quotes(before)))


def _publish_correction(turn: Turn, before: Report, after: Report) -> None:
    """Publish both reports' figures, then save the new one: a repetition has the same event id."""
    run_id = turn.run.run_id
    digest = sha256(after.model_dump_json().encode()).hexdigest()[:12]
    detail = {
        "event_id": f"{run_id}.corrected.{digest}",
        "run_id": run_id,
        "before": before.brief,
        "after": after.brief,
    }
    turn.ports.notifier.publish(RUN_CORRECTED, detail)
    turn.ports.store.save_report(run_id, after)
    turn.warn("run", "corrected", run_id, after.reason)


def _difference(turn: Turn, books: Books, left: Sequence[str], ours: Sequence[OrderReport]) -> str:
    """What still differs between our books and the broker's, in words; empty if nothing does."""
    if left or books.unreadable:
        return unexplained(books.orders, books, left)
    executed = _shares_by_order(turn.ports.broker.executions(turn.run.trading_day.day))
    words = [
        f"{child.client_order_id} filled {child.filled}, executions say {executed[child.broker_id or '']}"
        for order in books.orders
        for child in order.children
        if child.filled != executed[child.broker_id or ""]
    ]
    known = {child.broker_id for order in books.orders for child in order.children}
    strange = [
        f"{report.client_order_id} filled {report.filled_qty} as {report.broker_id}, which is not in our books"
        for report in ours
        if report.filled_qty > 0 and report.broker_id not in known
    ]
    return "; ".join([*words, *strange, *_unmeant(books)])


def _unmeant(books: Books) -> list[str]:
    """Shares that no intent of ours asked for, in words: beyond a target, or of an order that has none."""
    meant = {intent.client_order_id for intent in books.intents}
    over = [f"{order.symbol} filled {order.filled} of {order.target}" for order in books.orders if order.remaining < 0]
    stray = [
        f"{child.client_order_id} filled {child.filled} without an intent"
        for order in books.orders
        for child in order.children
        if child.filled > 0 and not child.is_owners and child.client_order_id not in meant
    ]
    return over + stray


def _shares_by_order(executions: Sequence[Execution]) -> defaultdict[str, Decimal]:
    """Executed shares by the broker's order id."""
    shares: defaultdict[str, Decimal] = defaultdict(Decimal)
    for execution in executions:
        shares[execution.broker_order_id] += execution.qty
    return shares
