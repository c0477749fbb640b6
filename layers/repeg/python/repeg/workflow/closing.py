"""Closing a run: nothing of ours stays open, every order gets an outcome, the books are held against the broker's."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from repeg.domain.broker import CancelAnswer, Execution
from repeg.domain.child_order import UNRESOLVED, ChildState, OrderReport
from repeg.domain.costs import Settlement, analyse
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, RepegError, StillOpen
from repeg.domain.journal import Entry
from repeg.domain.order_ids import run_prefix
from repeg.domain.outcome import outcome_of
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.ports import Ports
from repeg.workflow.placement import UNKNOWN_IS_LOST, cancel_children, finish_order, refresh_children
from repeg.workflow.reconciliation import apply_report
from repeg.workflow.turn import Turn, find_run
from repeg.workflow.working import book_executions, list_own_orders

RUN_SETTLED = "repeg.run.settled"
RUN_FAILED = "repeg.run.failed"

# The error of a run that ended while nobody could look at the broker.
UNSEEN = "Unseen"


def close_orders(turn: Turn) -> list[str]:
    """Cancel and confirm every order of the run; returns the client order ids that may still be open."""
    listed = list_own_orders(turn)
    orders = turn.ports.store.orders(turn.run.run_id)

    def close(order: ParentOrder) -> ParentOrder:
        return _close(turn, refresh_children(turn, _turned_up(turn, order), listed))

    closed = turn.each(close, orders)
    strays = set(listed) - {child.client_order_id for order in orders for child in order.children}
    stray_ids = [client_id for client_id in sorted(strays) if not _cancel_stray(turn, listed[client_id])]
    book_executions(turn, closed)
    return [child.client_order_id for order in closed for child in order.open_children] + stray_ids


def cancel_by_prefix(run_id: str, ports: Ports) -> list[str]:
    """Ask for the cancel of every open order whose id begins with the run's prefix; needs no table. Returns their ids.

    Others' orders, and other runs', are never touched.
    """
    prefix = run_prefix(run_id)
    ours = [report for report in ports.broker.open_orders() if report.client_order_id.startswith(prefix)]
    for report in ours:
        ports.broker.cancel(report.broker_id)
    return [report.client_order_id for report in ours]


def report_on(turn: Turn, turns: int, failure: dict[str, Any] | None, left: list[str]) -> dict[str, Any]:
    """The run's report: an outcome for every order, what it cost, and whether our books are the broker's."""
    orders = turn.ports.store.orders(turn.run.run_id)
    kill = turn.ports.store.kill_switch()
    ended_by = "the run was ended" if failure else "the window closed"
    ended = orders if left else turn.each(lambda order: _end(turn, order, *outcome_of(order, kill, ended_by)), orders)
    executions = turn.ports.store.executions(turn.run.run_id)
    reason = _unexplained(ended, executions, left)
    error, cause = _failure(failure, reason)
    settlement = Settlement(
        outcome="failed" if error else "settled", error=error, reason=cause or "every order has an outcome", turns=turns
    )
    return analyse(
        turn.run, ended, executions, settlement, turn.ports.store.intents(turn.run.run_id), _books(turn, ended)
    )


def require_closed(report: dict[str, Any], left: list[str]) -> None:
    """Raise StillOpen while an order is open at the broker, or has no outcome written down yet."""
    unwritten = [row["symbol"] for row in report["orders"] if row["outcome"] is None]
    if left or unwritten:
        raise StillOpen(f"{report['run_id']}: still open at the broker {left}, without an outcome {unwritten}")


def report_unseen(run_id: str, cause: str, error: RepegError, ports: Ports) -> str:
    """Report a run as failed from the books alone, where the broker cannot be looked at; returns what is not known.

    Told once, with the time of the first look that failed; the report of a later look takes this one's place.
    """
    run = find_run(run_id, ports)
    report = run.report
    if report is None or report["error"] != UNSEEN:
        now = ports.runtime.now()
        reason = f"{cause}; could not look at the broker since {now.isoformat(timespec='seconds')}: {error}"
        settlement = Settlement(outcome="failed", error=UNSEEN, reason=reason, turns=0)
        report = analyse(run, ports.store.orders(run_id), ports.store.executions(run_id), settlement)
        ports.store.save_report(run_id, report)
        ports.journal.record(Entry(now, run_id, "run", "unseen", run_id, reason))
    announce(run_id, report, ports)
    return str(report["reason"])


def publish(turn: Turn, report: dict[str, Any]) -> None:
    """Note how the run ended, and tell whoever listens."""
    turn.note("run", report["outcome"], report["run_id"], report["reason"])
    announce(report["run_id"], report, turn.ports)


def announce(run_id: str, report: dict[str, Any], ports: Ports) -> None:
    """Tell whoever listens how a run ended, unless it has been told.

    At least once: a step that is cut off between the event and its mark tells it again when it is repeated, and so do
    two steps at the very same moment, always under the same `event_id`, by which a listener knows what it has heard. It
    is told after the run's last state was written, which a fenced step cannot do: of two sweepers only one gets here.
    """
    if find_run(run_id, ports).is_announced:
        return
    kind = RUN_SETTLED if report["outcome"] == "settled" else RUN_FAILED
    told = {key: report[key] for key in ("run_id", "outcome", "error", "reason", "totals")}
    ports.notifier.publish(kind, {"event_id": f"{run_id}.ended", **told})
    ports.store.mark_announced(run_id)


def _close(turn: Turn, order: ParentOrder) -> ParentOrder:
    after = cancel_children(turn, order)
    saved = turn.ports.store.save_order(after) if after != order else order
    # Only the latest can be unresolved: what it was to replace had been seen to rest.
    is_unknown = saved.child is not None and saved.child.state in UNRESOLVED
    return _give_up_unknown(turn, saved) if is_unknown else saved


def _turned_up(turn: Turn, order: ParentOrder) -> ParentOrder:
    """The order, its last child open again if it was given up as never arrived and has arrived after all."""
    child = order.child
    if child is None or child.state is not ChildState.NEVER_ARRIVED:
        return order
    report = turn.ports.broker.order(child.client_order_id)
    return order if report is None else turn.ports.store.save_order(apply_report(turn, order, report))


def _give_up_unknown(turn: Turn, order: ParentOrder) -> ParentOrder:
    """An intent that the broker still does not know once it has had its time never arrived: it has been looked for
    twice, here and in the read before, and nothing is sent again while a run closes."""
    child = order.children[-1]
    if turn.now - child.sent_at < UNKNOWN_IS_LOST:
        return order
    turn.ports.runtime.pause(1)
    if turn.ports.broker.order(child.client_order_id) is not None:
        return order
    return turn.ports.store.save_order(order.with_child(child.becomes(ChildState.NEVER_ARRIVED)))


def _cancel_stray(turn: Turn, report: OrderReport) -> bool:
    """An order with this run's prefix that our books do not hold: cancelled like any other, and told."""
    turn.note(report.symbol, "stray", report.client_order_id, "at the broker, not in our books")
    answer = turn.ports.broker.cancel(report.broker_id)
    turn.ports.runtime.pause(1)
    after = turn.ports.broker.order(report.client_order_id)
    return after is not None and after.is_closed and answer is not CancelAnswer.UNKNOWN


