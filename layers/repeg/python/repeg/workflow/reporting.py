"""Reporting a run that ends: an outcome for every order, what is not accounted for, and its publication."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from repeg.domain.books import Books
from repeg.domain.costs import MarketRecord, Settlement, analyse
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, RepegError, StillOpen, UnreadableRow
from repeg.domain.final_outcome import excess, is_outdated, lost_children, outcome_of
from repeg.domain.journal import Entry
from repeg.domain.notice import RUN_FAILED, RUN_SETTLED
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import day_of
from repeg.domain.quote import Quote
from repeg.domain.report import Report, Totals
from repeg.domain.run import KillSwitch
from repeg.domain.run_health import Alert, Finding
from repeg.domain.steps import StepFailure
from repeg.domain.store_rules import Guard
from repeg.domain.usage import Usage, usage_of
from repeg.ports import Ports
from repeg.workflow.observing import journal_observations
from repeg.workflow.placement import finish_order
from repeg.workflow.switches import switch_now, words_of
from repeg.workflow.turn import Turn, find_run

# The error of a run that was reported while the broker could not be read.
UNSEEN = "Unseen"

# How an order ended, in the event of its run's end: a program that missed the order's own event finds it there. An
# event may have 256 KB.
_OUTCOME = {"symbol", "side", "outcome", "reason", "filled_qty", "qty"}
MOST_OUTCOMES = 500

# The error of a run whose shares or orders are not all accounted for.
UNEXPLAINED = "Unexplained"


def report_on(turn: Turn, turns: int, failure: StepFailure | None, left: list[str]) -> tuple[Report, list[Alert]]:
    """The run's report: an outcome for every order, its cost, and whether our books equal the broker's. With the alerts
    to publish before the run ends."""
    books = turn.ports.store.books(turn.run.run_id)
    orders = list(books.orders)
    kill = _kill_switch(turn)
    ended_by = "the run was ended" if failure else "the window closed"
    because = _killed_by(turn, kill)

    def end(order: ParentOrder) -> ParentOrder:
        return _end(turn, order, *outcome_of(order, kill, ended_by, because))

    ended = orders if left else turn.each(end, orders)
    reason = unexplained(ended, books, left)
    error, cause = _failure(failure, reason)
    settlement = Settlement(
        outcome="failed" if error else "settled",
        error=error,
        reason=cause or "every order has an outcome",
        turns=turns,
        usage=used_by(turn),
    )
    quotes = _last_quotes(turn, ended)
    report = analyse(turn.run, replace(books, orders=tuple(ended)), settlement, MarketRecord(last=quotes))
    journal_observations(turn, ended, books, quotes)
    return report, [] if left else _alerts(turn, ended, books)


def used_by(turn: Turn) -> Usage | None:
    """What the run has used, up to the last step that has ended; None if that is not known."""
    used = turn.ports.meter.used(turn.run.run_id)
    return None if used is None else usage_of(used)


def require_closed(report: Report, left: list[str]) -> None:
    """Raise StillOpen while an order is open at the broker or has no stored outcome."""
    unfinished = [row.symbol for row in report.orders if row.outcome is None]
    if left or unfinished:
        raise StillOpen(f"{report.run_id}: still open at the broker {left}, without an outcome {unfinished}")


def report_unseen(run_id: str, cause: str, error: RepegError, ports: Ports) -> str:
    """Report a run as failed from our books alone, because the broker cannot be read. Returns the report's reason.

    Published once, with the time of the first failed read; a later report replaces this one.
    """
    run = find_run(run_id, ports)
    report = run.report
    if report is None or report.error != UNSEEN:
        now = ports.runtime.now()
        reason = f"{cause}; the broker could not be read since {now.isoformat(timespec='seconds')}: {error}"
        settlement = Settlement(outcome="failed", error=UNSEEN, reason=reason, turns=0)
        report = analyse(run, ports.store.books(run_id), settlement)
        ports.store.save_report(run_id, report)
        ports.journal.record(Entry(now, run_id, "run", "unseen", run_id, reason, is_abnormal=True))
    announce(run_id, report, ports)
    return report.reason


def report_unreadable(run_id: str, reason: str, ports: Ports) -> Report:
    """Save the report of a run that cannot be read: it has failed, for that reason, and its orders are not known."""
    none = Totals(
        orders=0, orders_filled=0, filled_notional=None, cost_bps=None, market_cost_bps=None, executions=0
    )  # fmt: skip
    report = Report(
        run_id=run_id, outcome="failed", error="Unreadable", reason=reason, trading_date=day_of(run_id).isoformat(),
        preview=False, orders=(), totals=none,
    )  # fmt: skip
    ports.store.save_report(run_id, report)
    ports.journal.record(Entry(ports.runtime.now(), run_id, "run", "unreadable", run_id, reason, is_abnormal=True))
    return report


def publish(turn: Turn, report: Report) -> None:
    """Journal how the run ended, and publish it."""
    record = turn.journal if report.is_settled else turn.warn
    record("run", report.outcome, report.run_id, report.reason)
    announce(report.run_id, report, turn.ports)


def announce_end(held: Guard, ports: Ports) -> None:
    """Publish how an ended run ended, unless that has been done."""
    run = None if held.is_announced else find_run(held.run_id, ports)
    if run is not None and run.report is not None:
        announce(run.run_id, run.report, ports)


def announce(run_id: str, report: Report, ports: Ports) -> None:
    """Publish how a run ended, unless that has been done.

    Delivered at least once. A step that dies after publishing and before marking the run publishes again when it is
    retried, and so do two concurrent steps; subscribers deduplicate on `event_id`. Comes after the run's last state was
    written, which a fenced step cannot do: of two sweepers only one gets here.
    """
    held = ports.store.guard(run_id)
    if held is None or held.is_announced:
        return
    kind = RUN_SETTLED if report.is_settled else RUN_FAILED
    fields = {"run_id", "outcome", "error", "reason", "totals", "costs"}
    detail = {key: value for key, value in report.as_json().items() if key in fields}
    outcomes = [row.model_dump(mode="json", include=_OUTCOME) for row in report.orders[:MOST_OUTCOMES]]
    ports.notifier.publish(kind, {"event_id": f"{run_id}.ended", **detail, "outcomes": outcomes})
    ports.store.mark_announced(run_id)


def _end(turn: Turn, order: ParentOrder, outcome: Outcome, reason: str) -> ParentOrder:
    """The order with an outcome, unless it has one that holds."""
    return finish_order(turn, order, outcome, reason) if order.outcome is None or is_outdated(order) else order


def _kill_switch(turn: Turn) -> KillSwitch:
    """The kill switch. If its row cannot be read, new orders were halted: no intent could be written."""
    try:
        return switch_now(turn.run, _last_sending(turn), turn.ports)
    except UnreadableRow as error:
        turn.warn("run", "unreadable", reason=str(error))
        return KillSwitch.HALT_NEW


def _killed_by(turn: Turn, kill: KillSwitch) -> str:
    try:
        return words_of(kill, _last_sending(turn), turn.ports)
    except UnreadableRow:
        return ""


def _last_sending(turn: Turn) -> datetime:
    """The last time at which an order could have been sent: an arming that expires later has stopped none."""
    return min(turn.now, turn.run.window.closes)


def lost_orders(run_id: str, orders: Sequence[ParentOrder]) -> list[Alert]:
    """An alert for each order with a child that was lost."""
    return [
        Alert(finding=Finding.ORDER_LOST, run_id=run_id, reason=f"{order.symbol}: {lost}")
        for order in orders
        if (lost := lost_children(order))
    ]


def _alerts(turn: Turn, orders: Sequence[ParentOrder], books: Books) -> list[Alert]:
    too_many = [
        Alert(finding=Finding.BOOKS_DIFFER, run_id=turn.run.run_id, reason=excess(order))
        for order in orders
        if excess(order)
    ]
    return lost_orders(turn.run.run_id, orders) + too_many + _unreadable_rows(turn, books)


def _unreadable_rows(turn: Turn, books: Books) -> list[Alert]:
    if not books.unreadable:
        return []
    reason = _in_words(books.unreadable)
    turn.warn("run", "unreadable", ", ".join(books.unreadable), reason)
    return [Alert(finding=Finding.UNREADABLE_ROW, run_id=turn.run.run_id, reason=reason)]


def _in_words(unreadable: Sequence[str]) -> str:
    return f"{', '.join(unreadable)} cannot be read"


def _last_quotes(turn: Turn, orders: list[ParentOrder]) -> dict[str, Quote]:
    """The last quotes of the unfilled orders. None if the feed does not answer: the run closes without them."""
    try:
        return turn.quotes([order for order in orders if order.remaining > 0])
    except (BrokerUnavailable, BrokerDenied) as error:
        turn.warn("run", "unpriced", reason=str(error))
        return {}


def unexplained(orders: Sequence[ParentOrder], books: Books, left: Sequence[str]) -> str:
    """What is not accounted for, in words; empty if every share is."""
    if left:
        return f"still open at the broker: {', '.join(left)}"
    if books.unreadable:
        return _in_words(books.unreadable)
    lost = {order.symbol: lost_children(order) for order in orders}
    unknown = [
        f"{order.symbol} ({order.reason if order.outcome is Outcome.UNKNOWN else lost[order.symbol]})"
        for order in orders
        if order.outcome is Outcome.UNKNOWN or lost[order.symbol]
    ]
    if unknown:
        return f"outcome unknown: {', '.join(unknown)}"
    booked: dict[str, Decimal] = {}
    for execution in books.executions:
        booked[execution.symbol] = booked.get(execution.symbol, Decimal(0)) + execution.qty
    wrong = [order for order in orders if booked.get(order.symbol, Decimal(0)) != order.filled]
    return ", ".join(f"{o.symbol} filled {o.filled} but booked {booked.get(o.symbol, Decimal(0))}" for o in wrong)


def _failure(failure: StepFailure | None, reason: str) -> tuple[str, str]:
    if failure is not None:
        return failure.error, "; ".join(filter(None, [_message(failure.cause)[:2_000], reason]))
    return (UNEXPLAINED, reason) if reason else ("", "")


def _message(cause: str) -> str:
    """The message of a cause: a failed function leaves JSON, with its error message and a stack trace."""
    try:
        parsed = json.loads(cause)
    except ValueError:
        return cause
    return str(parsed.get("errorMessage", cause)) if isinstance(parsed, dict) else cause
