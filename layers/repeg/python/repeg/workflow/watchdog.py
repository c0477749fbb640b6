"""The watchdog: find missed and stuck runs, sweep the stuck ones, cancel orphaned orders, publish unpublished ends.

Each run is looked at alone: what fails for one is an alert, and the others are still looked at.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from repeg.domain.child_order import OrderReport
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, Conflict, KeysMissing, RepegError, UnreadableRow
from repeg.domain.order_ids import OrderId
from repeg.domain.plan import day_of
from repeg.domain.run_health import Alert, Finding, is_silent, is_stuck, missed
from repeg.domain.session import TradingDay, trading_date
from repeg.domain.store_rules import Guard
from repeg.domain.time_limits import ORPHANED_AFTER
from repeg.ports import Ports
from repeg.workflow.after_session import reconcile_ended_run
from repeg.workflow.alerts import publish_alerts
from repeg.workflow.reporting import announce_end, report_unseen
from repeg.workflow.sweeping import cancel_first, fence, sweep
from repeg.workflow.turn import find_run
from repeg.workflow.watched import Watched

# Runs of this many days before today are looked at as well: a long weekend.
DAYS_BACK = 4


def watch(ports: Ports, *, expect_run: bool) -> Watched:
    """Look at every recent run and at all open orders.

    `expect_run` says whether a session day without a run is an alert. If the broker is unreachable, reports what is
    known from the table.
    """
    ports = ports.for_closing()
    try:
        clock = ports.broker.clock()
        day = ports.broker.trading_day(trading_date(clock.now))
    except (BrokerDenied, BrokerUnavailable) as error:
        return _report_unseen(error, ports)
    look = _Pass(ports, clock.now, _recent_guards(clock.now, ports))
    if day is not None and expect_run:
        look.alone("", partial(_missed, day, clock.now, ports))
    look.sweep_stuck_runs()
    look.publish_endings()
    if day is not None:
        look.cancel_orphaned_orders()
    look.reconcile_ended_runs(day)
    return look.watched


@dataclass
class _Pass:
    """One pass over the guard rows of the recent runs."""

    ports: Ports
    now: datetime
    guards: list[Guard]
    watched: Watched = field(default_factory=Watched)

    def alone(self, run_id: str, check: Callable[[], list[Alert]]) -> None:
        """Publish what a check finds. A failed check is an alert of its own; the first failure is kept."""
        try:
            self.watched.alerts += publish_alerts(check(), self.ports)
        except (RepegError, ValueError, KeyError) as error:
            self.watched.failure = self.watched.failure or error
            reason = f"{type(error).__name__}: {error}"
            failed = Alert(finding=Finding.WATCH_FAILED, run_id=run_id, reason=reason)
            self.watched.alerts.append(failed)
            with suppress(RepegError):  # the event bus may be what failed
                publish_alerts([failed], self.ports)

    def sweep_stuck_runs(self) -> None:
        """Sweep the stuck runs. All are fenced and their orders cancelled first: a sweep takes minutes."""
        stuck: list[Guard] = []
        for guard in self.guards:
            self.alone(guard.run_id, partial(self._add_stuck, guard, stuck))
        for guard in stuck:
            self.alone(guard.run_id, partial(self._fence_and_cancel, guard))
        for guard in stuck:
            self.alone(guard.run_id, partial(self._sweep, guard))

    def publish_endings(self) -> None:
        """Publish the outcome of finished runs whose own step died before publishing it."""
        for guard in self.guards:
            if guard.is_over and not guard.is_announced:
                self.alone(guard.run_id, partial(_announce_end, guard, self.ports))

    def reconcile_ended_runs(self, day: TradingDay | None) -> None:
        """Compare the books of the ended runs with the broker's: a request may arrive after its run has ended.

        With another account's keys that waits until the session is over: then it is an alert."""
        in_session = day.day if day is not None and self.now < day.close else None
        for guard in self.guards:
            if guard.is_over and not guard.is_reconciled:
                may_wait = day_of(guard.run_id) == in_session
                self.alone(guard.run_id, partial(_reconcile, guard, self.ports, may_wait=may_wait))

    def cancel_orphaned_orders(self) -> None:
        """Cancel, by run, this stack's orders that no run can be working on any more."""
        listed: list[OrderReport] = []
        self.alone("", partial(_list_open, listed, self.ports))
        for order_id in sorted({report.order_id for report in listed if report.order_id is not None}):
            of_run = [report for report in listed if report.order_id == order_id]
            self.alone(order_id.run_id, partial(self._cancel_orphaned, order_id, of_run))

    def _add_stuck(self, guard: Guard, stuck: list[Guard]) -> list[Alert]:
        if not guard.is_over and _is_stuck(guard, self.now, self.ports):
            stuck.append(guard)
        return []

    def _fence_and_cancel(self, guard: Guard) -> list[Alert]:
        with suppress(Conflict):  # another sweep is under way
            fence(guard, _owner_of(guard), self.ports)
            cancel_first(guard, self.ports)
        return []

    def _sweep(self, guard: Guard) -> list[Alert]:
        alert = Alert(finding=Finding.STUCK_RUN, run_id=guard.run_id, reason=_silence(guard))
        try:
            swept = sweep(guard, _owner_of(guard), alert.reason, self.ports)
        except Conflict:
            return []  # another sweep is under way
        except (BrokerDenied, BrokerUnavailable) as error:
            return [_unseen(guard, error, self.ports)]
        self.watched.alerts += swept.alerts  # published by the sweep
        return [alert]

    def _cancel_orphaned(self, order_id: OrderId, listed: list[OrderReport]) -> list[Alert]:
        held = self.ports.store.guard(order_id.run_id)
        if order_id.tag != self.ports.tag and (held is None or held.order_prefix != order_id.prefix):
            return []  # another stack's
        if held is not None and (_is_elsewhere(held, self.ports) or not _has_ended(held, self.now, self.ports)):
            return []
        left = [report for report in listed if not _has_closed(report, self.ports)]
        for report in left:
            self.ports.broker.cancel(report.broker_id)
        cancelled = ", ".join(report.client_order_id for report in left)
        reason = f"cancelled {cancelled}"
        return [Alert(finding=Finding.LEFT_OPEN, run_id=order_id.run_id, reason=reason)] if left else []