def _end(turn: Turn, order: ParentOrder, outcome: Any, reason: str) -> ParentOrder:
    return order if order.outcome is not None else finish_order(turn, order, outcome, reason)


def _books(turn: Turn, orders: list[ParentOrder]) -> dict[str, Quote]:
    """The books at the end of what was not filled; none where the feed does not answer: no run stays open for them."""
    try:
        return turn.quotes([order for order in orders if order.remaining > 0])
    except (BrokerUnavailable, BrokerDenied) as error:
        turn.note("run", "unpriced", reason=str(error))
        return {}


def _unexplained(orders: list[ParentOrder], executions: list[Execution], left: list[str]) -> str:
    """What is not accounted for, in words; empty where every share is."""
    if left:
        return f"still open at the broker: {', '.join(left)}"
    unknown = [order.symbol for order in orders if order.outcome == "unknown"]
    if unknown:
        return f"outcome unknown: {', '.join(unknown)}"
    booked: dict[str, Decimal] = {}
    for execution in executions:
        booked[execution.symbol] = booked.get(execution.symbol, Decimal(0)) + execution.qty
    wrong = [order for order in orders if booked.get(order.symbol, Decimal(0)) != order.filled]
    return ", ".join(f"{o.symbol} filled {o.filled} but booked {booked.get(o.symbol, Decimal(0))}" for o in wrong)


def _failure(failure: dict[str, Any] | None, reason: str) -> tuple[str, str]:
    if failure:
        return str(failure.get("Error", "Failed")), _message(str(failure.get("Cause", "")))[:2_000]
    return ("Unexplained", reason) if reason else ("", "")


def _message(cause: str) -> str:
    """What a person reads of a cause: a function that failed leaves JSON, with its message and a stack trace."""
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    return str(told.get("errorMessage", cause)) if isinstance(told, dict) else cause
