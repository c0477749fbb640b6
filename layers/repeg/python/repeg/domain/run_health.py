"""Run health: missed runs, stuck runs, and the alerts that the watchdog raises."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from repeg.domain.child_order import UNRESOLVED
from repeg.domain.frozen import Frozen
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import Run, RunState
from repeg.domain.session import TradingDay
from repeg.domain.time_limits import LOST_AFTER, RUN_LATE, RUN_SILENT, SILENT_TURNS

_OVER = frozenset({RunState.CLOSED, RunState.SWEPT})


class Finding(StrEnum):
    """The kind of a finding."""

    MISSED_RUN = "missed_run"
    STUCK_RUN = "stuck_run"
    LEFT_OPEN = "left_open"
    ORDER_LOST = "order_lost"
    BOOKS_DIFFER = "books_differ"
    CASH_NEGATIVE = "cash_negative"
    UNREADABLE_ROW = "unreadable_row"
    WATCH_FAILED = "watch_failed"


class Alert(Frozen):
    """A finding for the operator: what, in which run (empty if none), and why, in words."""

    finding: Finding
    run_id: str
    reason: str


def missed(day: TradingDay, runs: Sequence[Run], now: datetime) -> list[Alert]:
    """An alert for a session day that has no run ten minutes after the open; a preview is not the day's run."""
    if any(not run.preview for run in runs) or now < day.open + RUN_LATE:
        return []
    return [Alert(finding=Finding.MISSED_RUN, run_id="", reason=f"no run on {day.day}, a session day")]


def overdue(orders: Sequence[ParentOrder], now: datetime) -> int:
    """How many orders have had an unknown outcome for LOST_AFTER since they were first sent: a resend counts on."""
    children = [order.child for order in orders if order.child is not None]
    return sum(child.state in UNRESOLVED and now - child.decided_at > LOST_AFTER for child in children)


def is_over(run: Run) -> bool:
    """Whether a run has ended, by closing or by a sweep."""
    return run.state in _OVER


def is_stuck(run: Run, last_turn: datetime | None, now: datetime) -> bool:
    """Whether an open run has not turned for minutes and for several of its own turns.

    Its first turn has as long, counted from the window's opening or from the run's start, whichever came later.
    """
    if is_over(run):
        return False
    patience = max(RUN_SILENT, timedelta(seconds=SILENT_TURNS * run.settings.order_monitoring_seconds))
    begun = max(run.started_at, run.window.opens)
    return now - max(last_turn or begun, begun) > patience


def is_silent(last_turn: datetime | None, now: datetime) -> bool:
    """Whether an open run that cannot be read is stuck: its settings are not known, so the shortest limit applies."""
    return last_turn is None or now - last_turn > RUN_SILENT