def _recent_guards(now: datetime, ports: Ports) -> list[Guard]:
    """The runs of today and of the days before: a run that could not be swept on its day still has to be."""
    today = trading_date(now)
    return [guard for back in range(DAYS_BACK + 1) for guard in ports.store.guards_on(today - timedelta(days=back))]


def _is_stuck(guard: Guard, now: datetime, ports: Ports) -> bool:
    last_turn = ports.store.last_turn(guard.run_id)
    try:
        return is_stuck(find_run(guard.run_id, ports), last_turn, now)
    except UnreadableRow:
        return is_silent(last_turn, now)


def _missed(day: TradingDay, now: datetime, ports: Ports) -> list[Alert]:
    """An alert for a missed run. A run of the day that cannot be read has at least been started."""
    try:
        runs = [find_run(guard.run_id, ports) for guard in ports.store.guards_on(day.day)]
    except UnreadableRow:
        return []
    return missed(day, runs, now)


def _list_open(listed: list[OrderReport], ports: Ports) -> list[Alert]:
    listed += ports.broker.open_orders()
    return []


def _has_ended(guard: Guard, now: datetime, ports: Ports) -> bool:
    """Whether no order of a run may be open any more: the run is over, or its window closed minutes ago. If the window
    cannot be read, only the former."""
    if guard.is_over:
        return True
    try:
        return now > find_run(guard.run_id, ports).window.closes + ORPHANED_AFTER
    except UnreadableRow:
        return False


def _has_closed(listed: OrderReport, ports: Ports) -> bool:
    """Whether an order has closed since it was listed as open: the list lags, and a run may just have ended."""
    report = ports.broker.order_by_broker_id(listed.broker_id)
    return report is not None and report.is_closed


def _is_elsewhere(guard: Guard, ports: Ports) -> bool:
    """Whether the run trades in another account than the keys open. An order here is not the run's, whatever its id."""
    return guard.account_number not in {"", ports.broker.account_number()}


def _reconcile(guard: Guard, ports: Ports, *, may_wait: bool) -> list[Alert]:
    if may_wait and _is_elsewhere(guard, ports):
        return []
    try:
        return reconcile_ended_run(guard, ports)
    except UnreadableRow as error:
        if may_wait:
            return []
        reason = f"the books cannot be compared: {error}"
        return [Alert(finding=Finding.UNREADABLE_ROW, run_id=guard.run_id, reason=reason)]


def _announce_end(guard: Guard, ports: Ports) -> list[Alert]:
    announce_end(guard, ports)
    return []


def _report_unseen(error: BrokerDenied | BrokerUnavailable, ports: Ports) -> Watched:
    """Report the stuck runs while the broker cannot be read, by our own clock."""
    guards = _recent_guards(ports.runtime.now(), ports)
    if isinstance(error, KeysMissing) and all(guard.is_over for guard in guards):
        return Watched(lacks_keys=True)
    look = _Pass(ports, ports.runtime.now(), guards, Watched(failure=error))
    for guard in look.guards:
        look.alone(guard.run_id, partial(_unseen_if_stuck, guard, look.now, error, ports))
    return look.watched


def _unseen_if_stuck(guard: Guard, now: datetime, error: RepegError, ports: Ports) -> list[Alert]:
    is_stuck_now = not guard.is_over and _is_stuck(guard, now, ports)
    return [_unseen(guard, error, ports)] if is_stuck_now else []


def _unseen(guard: Guard, error: RepegError, ports: Ports) -> Alert:
    """A stuck run while the broker cannot be read: reported as failed once, and alerted until a read succeeds."""
    reason = report_unseen(guard.run_id, _silence(guard), error, ports)
    return Alert(finding=Finding.STUCK_RUN, run_id=guard.run_id, reason=reason)


def _silence(guard: Guard) -> str:
    return f"{guard.state}, and no turn for minutes"


def _owner_of(guard: Guard) -> str:
    """The owner that the watchdog's sweep takes a run over as, the same on each of its passes."""
    return f"watch of {guard.run_id} at epoch {guard.epoch}"
