"""Adoption: whether an order that the broker has under a child's id is that child.

Another program may have sent it: a stack with the same tag, or a stack that was deleted and created anew, whose table
does not have the runs of before.
"""

from __future__ import annotations

from datetime import timedelta

from repeg.domain.child_order import Child, OrderReport
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import CLOCK_ERROR_SECONDS
from repeg.domain.time_limits import REQUEST

# A decision is dated by the broker's clock as read at the start of a step: as much as a request too late.
DATE_ERROR = REQUEST + timedelta(seconds=CLOCK_ERROR_SECONDS)


def difference(order: ParentOrder, child: Child, report: OrderReport) -> str:
    """What shows that an order is not the child whose id it has, in words; empty if it is the child.

    A child that has been seen is known by the broker's id. One that has not must have the intent's terms, and must not
    have been submitted before its intent was decided. A replacement's quantity is the broker's to state.
    """
    if child.broker_id is not None:
        return "" if report.broker_id == child.broker_id else f"it is {report.broker_id}, not {child.broker_id}"
    if (report.symbol, report.side) != (order.symbol, order.side):
        return f"it is to {report.side} {report.symbol}"
    if report.limit != child.limit:
        return f"its limit is {report.limit}, not {child.limit}"
    if child.replaces is None and report.qty != child.qty:
        return f"its quantity is {report.qty}, not {child.qty}"
    if report.submitted_at is not None and report.submitted_at < child.decided_at - DATE_ERROR:
        return f"it was submitted at {report.submitted_at.isoformat(timespec='seconds')}, before it was decided"
    return ""
