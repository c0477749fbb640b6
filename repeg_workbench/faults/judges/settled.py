"""The first judge of what a run says once it is over: each line named, no order open, and no outcome that cannot be."""

from __future__ import annotations

from collections.abc import Iterable

from repeg_workbench.faults.judges.evidence import Evidence
from repeg_workbench.faults.judges.placed import HELD_UP, Parent
from repeg_workbench.faults.judges.record import DayRecord, JudgedRun, RunBooks
from repeg_workbench.faults.judges.refusals import symbols_of
from repeg_workbench.faults.judges.verdict import Violation

# The outcomes of a line that was never sent, and those that name another hand.
UNTRADED = frozenset({"no_trade", "not_sized", "preview"})
BY_ANOTHER_HAND = frozenset({"ended_by_owner", "ended_by_unknown_hand"})


class SettledJudge:
    """Judges the books, the report and the published end of each run against its plan and its orders."""

    def __init__(self, record: DayRecord) -> None:
        self.found: list[Violation] = []
        self._record, self._evidence = record, Evidence(record)
        self._hidden = {unfound.order_id: unfound.since for unfound in reversed(record.unfound)}
        self._late = {s.client_order_id for s in record.sent if s.at + HELD_UP < s.arrived}

    def judge(self, parents: Iterable[Parent]) -> None:
        """Judge every run that has books, with the lines that it has sent orders for."""
        lines = list(parents)
        runs = {run.run_id: run for run in self._record.runs}
        for books in (each for each in self._record.books if each.run_id in runs):
            ours = {line.symbol: line for line in lines if line.run.run_id == books.run_id}
            self._judge_lines(runs[books.run_id], books, has_sent=bool(ours))
            self._judge_open(books.run_id, ours.values())
            self._judge_unknown(books)
            self._judge_words(books, ours)

    def _judge_lines(self, run: JudgedRun, books: RunBooks, *, has_sent: bool) -> None:
        """Every line of a plan that was sized is in the books and in the report."""
        planned = (i for i in self._record.invoked if i.run_id == run.run_id and i.function == "PlanOrders")
        if not has_sent and not any(step.answered and not step.is_duplicate for step in planned):
            return
        symbols, booked = symbols_of(run), {order.symbol for order in books.orders}
        self._claim(symbols <= booked, "no_outcome", run.run_id, str(sorted(symbols - booked)))
        reported = symbols if books.reported is None else set(books.reported)
        self._claim(symbols <= reported, "report_differs", run.run_id, str(sorted(symbols - reported)))

    def _judge_open(self, run_id: str, lines: Iterable[Parent]) -> None:
        """A run that is published as settled has no order open, as far as the broker has shown it."""
        at = min((p.at for p in self._record.published if p.run_id == run_id and not p.is_failure), default=-1)
        for order in (order for line in lines for order in line.orders if not order.is_owners):
            name, is_open = (
                order.arrival.client_order_id,
                order.arrival.at <= at and (order.is_open or order.ended > at),
            )
            is_hidden = name in self._late or self._hidden.get(order.arrival.order_id, at + 1) <= at
            self._claim(not is_open or is_hidden, "settled_open", name)

    def _judge_unknown(self, books: RunBooks) -> None:
        """A run with an order whose outcome is unknown was published as failed, or an execution of it has failed."""
        ends = [execution.status for execution in self._record.executions if execution.run_id == books.run_id]
        has_failed = any(each.is_failure for each in self._record.published if each.run_id == books.run_id)
        unknown = [order.symbol for order in books.orders if order.outcome == "unknown"]
        is_failed = has_failed or any(status != "SUCCEEDED" for status in ends)
        self._claim(is_failed or not unknown, "unknown_settled", books.run_id, str(unknown))

    def _judge_words(self, books: RunBooks, lines: dict[str, Parent]) -> None:
        """A line that had an order was traded, and one that another hand has ended was touched by one."""
        for order in books.orders:
            subject, line = f"{books.run_id} {order.symbol}", lines.get(order.symbol)
            self._claim(line is None or order.outcome not in UNTRADED, "outcome_untrue", subject, order.outcome)
            is_touched = line is not None and self._evidence.shows(order.outcome, line, self._record.until)
            is_claimed = order.outcome in BY_ANOTHER_HAND
            self._claim(not is_claimed or is_touched, "outcome_untrue", subject, order.outcome)

    def _claim(self, holds: bool, name: str, subject: str, observed: str = "") -> None:  # noqa: FBT001 - a claim
        if not holds:
            self.found.append(Violation(name, 0, subject, observed))
