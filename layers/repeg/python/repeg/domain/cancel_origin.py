"""Whose cancel it was: this run's own, by its mark and by the broker's date, or another hand's."""

from __future__ import annotations

from datetime import datetime, timedelta

from repeg.domain.child_order import Child, OrderReport
from repeg.domain.quote import CLOCK_ERROR_SECONDS
from repeg.domain.time_limits import LOST_AFTER

_CLOCK_ERROR = timedelta(seconds=CLOCK_ERROR_SECONDS)


def is_own_cancel(child: Child, report: OrderReport, now: datetime) -> bool:
    """Whether this run's request cancelled a child that is reported as cancelled.

    The run marks a child before it requests the cancel. A marked child was cancelled by another hand all the same if
    the broker dates the cancel before the first mark, or so long after the last one that the request had never arrived.
    Without a date, or with one that cannot be true, the mark alone decides.
    """
    marked_at, first = child.last_marked_at, child.cancelling_since
    if not child.is_cancelled_by_us or marked_at is None or first is None:
        return False
    at = _plausible_date(report, now)
    if at is None:
        return True
    is_too_early = at < first - _CLOCK_ERROR
    is_too_late = not child.is_cancel_at_broker and at > marked_at + LOST_AFTER + _CLOCK_ERROR
    return not (is_too_early or is_too_late)


def is_cancel_void(child: Child, now: datetime) -> bool:
    """Whether this run's cancel of a live child can come no more: it was never sent, or the broker has dropped it."""
    return child.last_marked_at is not None and now - child.last_marked_at >= LOST_AFTER


def _plausible_date(report: OrderReport, now: datetime) -> datetime | None:
    """When the broker cancelled the order; None if it gives no time, or one before the order or after the present."""
    at, submitted = report.canceled_at, report.submitted_at
    if at is None or at > now + _CLOCK_ERROR:
        return None
    return None if submitted is not None and at < submitted else at
