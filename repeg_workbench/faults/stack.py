"""One deployed stack of a seed's world: its table, its handlers and definition, its settings and its runs."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from repeg import wiring
from repeg.adapters.rate_limited_broker import rate_limited
from repeg.adapters.request_limiter import RequestLimiter
from repeg.domain.notice import RUN_FAILED, RUN_SETTLED
from repeg.domain.order_ids import LOCAL_TAG, run_prefix, stack_tag
from repeg.domain.plan import run_id
from repeg.domain.quote import Side
from repeg.domain.session import wire
from repeg.ports import Broker, Market, Notifier, Ports, Store
from repeg_workbench.deployment_variables import variables
from repeg_workbench.faults.fault_plan import WorkflowFault
from repeg_workbench.faults.faulty_ports import CURRENT, Invocation, UnreliablePort
from repeg_workbench.faults.faulty_streams import signals_of
from repeg_workbench.faults.function_service import FOLDERS, ClockedRuntime, context_of, failed, time_limit
from repeg_workbench.faults.judges.record import JudgedRun, name_in_record
from repeg_workbench.faults.planned_runs import PlannedRun
from repeg_workbench.faults.records import FailingJournal, QuietNotifier
from repeg_workbench.faults.table_service import table_of, undisturbed
from repeg_workbench.faults.walker import Execution, TaskFailed, Walker
from repeg_workbench.faults.weight_targets import bounds
from repeg_workbench.faults.workflow_faults import ROW_READS, Outage
from repeg_workbench.twins.direct_broker import metered

if TYPE_CHECKING:
    from repeg_workbench.faults.world import World

DEFINITION = Path(__file__).parents[2] / "statemachine" / "execute_plan.asl.json"

# The tags of the stacks; in most seeds there is one.
TAGS = (LOCAL_TAG, stack_tag("other"))


class Stack:
    """A stack on the world's account. Its handlers see its own ports and variables."""

    def __init__(self, world: World, number: int, settings: Mapping[str, Any]) -> None:
        self._world, self._fault_plan, self._scheduler = world, world.fault_plan, world.scheduler
        self.number, self.tag = number, TAGS[number]
        self.variables = variables(settings)
        self.store = table_of(world.day.seed, number, self._scheduler, self._fault_plan)
        world.recorder.on_planned.append(self._planned)
        self.notifier = QuietNotifier()
        self.runtime = ClockedRuntime(self._scheduler, world.day.seed + number, world.day.own_clock)
        self.runs: dict[str, JudgedRun] = {}
        self.given_settings = settings
        self.executions: list[Execution] = []
        self._planned_runs: dict[str, PlannedRun] = {}
        self._sized: set[str] = set()
        self.ports = self._ports()
        definition = json.loads(DEFINITION.read_text())
        self.walker = Walker(definition, self._scheduler, world.day.seed + number, self.invoke, self.start)
        self.walker.on_end.append(self._ended)

    def add_run(self, planned: PlannedRun) -> JudgedRun:
        """Have a planned run judged; a second start of the same run is judged with the first."""
        name = run_id(planned.plan["name"], self._world.day.day, planned.run_number)
        if name not in self.runs:
            self._planned_runs[name] = planned
            self.runs[name] = JudgedRun(
                run_id=name_in_record(name, self.number),
                prefix=run_prefix(self.tag, name),
                plan=planned.plan,
                settings={**self.given_settings, **planned.settings},
                targets=planned.targets(self._world.day.opening),
                stack=self.number,
            )
        return self.runs[name]

    def invoke(self, function: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Invoke a deployed handler for the state machine, perhaps throttled or twice. Raises TaskFailed."""
        faults = self._fault_plan.workflow_faults
        if WorkflowFault.THROTTLED in faults and self._fault_plan.dice("throttled").random() < 0.05:
            self._fault_plan.count("throttled")
            self._world.recorder.throttled(self._run_of(payload), function)
            raise TaskFailed("Lambda.TooManyRequestsException", "Rate exceeded")
        if WorkflowFault.DUPLICATE_INVOCATION in faults and self._fault_plan.dice("twice").random() < 0.3:
            self._fault_plan.count("duplicate_invocation")
            self._scheduler.spawn_apart(lambda: self._shadow(function, payload))
        return self.invoke_once(function, payload)

    def invoke_once(self, function: str, payload: dict[str, Any], *, is_duplicate: bool = False) -> dict[str, Any]:
        """Invoke a handler as Lambda would: JSON in and out, a timeout, errors by class name. Raises TaskFailed."""
        invocation = Invocation(function)
        named = self._run_of(payload), self.number, payload.get("execution", "")
        self._world.recorder.began(invocation, *named, is_duplicate=is_duplicate)
        try:
            answer = self._call(function, payload, invocation)
        except TaskFailed:
            self._world.recorder.ended(invocation, answered=False)
            raise
        is_idle = answer.get("outcome") in {"nothing", "superseded"} or answer.get("error") == "Fenced"
        self._world.recorder.ended(invocation, answered=True, did_nothing=is_idle)
        return answer

    def _call(self, function: str, payload: dict[str, Any], invocation: Invocation) -> dict[str, Any]:
        seconds = time_limit(function, listening=self.given_settings.get("waiting") == "stream")

        def body() -> dict[str, Any] | Exception:
            CURRENT.set(invocation)
            handler = importlib.import_module(f"functions.{FOLDERS[function]}.app").lambda_handler
            self._enter()
            try:
                return cast(dict[str, Any], handler(payload, context_of(function, seconds)))
            except Exception as error:  # noqa: BLE001 - Lambda reports every exception
                return error

        invocation.thread = self._scheduler.spawn_apart(body)
        if not invocation.thread.join(seconds):
            invocation.thread.kill()
            raise failed("Sandbox.Timedout", f"{function} timed out")
        if invocation.thread.was_killed:
            raise failed("Runtime.ExitError", f"{function} exited")
        answer = invocation.thread.result()
        if isinstance(answer, Exception):
            self._world.raised.append(answer)
            raise failed(type(answer).__name__, str(answer)) from answer
        self._world.record.payloads.append((function, len(carried := json.dumps(answer))))
        return cast(dict[str, Any], json.loads(carried))

    def start(self, name: str, given: dict[str, Any]) -> None:
        """Start an execution. Raises TaskFailed if an execution of that name exists."""
        if any(execution.name == name for execution in self.executions):
            raise TaskFailed("StepFunctions.ExecutionAlreadyExistsException", name)
        self.executions.append(self.walker.start(name, given))

    def given(self, planned: PlannedRun) -> dict[str, Any]:
        """The input with which the schedule starts a run."""
        given: dict[str, Any] = {"plan": planned.plan, "scheduled_time": wire(self._world.day.start)}
        if planned.run_number > 1:
            given["run_number"] = planned.run_number
        return given | ({"settings": planned.settings} if planned.settings else {})

    def watch(self, until: Callable[[], bool]) -> None:
        """Invoke the watchdog every five minutes, more often than in production because the days are shorter."""
        while until():
            self._scheduler.sleep(300)
            with suppress(TaskFailed):
                self.invoke_once("WatchRuns", {})

    def published_ends(self, name: str) -> list[str]:
        """The ids of the published events that a run has ended."""
        ends = [detail for kind, detail in self.notifier.published if kind in {RUN_SETTLED, RUN_FAILED}]
        return [detail["event_id"] for detail in ends if detail["run_id"] == name]

    def close_books(self) -> None:
        """Record the books of every run once the day is over."""
        for name, judged in self.runs.items():
            self._world.recorder.close_books(self.store, name, judged.run_id, self.published_ends(name))
        for execution in self.executions:
            self._world.recorder.executed(execution, self._run_of({"input": execution.input}))

    def _run_of(self, payload: Mapping[str, Any]) -> str:
        """The run that a step, an execution or its end is about, as the record names it; empty for none."""
        if "detail" in payload:
            name = payload["detail"]["executionArn"]
            given = next(execution.input for execution in self.executions if execution.name == name)
            return self._run_of({"input": given})
        given = payload.get("input", {})
        known = payload.get("run_id") or given.get("renewal", {}).get("run_id")
        if known is None and "plan" in given:
            known = run_id(given["plan"]["name"], self._world.day.day, given.get("run_number", 1))
        return name_in_record(known, self.number) if known else ""

    def _planned(self, name: str) -> None:
        """Set the targets of a run that depend on this moment: as the program has sized them, but within the bounds."""
        with undisturbed():
            planned, orders = self._planned_runs.get(name), self.store.orders(name)
        if planned is None or not planned.sized_later or not orders or name in self._sized:
            return
        self._sized.add(name)
        most = bounds(planned, self._world.exchange, self._scheduler.now_ns, self._world.record.quotes)
        for order in orders:
            if order.symbol in most:
                bound = most[order.symbol][order.side is Side.SELL]
                self.runs[name].targets[order.symbol] = order.side.sign, min(order.target, bound)

    def _enter(self) -> None:
        """Let the handler that runs next see this stack's ports and variables; it reads both before it first waits."""
        wiring.provide(self.ports)
        self._world.variables.enter(self.variables)

    def _shadow(self, function: str, payload: dict[str, Any]) -> None:
        self._scheduler.sleep(self._fault_plan.dice("twice").uniform(0, 3))
        with suppress(TaskFailed):
            self.invoke_once(function, payload, is_duplicate=True)

    def _ended(self, execution: Execution) -> None:
        """Deliver the status-change event of a failed execution, late; LOST_EVENT drops it."""
        if execution.status == "SUCCEEDED":
            return
        if WorkflowFault.LOST_EVENT in self._fault_plan.workflow_faults:
            self._fault_plan.count("lost_event")
            execution.is_end_lost = True
            return
        self._scheduler.spawn_apart(lambda: self._sweep(execution))

    def _sweep(self, execution: Execution) -> None:
        self._scheduler.sleep(self._fault_plan.within(0.5, 20))
        event = {"detail": {"executionArn": execution.name, "status": execution.status}}
        for _ in range(3):  # Lambda tries an asynchronous invocation three times
            try:
                self.invoke_once("SweepOrders", event)
            except TaskFailed:
                self._scheduler.sleep(60)
            else:
                return

    def _ports(self) -> Ports:
        world = self._world

        def port(
            name: str, inner: object, latency: tuple[float, float], outage: Callable[[str], bool]
        ) -> UnreliablePort:
            watcher = self._world.recorder
            may_lag = world.day.opening.multiplier == 1
            return UnreliablePort(
                name, inner, self._scheduler, self._fault_plan, latency, outage, watcher, may_lag=may_lag
            )

        self.broker_port = port("broker", world.broker, (0.02, 0.08), lambda _name: Outage.BROKER in world.down)
        market = port("market", world.broker, (0.02, 0.08), lambda _name: Outage.BROKER in world.down)
        store = cast(Store, port("store", self.store, (0.002, 0.01), self._is_store_away))
        notifier = port("notifier", self.notifier, (0.01, 0.03), lambda _name: Outage.BUS in world.down)
        limiter = RequestLimiter(store, self.runtime, world.day.quirks.requests_per_minute or 200)
        return Ports(
            broker=rate_limited(lambda take: cast(Broker, self.broker_port.to(metered(world.broker, take))), limiter),
            market=cast(Market, market),
            store=store,
            notifier=cast(Notifier, notifier),
            journal=FailingJournal(world.journal, world.day.seed + self.number, self._fault_plan),
            plans=cast(Any, None),
            runtime=self.runtime,
            signals=signals_of(world, self.runtime),
            tag=self.tag,
        )

    def _is_store_away(self, name: str) -> bool:
        down = self._world.down
        return Outage.STORE in down or (Outage.ROWS in down and name in ROW_READS)
