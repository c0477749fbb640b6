"""How soon the orders of an execution that died must be closed, and whether another execution goes on with its run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from repeg_workbench.faults.judges.pauses import later_by_outages
from repeg_workbench.faults.judges.placed import Parent, due_once_found
from repeg_workbench.faults.judges.record import MINUTE, DayRecord, Execution, Invoked
from repeg_workbench.faults.judges.verdict import Violation

# The orders of an aborted run are closed within this time of its event, or of the watchdog's look after its silence.
SWEPT, WATCHED = 5 * MINUTE, 12 * MINUTE

DEAD = frozenset({"ABORTED", "FAILED", "TIMED_OUT"})
CLOSING = frozenset({"CloseRun", "SweepOrders", "WatchRuns"})


class Deaths:
    """Answers, for one day, what follows the death of an execution."""

    def __init__(self, record: DayRecord) -> None:
        self._record = record
        # Nothing waits for a second delivery: the execution goes on with the answer to the first.
        self._openers = {
            (invoked.run_id, invoked.execution)
            for invoked in record.invoked
            if invoked.function == "OpenRun" and invoked.answered and not invoked.is_duplicate
        }

    def unswept(self, execution: Execution, lines: Iterable[Parent]) -> Iterator[Violation]:
        """An execution that ended without closing its run is swept in time: nothing of it is open at the broker."""
        if execution.status not in DEAD or self.goes_on_after(execution, execution.ended):
            return
        swept_by = self.swept_by(execution)
        for order in (order for line in lines for order in line.orders if not order.is_owners):
            due = due_once_found(self._record, [order], execution.ended, swept_by, WATCHED)
            if due >= self._record.until:
                continue
            is_open = order.arrival.at <= due and (order.ended < 0 or order.ended > due)
            if is_open:
                yield Violation("unswept", due, order.arrival.client_order_id)

    def swept_by(self, dead: Execution) -> int:
        """When a dead execution must have been swept. A closing step that a fault strikes is followed by another; it
        may have been under way when the execution died, and may keep the run until it ends.

        Where its event was lost, the watchdog sweeps the run after a silence, which begins anew with each step of it
        that is invoked by hand, and at the end of the step that was under way: stopping an execution stops no function.
        """
        due = later_by_outages(self._record, dead.ended, WATCHED if dead.is_event_lost else SWEPT)
        for invoked in self._record.invoked:
            lasts = max(invoked.began, invoked.ended)
            if dead.is_event_lost and invoked.run_id == dead.run_id and dead.ended <= lasts and invoked.began <= due:
                due = max(due, later_by_outages(self._record, lasts, WATCHED))
            is_late = dead.ended < lasts and invoked.began <= due
            if invoked.function in CLOSING and is_late and self._is_hindered(invoked):
                due = max(due, later_by_outages(self._record, lasts, WATCHED))
        return due

    def _is_hindered(self, invoked: Invoked) -> bool:
        """Whether a fault struck an invocation, or a service was away meanwhile."""
        ended = invoked.ended if invoked.ended >= 0 else self._record.until
        return invoked.is_struck or any(o.since <= ended and o.until >= invoked.began for o in self._record.outages)

    def goes_on_after(self, execution: Execution, at: int) -> bool:
        """Whether another execution goes on with the run after a time: one that opened the run or has renewed it. A
        second start of a run is refused, and works on nothing."""
        return any(
            other is not execution and other.run_id == execution.run_id
            and (other.run_id, other.name) in self._openers and (other.ended < 0 or other.ended > at)
            for other in self._record.executions
        )  # fmt: skip
