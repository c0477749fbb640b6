"""The first judge of endings: nothing left open, books and report equal to the broker's, every end for a reason."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from repeg_workbench.exchange.broker.ledger import CASH
from repeg_workbench.exchange.units import to_qty
from repeg_workbench.faults.judges import rules as law
from repeg_workbench.faults.judges.causes import CLOSING
from repeg_workbench.faults.judges.dust import is_dust
from repeg_workbench.faults.judges.evidence import Evidence
from repeg_workbench.faults.judges.interruptions import was_broken_off, was_ended_by_switch, was_switched_off
from repeg_workbench.faults.judges.placed import QTY, Parent, number_of
from repeg_workbench.faults.judges.record import (
    MINUTE,
    SECOND,
    BookedOrder,
    DayRecord,
    JudgedRun,
    RunBooks,
    ServedQuote,
)
from repeg_workbench.faults.judges.rules import MOST_ORDERS, Rules, book_of
from repeg_workbench.faults.judges.verdict import Violation

# The last orders of a window leave ten seconds before it ends, by a clock that may be a request's seven seconds ahead.
LAST_SEND = (10 + 7) * SECOND
# A slow answer may leave that clock behind; but no order leaves later than this before the end.
LEAVES_IN_TIME = 5 * SECOND

# The outcomes that a line may have before its window closes, beside those that the record must show. With any other it
# could still have traded. That a line is killed is judged by the switch, that it is filled by its executions.
ENDS_EARLY = frozenset({"filled", "killed"})

# The faults of a quote that each outcome may name; a missing quote leaves nothing in the record.
FAULTS_OF = {
    "held_wide": {"wide"}, "held_thin": {"thin"}, "halted": {"stale"},
    "held_stale": {"stale", "one_sided", "crossed", "locked"},
}  # fmt: skip


class EndingJudge:
    """Judges each run's end, once the day is over."""

    def __init__(self, record: DayRecord) -> None:
        self.found: list[Violation] = []
        self._record, self._evidence = record, Evidence(record)
        self._invoked = {invoked.number: invoked for invoked in record.invoked}

    def judge(self, parents: Iterable[Parent]) -> None:
        """Judge every run, with the lines that it has sent orders for."""
        lines = {(parent.run.run_id, parent.symbol): parent for parent in parents}
        books = {each.run_id: each for each in self._record.books}
        for parent in lines.values():
            left = [o.arrival.client_order_id for o in parent.orders if o.is_open and not o.is_owners]
            self._claim(not left, "left_open", parent.symbol, ", ".join(left))
            self._claim(parent.run.run_id in books, "orders_without_run", parent.run.run_id)
        for run in self._record.runs:
            if run.run_id in books:
                self._judge_run(run, books[run.run_id], {s: p for (name, s), p in lines.items() if name == run.run_id})

    def _judge_run(self, run: JudgedRun, books: RunBooks, lines: dict[str, Parent]) -> None:
        self._claim(books.reported is not None, "no_report", run.run_id)
        self._claim(len(set(books.published)) == 1, "not_published_once", run.run_id, str(books.published))
        ours = {order.arrival.order_id for parent in lines.values() for order in parent.orders}
        fills = [fill for fill in self._record.ledger.executions if fill.order_id in ours]
        never_shown = self._never_shown(books, lines)
        executed = sorted((f.symbol, f.quantity, f.price) for f in fills if f.order_id not in never_shown)
        self._claim(executed == sorted(books.executions), "books_differ", run.run_id,
                    f"ledger {executed} books {sorted(books.executions)}")  # fmt: skip
        owed = -sum(p.amount for e in self._record.ledger.entries for p in e.postings if p.account == CASH)
        is_alerted = run.run_id in self._record.loans or not Rules(run.settings).may_borrow
        self._claim(is_alerted or not executed or owed <= 0, "loan_not_alerted", run.run_id, str(owed))
        for order in books.orders:
            parent = lines.get(order.symbol)
            self._judge_line(run, books, order, self._known(order, parent, never_shown))
            self._judge_reason(run, order, parent)

    def _never_shown(self, books: RunBooks, lines: dict[str, Parent]) -> set[str]:
        """The orders of lines with the outcome `unknown` that the broker has shown in no answer of the whole day: the
        books cannot have their fills."""
        unknown = {order.symbol for order in books.orders if order.outcome == "unknown"}
        orders = [order.arrival for symbol in unknown & lines.keys() for order in lines[symbol].orders]
        shown = {looked.client_order_id for looked in self._record.looked if looked.is_found}
        answered = {sent.client_order_id for sent in self._record.sent if sent.is_answered}
        return {each.order_id for each in orders if each.client_order_id not in shown | answered}

    def _known(self, order: BookedOrder, parent: Parent | None, never_shown: set[str]) -> tuple[int, int]:
        """The least and the most that a line may have booked: what it executed, but for orders that were never shown.

        Of a line with the outcome `unknown`, an order that the broker does not find at the end of the day may have
        executed more than any answer showed.
        """
        placed = [] if parent is None else [o for o in parent.orders if o.arrival.order_id not in never_shown]
        most = sum(each.executed for each in placed)
        lost = {each.order_id for each in self._record.unfound if each.until < 0 and order.outcome == "unknown"}
        return most - sum(each.executed for each in placed if each.arrival.order_id in lost), most

    def _judge_line(self, run: JudgedRun, books: RunBooks, order: BookedOrder, known: tuple[int, int]) -> None:
        subject, (least, executed) = f"{run.run_id} {order.symbol}", known
        self._claim(bool(order.outcome), "no_outcome", subject)
        self._claim(least <= order.filled <= executed, "filled_differs", subject,
                    f"{order.filled * QTY} not {executed * QTY}")  # fmt: skip
        if books.reported is not None:
            said = books.reported.get(order.symbol)
            self._claim(said is not None and least <= said <= executed, "report_differs", subject, f"{said}")
        _, most = run.targets.get(order.symbol, (0, Decimal(0)))
        if order.outcome == "no_trade" or least < executed or not most:
            return  # a weight without a fresh price is not sized
        is_full = executed >= to_qty(most)
        is_as_said = is_full == (order.outcome == "filled") or self._is_dust_left(run, order.symbol, executed, most)
        self._claim(is_as_said, "outcome_untrue", subject, order.outcome)

    def _is_dust_left(self, run: JudgedRun, symbol: str, executed: int, most: Decimal) -> bool:
        """Whether a line was so nearly filled that the broker takes no order for the rest, on a quote of a step that
        had not ended by the line's last execution."""
        line = f"{run.prefix}{symbol}."
        last = max((e.at for e in self._record.ledger.executions if e.client_order_id.startswith(line)), default=0)
        steps = {i.number for i in self._record.invoked if i.run_id == run.run_id and not 0 <= i.ended < last}
        served = (*self._record.quotes, *self._record.streams.quotes)
        quotes = (quote for quote in served if quote.symbol == symbol and quote.invocation in steps)
        return executed > 0 and is_dust(to_qty(most) - executed, quotes)

    def _judge_reason(self, run: JudgedRun, order: BookedOrder, parent: Parent | None) -> None:
        """A line that could still trade is not given up, and the outcome names what kept it from trading."""
        subject, outcome = f"{run.run_id} {order.symbol}", order.outcome
        if outcome == "killed":
            is_followed = parent is not None and any(each.is_owners for each in parent.orders)
            until = self._ended_at(run)
            is_off = was_ended_by_switch(self._record, run, self._closed_at(run), until)
            # What its owner has moved ends with that order, in whatever turn.
            is_off = is_off or (is_followed and was_switched_off(self._record, run, until))
            self._claim(is_off, "killed_without_switch", subject)
        if self._was_cut_off(run) or not run.targets.get(order.symbol, (0, Decimal(0)))[1]:
            return
        rules = Rules(run.settings).of(order.symbol)
        closed = self._closed_at(run)
        closes = self._closes(rules)
        period = int(rules["order_monitoring_seconds"]) * SECOND
        is_early = closed is not None and closed < closes - LAST_SEND - period
        is_early = is_early and not self._has_used_its_attempts(run, order.symbol, rules, parent)
        line = Parent(run, order.symbol) if parent is None else parent
        may_end = outcome in ENDS_EARLY or (is_early and self._evidence.ends(outcome, line, closed or 0))
        self._claim(not is_early or may_end, "given_up", subject, f"{outcome}: {order.reason}")
        self._judge_hold(run, order, rules)

    def _has_used_its_attempts(self, run: JudgedRun, symbol: str, rules: Rules, parent: Parent | None) -> bool:
        """Whether as many orders were requested, arrived or not, as a line may have in all or after its last fill."""
        ids = {sent.client_order_id for sent in self._record.sent}
        sent = [number_of(name) for name in ids if name.startswith(f"{run.prefix}{symbol}.")]
        placed = [] if parent is None else parent.orders
        last = max((number_of(order.arrival.client_order_id) for order in placed if order.executed), default=0)
        unfilled = sum(n > last for n in sent)
        return unfilled >= rules.number("max_attempts") or len(sent) >= MOST_ORDERS

    def _judge_hold(self, run: JudgedRun, order: BookedOrder, rules: Rules) -> None:
        named = FAULTS_OF.get(order.outcome)
        looks = self._last_looks(run, order.symbol, self._closes(rules))
        if named is None or not looks:
            return
        if order.outcome == "held_stale" and run.is_sized_by_price(order.symbol):
            return  # also what a line is that could not be sized, or whose price is far from the one it was sized at
        found = {law.fault_of(book_of(q, order.side, q.at), rules, self._record.allowance) for q in looks}
        found |= {law.fault_of(book_of(q, order.side, q.at), rules, -self._record.allowance) for q in looks}
        self._claim(bool(found & named), "not_held_by_its_book", f"{run.run_id} {order.symbol}",
                    f"{order.outcome} but {sorted(found)}")  # fmt: skip
        if order.outcome == "halted":
            oldest = max(q.at - (q.stamp or 0) for q in looks)
            self._claim(oldest >= 5 * MINUTE - SECOND, "not_held_by_its_book", f"{run.run_id} {order.symbol}", "halted")

    def _last_looks(self, run: JudgedRun, symbol: str, closes: int) -> list[ServedQuote]:
        """The last quotes on which the run could have held a line; none if a fault struck one of these looks.

        ValidateQuotes holds at any time, other steps only while an order may leave. A step that closes the run reads
        quotes for its report. Of the quotes that a step hears, any of its last turn may have been looked at.
        """
        served = [
            (quote, self._invoked[quote.invocation])
            for quote in self._record.quotes
            if quote.symbol == symbol and quote.invocation in self._invoked
        ]
        mine = [(q, step) for q, step in served if step.run_id == run.run_id and step.function not in CLOSING]
        looks = [
            (q, step)
            for margin in (LAST_SEND, LEAVES_IN_TIME)
            for q, step in [x for x in mine if x[1].function == "ValidateQuotes" or x[0].at <= closes - margin][-3:]
        ]
        turn = int(Rules(run.settings)["order_monitoring_seconds"]) * SECOND
        looks += [
            (q, self._invoked[q.invocation])
            for q in self._record.streams.quotes
            if q.symbol == symbol and self._invoked[q.invocation].run_id == run.run_id
            and closes - LAST_SEND - turn <= q.at <= closes - LEAVES_IN_TIME
        ]  # fmt: skip
        since = min((step.began for _, step in looks), default=0)
        later = (i for i in self._record.invoked if i.run_id == run.run_id and i.began >= since)
        return [] if any(invoked.is_struck for invoked in later) else [quote for quote, _ in looks]

    def _closes(self, rules: Rules) -> int:
        """When the window of a run with these rules closes."""
        return self._record.session_close - int(rules["close_margin_minutes"]) * MINUTE

    def _closed_at(self, run: JudgedRun) -> int | None:
        """When the run's closing step began, as the platform saw it; None if it never did."""
        begun = [i.began for i in self._record.invoked if i.function == "CloseRun" and i.run_id == run.run_id]
        return min(begun, default=None)

    def _ended_at(self, run: JudgedRun) -> int:
        """When the run's end was first published as settled. One that failed may have been published before the broker
        could be read: a later pass gives its orders their outcomes, and reads the switch."""
        ends = [each.at for each in self._record.published if each.run_id == run.run_id and not each.is_failure]
        return min(ends, default=self._record.until)

    def _was_cut_off(self, run: JudgedRun) -> bool:
        """Whether something other than the run's own execution ended it before its window closed."""
        closes, closed = self._closes(Rules(run.settings)), self._closed_at(run)
        closed = closes if closed is None else min(closed, closes)
        is_off = was_ended_by_switch(self._record, run, closed, closed)
        return is_off or was_broken_off(self._record, run, closed, closes)

    def _claim(self, holds: bool, name: str, subject: str, observed: str = "") -> None:  # noqa: FBT001 - a claim
        if not holds:
            self.found.append(Violation(name, 0, subject, observed))
