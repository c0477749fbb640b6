"""The first judge of liveness: what could trade is traded, cancel_all closes every order, and each end is published.

Each has a time limit, which outages prolong and which a fault in between may prolong to the watchdog's next passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest

from repeg_workbench.exchange.units import to_qty
from repeg_workbench.faults.judges import rules as law
from repeg_workbench.faults.judges.dust import is_dust
from repeg_workbench.faults.judges.evidence import Evidence
from repeg_workbench.faults.judges.funds import is_rich
from repeg_workbench.faults.judges.interruptions import is_switched_off
from repeg_workbench.faults.judges.placed import Parent, Placed, due_once_found
from repeg_workbench.faults.judges.record import MINUTE, SECOND, DayRecord, Invoked, JudgedRun, ServedQuote
from repeg_workbench.faults.judges.rules import Rules, book_of
from repeg_workbench.faults.judges.stalls import UNREAD, left_at
from repeg_workbench.faults.judges.verdict import Violation

# A line that nothing keeps from trading is sent within two turns and this long.
IDLE = 30 * SECOND
# An order in flight, or one that has just ended, may keep its line waiting so long.
SETTLING = 200 * SECOND
# A line whose order was refused is sent again within this time, at the latest.
RETRIED = 10 * MINUTE
# The outcomes that follow from refusals only where they came often enough.
AFTER_REFUSALS = frozenset({"rejected", "unfunded"})
# From the switch to the last confirmed cancel, beside two turns: a step, and a cancel that is stuck for a minute and
# a half. After a fault, and from a run's end to its event, two passes of the watchdog.
CANCELLED, WATCHED = 210 * SECOND, 12 * MINUTE
PUBLISHED = 5 * MINUTE
# From the broker's closing of a run's last order until a sweep, which looks again after a minute, has seen it.
CONFIRMED = 2 * MINUTE

LIMITS = ("max_run_notional", "max_day_notional", "max_order_notional", "max_run_orders")


class LivenessJudge:
    """Judges what should have happened and did not."""

    def __init__(self, record: DayRecord) -> None:
        self.found: list[Violation] = []
        self._record, self._evidence = record, Evidence(record)
        self._served: dict[tuple[int, str], list[ServedQuote]] = {}
        for quote in record.quotes:
            self._served.setdefault((quote.invocation, quote.symbol), []).append(quote)

    def judge(self, parents: Iterable[Parent]) -> None:
        """Judge every run and line."""
        lines = {(parent.run.run_id, parent.symbol): parent for parent in parents}
        for run in self._record.runs:
            invoked = [each for each in self._record.invoked if each.run_id == run.run_id]
            orders = [o for (name, _), p in lines.items() if name == run.run_id for o in p.orders if not o.is_owners]
            self._judge_cancel_all(run, orders, invoked)
            self._judge_published(run, orders, invoked)
            for symbol in run.targets if self._is_undisturbed(run) else ():
                parent = lines.get((run.run_id, symbol)) or Parent(run, symbol)
                if self._could_trade_all_day(run, parent):
                    self._judge_idle(run, parent, invoked)
                    self._judge_left(run, parent)

    def _is_undisturbed(self, run: JudgedRun) -> bool:
        """Whether nothing but its quotes, its cash and the kill switch can keep the run's lines from trading."""
        rules = Rules(run.settings)
        return not rules["symbols"] and all(rules[name] is None for name in LIMITS)

    def _could_trade_all_day(self, run: JudgedRun, parent: Parent) -> bool:
        """Whether a line ended as one that could have gone on, with money or shares and without refusals in a row."""
        books = next((each for each in self._record.books if each.run_id == run.run_id), None)
        line = None if books is None else next((o for o in books.orders if o.symbol == parent.symbol), None)
        if line is None:
            return False
        shows = self._evidence.ends if line.outcome in AFTER_REFUSALS else self._evidence.shows
        if shows(line.outcome, parent, self._record.until):
            return False
        ours = {order.arrival.order_id for order in parent.orders}
        others = [e for e in self._record.ledger.executions if e.symbol == parent.symbol and e.order_id not in ours]
        is_followed = any(order.is_owners for order in parent.orders)
        return not others and not is_followed and (line.side < 0 or is_rich(self._record, self._record.until))

    def _judge_idle(self, run: JudgedRun, parent: Parent, invoked: Sequence[Invoked]) -> None:
        """A line is idle if step after step could have sent an order for it; or if its quote is accepted again and
        again, and no step follows that places orders."""
        waiting_since: dict[str, int] = {}
        is_arrival_lost = False  # without its arrival price in the store a line is not sent
        placing_until = 0
        for step in (each for each in invoked if each.function in {"ValidateQuotes", "PlaceOrders"}):
            if step.function == "PlaceOrders":
                waiting_since.pop("ValidateQuotes", None)
                placing_until = max(placing_until, step.ended)
            else:
                is_arrival_lost = step.is_struck
                if step.is_duplicate or step.began < placing_until:
                    continue  # nothing follows it
            if is_arrival_lost or not self._could_send(step, parent):
                waiting_since.pop(step.function, None)
            elif step.function not in waiting_since:
                waiting_since[step.function] = step.began
            elif step.ended - waiting_since[step.function] >= IDLE:
                self._claim(False, "idle", step.ended, f"{run.run_id} {parent.symbol}")  # noqa: FBT003 - it failed
                return

    def _judge_left(self, run: JudgedRun, parent: Parent) -> None:
        """A line is idle as well if turn after turn looks at orders, and none is followed by a check of its quote."""
        if run.is_sized_by_price(parent.symbol) and not parent.orders:
            return  # it may never have been sized
        quotes = [quote for quote in self._record.quotes if quote.symbol == parent.symbol]
        at = left_at(self._record, parent, lambda step: self._has_none(step, parent, quotes))
        self._claim(at < 0, "idle", at, f"{run.run_id} {parent.symbol}", "no check of its quote")

    def _could_send(self, step: Invoked, parent: Parent) -> bool:
        """Whether a step had all it takes to send an order for a line, or to have one sent, and none was."""
        sign, _ = parent.run.targets[parent.symbol]
        quotes = self._served.get((step.number, parent.symbol), [])
        if not self._has_none(step, parent, quotes):
            return False
        rules, slack = Rules(parent.run.settings).of(parent.symbol), -self._record.allowance
        books = [book_of(q, sign, at) for q in quotes for at in (q.at, step.ended)]
        return bool(books) and not any(law.fault_of(book, rules, slack) for book in books)

    def _has_none(self, step: Invoked, parent: Parent, quotes: Sequence[ServedQuote]) -> bool:
        """Whether a line that may trade had no order, and none in flight, when a step ended as usual."""
        _, most = parent.run.targets[parent.symbol]
        rules = Rules(parent.run.settings).of(parent.symbol)
        closes = self._record.session_close - int(rules["close_margin_minutes"]) * MINUTE
        if step.is_struck or not step.answered or step.ended > closes - MINUTE:
            return False
        unread = int(rules["order_monitoring_seconds"]) * SECOND + UNREAD
        if is_switched_off(self._record, parent.run.stack, step.began - unread, step.ended):
            return False
        if any(o.arrival.at <= step.ended and (o.ended < 0 or o.ended > step.ended - SETTLING) for o in parent.orders):
            return False
        arrived = {order.arrival.client_order_id for order in parent.orders}
        for sent in (s for s in self._record.sent if s.at <= step.ended and _is_of(s.client_order_id, parent)):
            is_refused = sent.is_answered and sent.client_order_id not in arrived
            if sent.at > step.ended - SETTLING - (RETRIED if is_refused else 0):
                return False
        ours = {order.arrival.order_id for order in parent.orders}
        done = sum(e.quantity for e in self._record.ledger.executions if e.order_id in ours and e.at <= step.ended)
        return done < to_qty(most) and not is_dust(to_qty(most) - done, quotes)

    def _judge_cancel_all(self, run: JudgedRun, orders: Sequence[Placed], invoked: Sequence[Invoked]) -> None:
        period = int(Rules(run.settings)["order_monitoring_seconds"]) * SECOND
        of_stack = [switched for switched in self._record.switched if switched.stack == run.stack]
        for switched, following in zip_longest(of_stack, of_stack[1:]):
            # One that is set anew before a turn of the run has read it has not been there for the run.
            is_lifted = following is not None and following.at < switched.at + period + UNREAD
            if switched.state != "cancel_all" or (is_lifted and following.state != "cancel_all"):
                continue
            lifted = self._record.until if following is None else following.at
            for order in (order for order in orders if order.arrival.at <= lifted):
                # One that was on its way at the switch counts from its arrival.
                since = max(switched.at, order.arrival.at)
                within = WATCHED if self._is_unknown_dead(run, since) else CANCELLED + 2 * period
                due = due_once_found(self._record, [order], since, self._due(since, within, invoked), WATCHED)
                was_open = order.ended < 0 or order.ended > since
                is_late = was_open and (order.ended < 0 or order.ended > due) and due < self._record.until
                self._claim(not is_late, "not_cancelled", due, order.arrival.client_order_id)

    def _is_unknown_dead(self, run: JudgedRun, at: int) -> bool:
        """Whether no execution of a run lived at that time, and the event of an end was lost: the watchdog is left."""
        ended = [e for e in self._record.executions if e.run_id == run.run_id and e.began <= at]
        return all(0 <= e.ended <= at for e in ended) and any(e.is_event_lost for e in ended)

    def _judge_published(self, run: JudgedRun, orders: Sequence[Placed], invoked: Sequence[Invoked]) -> None:
        """The end of a run that has sent an order is published soon after its last execution's end, or after the broker
        has closed its orders and shows what became of them."""
        ends = [e.ended for e in self._record.executions if e.run_id == run.run_id]
        has_sent = any(sent.client_order_id.startswith(run.prefix) for sent in self._record.sent)
        if not ends or -1 in ends or not has_sent:
            return
        is_dead = any(e.status != "SUCCEEDED" for e in self._record.executions if e.run_id == run.run_id)
        due = self._due(max(ends), WATCHED if is_dead else PUBLISHED, invoked)
        due = due_once_found(self._record, orders, max(ends), due, WATCHED)
        if is_dead:
            due = max(due, self._due(self._last_life(run, invoked), WATCHED, invoked))
        due = max(due, max((order.ended for order in orders if order.ended <= due), default=0) + CONFIRMED)
        times = [published.at for published in self._record.published if published.run_id == run.run_id]
        is_in_time = min(times, default=due + 1) <= due or due >= self._record.until
        self._claim(is_in_time, "published_late", due, run.run_id)

    def _last_life(self, run: JudgedRun, invoked: Sequence[Invoked]) -> int:
        """When the last step ended that was under way as a run's execution ended, if the event of that was lost.

        The watchdog sees no silence before: stopping an execution stops no function.
        """
        dead = [e for e in self._record.executions if e.run_id == run.run_id and e.is_event_lost]
        return max((max(i.began, i.ended) for e in dead for i in invoked if i.began <= e.ended), default=0)

    def _due(self, since: int, within: int, invoked: Sequence[Invoked]) -> int:
        """A time limit, later by the outages in it; a step in it that a fault strikes leaves it to the watchdog."""
        due = since + within
        for outage in sorted(self._record.outages, key=lambda each: each.since):
            if outage.since < due and outage.until > since:
                due += outage.until - max(outage.since, since) + 5 * MINUTE
        for step in self._record.invoked:
            is_involved = step.function in {"WatchRuns", "SweepOrders"} or step in invoked
            if is_involved and step.is_struck and step.ended >= since - MINUTE and step.began <= due:
                due = max(due, step.ended + WATCHED)
        return due

    def _claim(self, holds: bool, name: str, at: int, subject: str, observed: str = "") -> None:  # noqa: FBT001 - a claim
        if not holds:
            self.found.append(Violation(name, at, subject, observed))


def _is_of(client_order_id: str, parent: Parent) -> bool:
    return client_order_id.startswith(f"{parent.run.prefix}{parent.symbol}.")
