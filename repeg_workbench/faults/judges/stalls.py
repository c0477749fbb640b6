"""The first judge of the loop: an open run begins its next step within a turn, and a line without an order is placed.

A step of the loop that has ended is followed by the next one. Outages prolong the time for that, and an invocation that
the platform refused, or a step that failed, counts as the next one: what follows it is its retry.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable

from repeg_workbench.faults.judges.hindrances import is_hindered
from repeg_workbench.faults.judges.interruptions import has_opened
from repeg_workbench.faults.judges.pauses import later_by_outages
from repeg_workbench.faults.judges.placed import Parent, number_of
from repeg_workbench.faults.judges.record import MINUTE, SECOND, DayRecord, Invoked, JudgedRun
from repeg_workbench.faults.judges.rules import MOST_ORDERS, Rules
from repeg_workbench.faults.judges.verdict import Violation

# The steps that follow each other while the window is open.
LOOP = frozenset({"ValidateQuotes", "PlaceOrders", "RepegOrders"})
# A turn may begin so long after its time on the grid.
UNREAD = MINUTE
# So many steps of RepegOrders in a row have each left a line without an order, and no quote was checked for one.
LEFT = 2
# A line whose last order was intended or requested, and had no answer, may wait so long: an order without a limit is
# not sent again before.
IN_DOUBT = 20 * MINUTE


class StallJudge:
    """Judges that the loop of every run goes on."""

    def __init__(self, record: DayRecord) -> None:
        self.found: list[Violation] = []
        self._record = record

    def judge(self) -> None:
        """Judge every run; the first stall of each is enough."""
        for run in self._record.runs:
            steps = [step for step in self._record.invoked if step.run_id == run.run_id and not step.is_duplicate]
            refused = [at for at, run_id, _ in self._record.throttled if run_id == run.run_id]
            signs = sorted([*(step.began for step in steps), *refused])
            over = self._over(run, steps)
            for step in (each for each in steps if self._is_judged(run, each, over)):
                due = self._due(run, step)
                following = bisect_right(signs, step.began)
                is_last = following == len(signs) or signs[following] > due
                if is_last and due < self._record.until and self._lives(run, step, due):
                    self.found.append(Violation("stalled", due, run.run_id, f"after {step.function}"))
                    break

    def _is_judged(self, run: JudgedRun, step: Invoked, over: int) -> bool:
        """Whether it is a step of the loop that has ended inside the window, before the run's end."""
        opens = self._record.session_open + int(Rules(run.settings)["market_open_delay_minutes"]) * MINUTE
        return step.function in LOOP and step.answered and opens <= step.began <= step.ended < over

    def _over(self, run: JudgedRun, steps: Iterable[Invoked]) -> int:
        """When the run's window closes, or the first step begins that ends the run."""
        closes = self._record.session_close - int(Rules(run.settings)["close_margin_minutes"]) * MINUTE
        ending = (step.began for step in steps if step.function in {"CloseRun", "SweepOrders"})
        return min(closes, min(ending, default=closes))

    def _due(self, run: JudgedRun, step: Invoked) -> int:
        """A turn is at least half a period and at most one and a half away, by a clock that may be ahead."""
        period = int(Rules(run.settings)["order_monitoring_seconds"]) * SECOND
        within = period + period // 2 + UNREAD + self._record.clock_ahead + self._record.allowance
        return later_by_outages(self._record, step.ended, within)

    def _lives(self, run: JudgedRun, step: Invoked, due: int) -> bool:
        """Whether an execution of the run lived from that step until then, or has ended in between as a success."""
        lived = [e for e in self._record.executions if e.run_id == run.run_id and e.began <= step.began]
        return any(
            each.ended < 0 or each.ended > due
            or (each.ended >= step.ended and each.status == "SUCCEEDED" and has_opened(self._record, each))
            for each in lived
        )  # fmt: skip


def left_at(record: DayRecord, line: Parent, is_without: Callable[[Invoked], bool]) -> int:
    """When a line had been left without an order by several steps of RepegOrders in a row; -1 if it never was.

    A step that `is_without` has ended without an order of the line. The state machine checks quotes after it, good or
    bad, before the next such step.
    """
    steps = [s for s in record.invoked if s.run_id == line.run.run_id and not s.is_duplicate]
    left = 0
    for step in sorted(steps, key=lambda each: each.began):
        if step.function != "RepegOrders":
            left = 0
            continue
        if left >= LEFT:
            return step.began
        is_left = is_without(step) and not is_hindered(record, step, steps) and not _is_in_doubt(record, line, step)
        left = left + 1 if is_left else 0
    return -1


def _is_in_doubt(record: DayRecord, line: Parent, step: Invoked) -> bool:
    """Whether the program may not know what became of the line's orders, or may not send another one."""
    prefix = f"{line.run.prefix}{line.symbol}."
    sent = [each for each in record.sent if each.client_order_id.startswith(prefix) and each.at <= step.ended]
    # An answer to a step that a fault has struck may not have been stored.
    struck = {each.number for each in record.invoked if each.is_struck}
    answered = {each.client_order_id for each in sent if each.is_answered and each.invocation not in struck}
    # An intent counts from its writing: a step may have died before it sent the order.
    asked = [(each.at, each.client_order_id) for each in sent]
    asked += [(each.at, each.client_order_id) for each in record.intents
              if each.client_order_id.startswith(prefix) and each.at <= step.ended]  # fmt: skip
    names = {name for _, name in asked}
    ids = {order.arrival.order_id for order in line.orders}
    is_hidden = any(each.order_id in ids and each.since <= step.ended for each in record.unfound)
    is_unanswered = any(at > step.ended - IN_DOUBT and name not in answered for at, name in asked)
    last = max((number_of(order.arrival.client_order_id) for order in line.orders if order.executed), default=0)
    used = sum(number_of(name) > last for name in names)
    most = Rules(line.run.settings).of(line.symbol).number("max_attempts")
    return is_hidden or is_unanswered or used >= most or len(names) >= MOST_ORDERS
