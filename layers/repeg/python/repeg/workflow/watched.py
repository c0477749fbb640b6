"""The result of one pass of the watchdog."""

from __future__ import annotations

from dataclasses import dataclass, field

from repeg.domain.run_health import Alert


@dataclass
class Watched:
    """The result of one pass: its alerts, each published, and the first failure, if there was one.

    `lacks_keys` says that nothing could be looked at, because the stack has no keys yet. That is no failure.
    """

    alerts: list[Alert] = field(default_factory=list)
    failure: Exception | None = None
    lacks_keys: bool = False

    def raise_failure(self) -> None:
        """Raise the first failure, so that the service records the pass as failed."""
        if self.failure is not None:
            raise self.failure


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
