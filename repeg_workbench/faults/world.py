"""One seed's world: the simulated broker, the deployed stacks on its account, and every injected fault."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

from repeg.adapters.dynamodb.store import DynamoStore
from repeg.domain.order_ids import OWN_PREFIX
from repeg_workbench.engine.scheduler import Scheduler, nanoseconds
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.messages import Request
from repeg_workbench.faults.fault_plan import FaultPlan, WorkflowFault
from repeg_workbench.faults.faulty_streams import StreamFaults
from repeg_workbench.faults.function_service import Variables, history_of
from repeg_workbench.faults.judges.judgement import judge
from repeg_workbench.faults.judges.record import MINUTE, SECOND, DayRecord
from repeg_workbench.faults.judges.verdict import Violation
from repeg_workbench.faults.other_hands import OtherHands
from repeg_workbench.faults.planned_runs import PlannedRun
from repeg_workbench.faults.recorder import Recorder
from repeg_workbench.faults.records import MemoryJournal, Result, defects
from repeg_workbench.faults.sdk_broker import SdkBroker, uses_sdk
from repeg_workbench.faults.seeded_days import Day, make_day, window_of
from repeg_workbench.faults.stack import Stack
from repeg_workbench.faults.stream_recorder import StreamRecorder
from repeg_workbench.faults.table_service import table_rules, uses_dynamodb
from repeg_workbench.faults.walker import Execution
from repeg_workbench.faults.workflow_faults import Outage, WorkflowFaults
from repeg_workbench.twins.direct_broker import DirectBroker
from repeg_workbench.twins.memory_store import MemoryStore
from repeg_workbench.twins.stream_twin import StreamTwin

# Faults end soon after the session. The watchdog then has half an hour to put everything right: the broker's
# books are final twenty minutes after the close.
LAST_FAULT = timedelta(minutes=5)
LENGTH_AFTER_CLOSE = timedelta(minutes=40)


class World:
    """The world of one seed. `run` runs its day, of which both judges then read the record.

    The first stack starts the seed's own plan; most of the workflow faults strike there.
    """

    def __init__(
        self,
        seed: int,
        *,
        quiet: bool = False,
        day: Day | None = None,
        scheduler: Scheduler | None = None,
        without: frozenset[str] = frozenset(),
    ) -> None:
        self.day: Day = day or make_day(seed, without)
        if "race" in without:
            self.day = replace(self.day, races=())
        if "transport" in without:
            self.day = replace(self.day, chaos=0)
        self.scheduler = scheduler or Scheduler(self.day.start)
        self.exchange = Exchange(
            self.day.market, lambda: self.scheduler.now_ns, self.day.quirks, self.day.opening, seed, self.day.fill_model
        )
        self.streams = StreamTwin(self.exchange, self.scheduler)
        self.broker = (
            SdkBroker(self.exchange, wait=self.scheduler.sleep) if uses_sdk(seed) else DirectBroker(self.exchange)
        )
        self.session, self.window = window_of(self.day)
        last = self.session.close + LAST_FAULT
        self.fault_plan = FaultPlan(self.day, self.window.closes, last, quiet=quiet, without=without)
        for circumstance in self.day.circumstances:
            self.fault_plan.count(circumstance)
        sessions = nanoseconds(self.session.open), nanoseconds(self.session.close)
        self.record = DayRecord(
            self.day.day, *sessions, self.exchange.ledger, multiplier=self.day.opening.multiplier
        )  # fmt: skip
        self.exchange.skew_clock(self.day.broker_clock)
        self.record.allowance += round(abs(self.day.broker_clock) * SECOND)
        self.record.clock_ahead = max(0, round(self.day.broker_clock * SECOND))
        self.recorder = Recorder(self.record, self.exchange, self.scheduler)
        self.stream_recorder = StreamRecorder(self.record.streams, self.exchange, self.recorder.number)
        self.stream_faults = StreamFaults(self)
        self.fault_plan.on_strike.append(self.recorder.struck)
        self.journal, self.raised = MemoryJournal(), list[Exception]()
        self.down: set[Outage] = set()
        self.variables = Variables()
        self.stacks = [Stack(self, number, settings) for number, settings in enumerate(self.day.stacks)]
        self.record.runs = list(dict.fromkeys(self.stacks[run.stack].add_run(run) for run in self.day.runs))
        self.workflow_faults = WorkflowFaults(self)
        self.other_hands = OtherHands(self, without)
        if WorkflowFault.EARLY_WAKE in self.fault_plan.workflow_faults:
            for stack in self.stacks:
                stack.walker.wakes_early = self.workflow_faults.wait_shortfall
        self._foreign_order()

    @property
    def stack(self) -> Stack:
        """The stack of the seed's own plan."""
        return self.stacks[0]

    @property
    def store(self) -> MemoryStore | DynamoStore:
        """The first stack's table."""
        return self.stack.store

    @property
    def run_id(self) -> str:
        """The id of the run of the seed's own plan."""
        return next(iter(self.stack.runs))

    @property
    def given(self) -> dict[str, Any]:
        """The input with which the schedule starts the seed's own plan."""
        return self.stack.given(self.day.runs[0])

    @property
    def executions(self) -> list[Execution]:
        """Every execution, those of the first stack first."""
        return [execution for stack in self.stacks for execution in stack.executions]

    def judged(self, *, is_over: bool = False) -> list[Violation]:
        """What both judges find so far; once the day is over, in the books as well."""
        self.record.until, self.record.is_over = self.scheduler.now_ns, is_over
        if is_over:
            self.record.dearest = {symbol: self._dearest(symbol) for symbol in self.day.market.symbols()}
            for stack in self.stacks:
                stack.close_books()
        return judge(self.record)

    def _dearest(self, symbol: str) -> int:
        """A symbol's highest price of the day, in price units."""
        day = self.exchange.venue.day(symbol)
        last = self.exchange.price(symbol)
        if day is None:
            return last
        return int(max(last, day.quotes.ask.max(initial=0), day.trades.price.max(initial=0)))

    def run(self) -> Result:
        """Start the runs as their schedules would, run the day, and check its end against the ledger."""
        rules = table_rules(self.scheduler) if uses_dynamodb(self.day.seed) else nullcontext()
        with rules, history_of(self.day.turns_per_execution), self.variables.kept():
            return self._run()

    def _run(self) -> Result:
        late = self.workflow_faults.start_delay()
        self.workflow_faults.arm_broker()
        for number, planned in enumerate(self.day.runs):
            self.scheduler.spawn_apart(self._starter(number, planned, late))
        self.workflow_faults.schedule(self.given)
        self.other_hands.schedule()
        for stack in self.stacks:
            self.scheduler.spawn_apart(self._watcher(stack))
        self.scheduler.run(until=max(self.session.close, self.day.start + late) + LENGTH_AFTER_CLOSE)
        self.exchange.advance()
        self.workflow_faults.count_races()
        violations = self.judged(is_over=True)
        self.scheduler.close()
        return self._result(violations)

    def _starter(self, number: int, planned: PlannedRun, late: timedelta) -> Any:
        stack, name = self.stacks[planned.stack], "run" if number == 0 else f"run {number + 1}"
        delay = late + timedelta(seconds=planned.after)

        def start() -> None:
            self.scheduler.sleep(delay.total_seconds())
            stack.start(name, stack.given(planned))

        return start

    def _watcher(self, stack: Stack) -> Any:
        until = self.session.close + LENGTH_AFTER_CLOSE - timedelta(minutes=6)
        return lambda: stack.watch(lambda: self.scheduler.now() < until)

    def _foreign_order(self) -> None:
        """Place an order of the account's owner, far from the market. It must remain untouched."""
        symbol = self.day.market.symbols()[0]
        body = {
            "symbol": symbol, "side": "buy", "qty": "1", "type": "limit", "limit_price": "0.01", "time_in_force": "gtc",
        }  # fmt: skip
        # Refused where the account has no cash: then there is no such order.
        self.exchange.handle(Request("POST", "/v2/orders", [], dict(self.broker.headers), json.dumps(body).encode()))

    def _result(self, violations: Sequence[Violation]) -> Result:
        ours = [e for e in self.exchange.ledger.executions if e.client_order_id.startswith(OWN_PREFIX)]
        return Result(
            seed=self.day.seed,
            violations=[str(violation) for violation in violations],
            statuses=[execution.status for execution in self.executions],
            path=self.stack.executions[0].path,
            orders=len({e.order_id for e in self.exchange.ledger.events if e.client_order_id.startswith(OWN_PREFIX)}),
            fills=len(ours),
            injected=dict(self.fault_plan.injected),
            calls=self.fault_plan.calls,
            journal=self.journal.entries,
            outcomes=self._outcomes(self.stacks),
            causes=[execution.error for execution in self.executions],
            policy=self.day.settings["policy"],
            acts=self._acts(),
            defects=defects(self.raised),
            announced=tuple((each.run_id, each.at // MINUTE) for each in self.record.published),
        )

    def _acts(self) -> str:
        done = [(e.client_order_id, e.event, str(e.status), e.quantity, e.filled, e.limit) for e in
                self.exchange.ledger.events if e.client_order_id.startswith(OWN_PREFIX)]  # fmt: skip
        ends = [(execution.status, execution.error) for execution in self.executions]
        published = [[kind for kind, _ in stack.notifier.published] for stack in self.stacks]
        return sha256(repr((done, ends, self._outcomes(self.stacks), published)).encode()).hexdigest()

    def _outcomes(self, stacks: Sequence[Stack]) -> list[str]:
        return [str(order.outcome) for stack in stacks for run_id in stack.runs for order in stack.store.orders(run_id)]
