"""Closing a run: cancel its open orders, give every order an outcome, reconcile its books with the broker's."""

from __future__ import annotations

import json
from decimal import Decimal

from repeg.domain.broker import CancelAnswer, Execution
from repeg.domain.child_order import UNRESOLVED, ChildState, OrderReport
from repeg.domain.costs import Settlement, analyse
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, RepegError, StillOpen
from repeg.domain.final_outcome import outcome_of
from repeg.domain.journal import Entry
from repeg.domain.order_ids import run_prefix
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.domain.report import Report
from repeg.domain.steps import StepFailure
from repeg.domain.time_limits import LOST_AFTER
from repeg.ports import Ports
from repeg.workflow.cancellation import cancel_children
from repeg.workflow.in_flight import refresh_children
from repeg.workflow.placement import finish_order
from repeg.workflow.reconciliation import apply_report, book_executions, list_own_orders
from repeg.workflow.turn import Turn, find_run

RUN_SETTLED = "repeg.run.settled"
RUN_FAILED = "repeg.run.failed"

# The error of a run that was reported while the broker could not be read.
UNSEEN = "Unseen"


def close_orders(turn: Turn) -> list[str]:
    """Cancel and confirm every order of the run; returns the client order ids that may still be open."""
    listed = list_own_orders(turn)
    orders = turn.ports.store.orders(turn.run.run_id)

    def close(order: ParentOrder) -> ParentOrder:
        return _close(turn, refresh_children(turn, _recover_late_arrival(turn, order), listed))

    closed = turn.each(close, orders)
    strays = set(listed) - {child.client_order_id for order in orders for child in order.children}
    stray_ids = [client_id for client_id in sorted(strays) if not _cancel_stray(turn, listed[client_id])]
    book_executions(turn, closed)
    ours = [child for order in closed for child in order.open_children if not child.is_owners]
    return [child.client_order_id for child in ours] + stray_ids


def cancel_by_prefix(run_id: str, ports: Ports) -> list[str]:
    """Request the cancel of every open order whose id begins with the run's prefix; needs no store. Returns their ids.

    No other order of the account is touched.
    """
    prefix = run_prefix(run_id)
    ours = [report for report in ports.broker.open_orders() if report.client_order_id.startswith(prefix)]
    for report in ours:
        ports.broker.cancel(report.broker_id)
    return [report.client_order_id for report in ours]


def report_on(turn: Turn, turns: int, failure: StepFailure | None, left: list[str]) -> Report:
    """The run's report: an outcome for every order, its cost, and whether our books equal the broker's."""
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
        report = analyse(run, ports.store.orders(run_id), ports.store.executions(run_id), settlement)
        ports.store.save_report(run_id, report)
        ports.journal.record(Entry(now, run_id, "run", "unseen", run_id, reason, is_abnormal=True))
    announce(run_id, report, ports)
    return report.reason


def publish(turn: Turn, report: Report) -> None:
    """Journal how the run ended, and publish it."""
    record = turn.journal if report.is_settled else turn.warn
    record("run", report.outcome, report.run_id, report.reason)
    announce(report.run_id, report, turn.ports)


def announce(run_id: str, report: Report, ports: Ports) -> None:
    """Publish how a run ended, unless that has been done.

    Delivered at least once. A step that dies after publishing and before marking the run publishes again when it is
    retried, and so do two concurrent steps; subscribers deduplicate on `event_id`. Comes after the run's last state was
    written, which a fenced step cannot do: of two sweepers only one gets here.
    """
    if find_run(run_id, ports).is_announced:
        return
    kind = RUN_SETTLED if report.is_settled else RUN_FAILED
    fields = {"run_id", "outcome", "error", "reason", "totals"}
    detail = {key: value for key, value in report.as_json().items() if key in fields}
    ports.notifier.publish(kind, {"event_id": f"{run_id}.ended", **detail})
    ports.store.mark_announced(run_id)


def _close(turn: Turn, order: ParentOrder) -> ParentOrder:
    after = cancel_children(turn, order)
    saved = turn.ports.store.save_order(after) if after != order else order
    # Only the latest child can be in flight: a child that it replaces had been seen at the broker.
    is_unknown = saved.child is not None and saved.child.state in UNRESOLVED
    return _give_up_unknown(turn, saved) if is_unknown else saved


def _recover_late_arrival(turn: Turn, order: ParentOrder) -> ParentOrder:
    """The order, its last child reopened if it was given up as never arrived and the broker has it after all."""
    child = order.child
    if child is None or child.state is not ChildState.NEVER_ARRIVED:
        return order
    report = turn.ports.broker.order(child.client_order_id)
    return order if report is None else turn.ports.store.save_order(apply_report(turn, order, report))


def _give_up_unknown(turn: Turn, order: ParentOrder) -> ParentOrder:
    """Give up an in-flight order that the broker does not find after LOST_AFTER. It has been looked up twice, here and
    in the read before, and nothing is resent while a run closes."""
    child = order.children[-1]
    if turn.now - child.sent_at < LOST_AFTER:
        return order
    turn.ports.runtime.pause(1)
    if turn.ports.broker.order(child.client_order_id) is not None:
        return order
    return turn.ports.store.save_order(order.with_child(child.becomes(ChildState.NEVER_ARRIVED)))


def _cancel_stray(turn: Turn, report: OrderReport) -> bool:
    """Cancel an order that has this run's prefix and is not in our books. Returns whether it is closed."""
    turn.warn(report.symbol, "stray", report.client_order_id, "at the broker, not in our books")
    answer = turn.ports.broker.cancel(report.broker_id)
    turn.ports.runtime.pause(1)
    after = turn.ports.broker.order(report.client_order_id)
    return after is not None and after.is_closed and answer is not CancelAnswer.UNKNOWN


def _end(turn: Turn, order: ParentOrder, outcome: Outcome, reason: str) -> ParentOrder:
    return order if order.outcome is not None else finish_order(turn, order, outcome, reason)


def _books(turn: Turn, orders: list[ParentOrder]) -> dict[str, Quote]:
    """The last quotes of the unfilled orders. None if the feed does not answer: the run closes without them."""
    try:
        return turn.quotes([order for order in orders if order.remaining > 0])
    except (BrokerUnavailable, BrokerDenied) as error:
        turn.warn("run", "unpriced", reason=str(error))
        return {}


def _unexplained(orders: list[ParentOrder], executions: list[Execution], left: list[str]) -> str:
    """What is not accounted for, in words; empty if every share is."""
    if left:
        return f"still open at the broker: {', '.join(left)}"
    unknown = [order.symbol for order in orders if order.outcome is Outcome.UNKNOWN]
    if unknown:
        return f"outcome unknown: {', '.join(unknown)}"
    booked: dict[str, Decimal] = {}
    for execution in executions:
        booked[execution.symbol] = booked.get(execution.symbol, Decimal(0)) + execution.qty
    wrong = [order for order in orders if booked.get(order.symbol, Decimal(0)) != order.filled]
    return ", ".join(f"{o.symbol} filled {o.filled} but booked {booked.get(o.symbol, Decimal(0))}" for o in wrong)


def _failure(failure: StepFailure | None, reason: str) -> tuple[str, str]:
    if failure is not None:
        return failure.error, _message(failure.cause)[:2_000]
    return ("Unexplained", reason) if reason else ("", "")


def _message(cause: str) -> str:
    """The message of a cause: a failed function leaves JSON, with its error message and a stack trace."""
    try:
        parsed = json.loads(cause)
    except ValueError:
        return cause
    return str(parsed.get("errorMessage", cause)) if isinstance(parsed, dict) else cause
