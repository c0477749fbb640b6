"""The first judge of time: when orders may leave and arrive, and how soon trouble must be over.

An order is judged by when it reached the broker. What the network held up is no fault of the program: such an
order must have left in time.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

from repeg_workbench.exchange.broker.ledger import OrderEvent
from repeg_workbench.faults.judges.deaths import CLOSING, DEAD, Deaths
from repeg_workbench.faults.judges.pauses import frozen_spans, held_up, later_by_outages
from repeg_workbench.faults.judges.placed import Parent
from repeg_workbench.faults.judges.record import (
    MINUTE,
    SECOND,
    DayRecord,
    Execution,
    Invoked,
    JudgedRun,
    SentOrder,
)
from repeg_workbench.faults.judges.rules import Rules
from repeg_workbench.faults.judges.verdict import Violation

REQUESTS_PER_MINUTE = 200
# Budgets below Step Functions' limits of 262,144 bytes and 25,000 events.
PAYLOAD_BYTES, HISTORY_EVENTS = 8_192, 20_000

# A request that leaves later than this before the window's end may arrive after it.
ANSWER = 5 * SECOND

# An order without an answer is settled after so long, and a step and a turn later its run has acted on it.
UNRESOLVED = 120 * SECOND
STEP = 60 * SECOND


class TimeJudge:
    """Judges times against the record of the network and of the platform."""

    def __init__(self, record: DayRecord) -> None:
        self.found: list[Violation] = []
        self._record = record
        self._deaths = Deaths(record)
        self._run_of_prefix = {run.prefix: run.run_id for run in record.runs}
        self._invoked = {invoked.number: invoked for invoked in record.invoked}
        self._sent: defaultdict[str, list[SentOrder]] = defaultdict(list)
        for sent in record.sent:
            self._sent[sent.client_order_id].append(sent)

    def judge(self, parents: Iterable[Parent]) -> None:
        """Judge every order, every execution and every request."""
        lines = list(parents)
        for parent in lines:
            for order in parent.orders:
                if not order.is_owners:
                    self._judge_arrival(order.arrival, parent.run)
        for execution in self._record.executions:
            of_run = [line for line in lines if line.run.run_id == execution.run_id]
            self.found += self._deaths.unswept(execution, of_run)
        self._judge_senders()
        self._judge_unanswered()
        self._judge_platform()

    def _judge_arrival(self, event: OrderEvent, run: JudgedRun) -> None:
        opens, closes = self._window(run)
        sent = self._request_of(event)
        left_in_time = sent is not None and opens <= sent.at <= closes - ANSWER
        is_inside = opens <= event.at < closes
        self._claim(is_inside or left_in_time, "outside_window", event.at, event.client_order_id)

    def _window(self, run: JudgedRun) -> tuple[int, int]:
        rules = Rules(run.settings)
        delay, margin = (int(rules[name]) * MINUTE for name in ("market_open_delay_minutes", "close_margin_minutes"))
        return self._record.session_open + delay - self._record.clock_ahead, self._record.session_close - margin

    def _request_of(self, event: OrderEvent) -> SentOrder | None:
        """The request that brought an order: the one that reached the broker at that instant, or the last before."""
        reached = [sent for sent in self._sent[event.client_order_id] if 0 <= sent.arrived <= event.at]
        return max(reached, key=lambda sent: sent.arrived, default=None)

    def _judge_senders(self) -> None:
        """No order leaves once its run is closing or its kill switch is set, nor is one sent by a closing step."""
        over = self._ended_runs()
        for sent in self._record.sent:
            invoked = self._invoked.get(sent.invocation)
            if invoked is None:
                continue
            name = sent.client_order_id
            self._claim(invoked.function not in CLOSING, "sent_while_closing", sent.at, name, invoked.function)
            ended = over.get(self._run_of(sent, invoked))
            self._claim(ended is None or sent.at <= ended, "after_close", sent.at, name)
            switched = self._switched_before(invoked.stack, sent.at)
            # What its sender was held up by in between it could not know.
            held = 0 if switched is None else held_up(self._record, sent.invocation, sent.thread, switched, sent.at)
            self._claim(switched is None or sent.at - switched - held <= SECOND, "after_kill", sent.at, name)

    def _ended_runs(self) -> dict[str, int]:
        """When each run was closed or swept: the earliest end of a closing step that answered. No execution opens a run
        again after that: OpenRun refuses one, or answers once more about the run that its execution has opened."""
        over: dict[str, int] = {}
        for invoked in self._record.invoked:
            if invoked.function in {"CloseRun", "SweepOrders"} and invoked.answered and invoked.run_id:
                over[invoked.run_id] = min(over.get(invoked.run_id, invoked.ended), invoked.ended)
        return over

    def _run_of(self, sent: SentOrder, invoked: Invoked) -> str:
        """The run that an order is of, by its id; that of the step that sent it if its id names none."""
        prefix = sent.client_order_id.partition(".")[0] + "."
        return self._run_of_prefix.get(prefix, invoked.run_id)

    def _switched_before(self, stack: int, at: int) -> int | None:
        """Since when new orders are halted at that time; None if they are not."""
        since: int | None = None
        for switched in self._record.switched:
            if switched.stack == stack and switched.at < at:
                since = None if switched.state == "active" else (switched.at if since is None else since)
        return since

    def _judge_unanswered(self) -> None:
        """An order whose request was not answered is looked for, sent again or closed within the published bound.

        Time for which the run was frozen does not count: nothing of it could look. A turn that a fault strikes may
        have asked without an answer, so that the next turn has to look.
        """
        news: defaultdict[str, list[int]] = defaultdict(list)
        for looked in self._record.looked:
            news[looked.client_order_id].append(looked.at)
        over = self._ended_runs()
        for sent in self._record.sent:
            invoked = self._invoked.get(sent.invocation)
            if sent.is_answered or invoked is None:
                continue
            run_id = self._run_of(sent, invoked)
            period, frozen = self._period(run_id), frozen_spans(self._record, run_id)
            due = later_by_outages(self._record, sent.at, UNRESOLVED + STEP + 2 * period, frozen)
            due = self._later_by_struck_turns(due, run_id, sent.at, period)
            for dead in self._record.executions:
                if dead.run_id == run_id and self._is_dead_at(dead, sent.at, due):
                    due = max(due, self._deaths.swept_by(dead) + UNRESOLVED)
            name = sent.client_order_id
            seen = [*news[name], *(again.at for again in self._sent[name] if again.at > sent.at)]
            is_settled = any(sent.at < at <= due for at in seen) or over.get(run_id, due + 1) <= due
            self._claim(is_settled or due > self._record.until, "unresolved", due, name)

    def _later_by_struck_turns(self, due: int, run_id: str, since: int, period: int) -> int:
        """A time limit, with another turn after each one up to then that a fault has struck and that ended anyway.

        A step that did not end is not such a turn: the state machine retries it at once.
        """
        for turn in self._record.invoked:
            is_struck = turn.function == "RepegOrders" and turn.is_struck and turn.answered
            if turn.run_id == run_id and is_struck and since <= turn.began <= due:
                due = max(due, turn.ended + period + STEP)
        return due

    def _is_dead_at(self, execution: Execution, since: int, until: int) -> bool:
        """Whether an execution died between these times, or long before them in silence: a step invoked by hand may
        still send, until the watchdog sweeps its run."""
        is_silent = execution.is_event_lost and not self._deaths.goes_on_after(execution, since + STEP)
        return execution.status in DEAD and execution.ended < until and (is_silent or since - STEP <= execution.ended)

    def _period(self, run_id: str) -> int:
        run = next((run for run in self._record.runs if run.run_id == run_id), None)
        return 0 if run is None else int(Rules(run.settings)["order_monitoring_seconds"]) * SECOND

    def _judge_platform(self) -> None:
        for stack, requests in self._record.requests.items():
            recent: deque[int] = deque()
            for at in sorted(requests):
                recent.append(at)
                while recent[0] <= at - MINUTE:
                    recent.popleft()
                is_within = len(recent) <= REQUESTS_PER_MINUTE
                self._claim(is_within, "too_many_requests", at, f"stack {stack}", str(len(recent)))
        for function, size in self._record.payloads:
            self._claim(size <= PAYLOAD_BYTES, "payload_too_large", 0, function, str(size))
        for execution in self._record.executions:
            self._claim(execution.events <= HISTORY_EVENTS, "history_too_long", 0, execution.name)

    def _claim(self, holds: bool, name: str, at: int, subject: str, observed: str = "") -> None:  # noqa: FBT001 - a claim
        if not holds:
            self.found.append(Violation(name, at, subject, observed))
