"""One seed's world: the deployed handlers and definition, the simulated broker, and every injected fault."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

from repeg import wiring
from repeg.adapters.rate_limited_broker import RateLimitedBroker
from repeg.adapters.request_limiter import RequestLimiter
from repeg.domain.order_ids import OWN_PREFIX
from repeg.domain.plan import run_id
from repeg.domain.session import trading_window, wire
from repeg.domain.settings_sources import resolve
from repeg.ports import Broker, Market, Ports, Store
from repeg.workflow.reporting import RUN_FAILED, RUN_SETTLED
from repeg_workbench.deployment_variables import variables
from repeg_workbench.engine.runtime import VirtualRuntime
from repeg_workbench.engine.scheduler import Scheduler
from repeg_workbench.engine.surroundings import with_variables
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.messages import Request
from repeg_workbench.faults.fault_plan import FaultPlan, WorkflowFault
from repeg_workbench.faults.faulty_ports import CURRENT, Invocation, UnreliablePort
from repeg_workbench.faults.function_service import FOLDERS, FUNCTION_TIMEOUTS, context_of, failed
from repeg_workbench.faults.judge import Checker
from repeg_workbench.faults.records import MemoryJournal, QuietNotifier, Result
from repeg_workbench.faults.sdk_broker import SdkBroker, uses_sdk
from repeg_workbench.faults.seeded_days import Day, make_day
from repeg_workbench.faults.walker import Execution, TaskFailed, Walker
from repeg_workbench.faults.watched_store import WatchedStore
from repeg_workbench.faults.workflow_faults import ROW_READS, Outage, WorkflowFaults
from repeg_workbench.twins.direct_broker import DirectBroker

DEFINITION = Path(__file__).parents[2] / "statemachine" / "execute_plan.asl.json"


class World:
    """The world of one seed. `run` runs its day; the checker sees every event of the broker's ledger."""

    def __init__(
        self, seed: int, *, quiet: bool = False, day: Day | None = None, scheduler: Scheduler | None = None
    ) -> None:
        self.day: Day = day or make_day(seed)
        self.scheduler = scheduler or Scheduler(self.day.start)
        self.store = WatchedStore(lambda: self.scheduler.now_ns)
        self.exchange = Exchange(
            self.day.market, lambda: self.scheduler.now_ns, self.day.quirks, self.day.opening, seed, self.day.fill_model
        )
        self.broker = (
            SdkBroker(self.exchange, wait=self.scheduler.sleep) if uses_sdk(seed) else DirectBroker(self.exchange)
        )
        self.variables = variables(self.day.settings)
        self.settings = resolve(self.variables, None)
        session = self.broker.trading_day(self.day.day)
        if session is None:
            raise ValueError(f"{self.day.day} is not a session")
        delay, margin = self.settings.market_open_delay_minutes, self.settings.close_margin_minutes
        self.window = trading_window(session, delay, margin)
        self.session = session
        self.fault_plan = FaultPlan(self.day, self.window.closes, quiet=quiet)
        self.checker = Checker(self.day, self.exchange, self.store, self.settings, self.window)
        self.journal = MemoryJournal()
        self.notifier = QuietNotifier()
        self.runtime = VirtualRuntime(self.scheduler, seed, workers=8)
        self.run_id = run_id(self.day.plan["name"], self.day.day)
        self.down: set[Outage] = set()
        self.executions: list[Execution] = []
        self.ports = self._ports()
        definition = json.loads(DEFINITION.read_text())
        self.walker = Walker(definition, self.scheduler, seed, self.invoke, self.start)
        self.walker.on_end.append(self._ended)
        self.workflow_faults = WorkflowFaults(self)
        if WorkflowFault.EARLY_WAKE in self.fault_plan.workflow_faults:
            self.walker.wakes_early = self.workflow_faults.wait_shortfall
        self._foreign_order()

    def run(self) -> Result:
        """Start the run as the schedule would, run the day, and check its end against the ledger."""
        with with_variables(self.variables):
            return self._run()

    def _run(self) -> Result:
        wiring.provide(self.ports)
        late = self.workflow_faults.start_delay()
        self.workflow_faults.arm_broker()
        self.scheduler.spawn_apart(lambda: self._start_after(late, self.given))
        self.workflow_faults.schedule(self.given)
        self.scheduler.spawn_apart(self._watch)
        self.scheduler.run(until=max(self.session.close, self.day.start + late) + timedelta(minutes=10))
        self.exchange.advance()
        self.workflow_faults.count_races()
        self.checker.at_the_end(self.run_id, self.published_ends())
        self.checker.check_histories(execution.events for execution in self.executions)
        self.scheduler.close()
        return self._result()

    @property
    def given(self) -> dict[str, Any]:
        """The input with which the schedule starts the run."""
        return {"plan": self.day.plan, "scheduled_time": wire(self.day.start)}

    def invoke(self, function: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Invoke a deployed handler for the state machine, perhaps throttled or twice. Raises TaskFailed."""
        if WorkflowFault.THROTTLED in self.fault_plan.workflow_faults and self.fault_plan.within(0, 1) < 0.05:
            self.fault_plan.count("throttled")
            raise TaskFailed("Lambda.TooManyRequestsException", "Rate exceeded")
        if WorkflowFault.DUPLICATE_INVOCATION in self.fault_plan.workflow_faults and self.fault_plan.within(0, 1) < 0.3:
            self.fault_plan.count("duplicate_invocation")
            self.scheduler.spawn_apart(lambda: self._shadow(function, payload))
        return self.invoke_once(function, payload)

    def invoke_once(self, function: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Invoke a handler as Lambda would: JSON in and out, a timeout, errors by class name. Raises TaskFailed."""
        invocation = Invocation(function)

        def body() -> dict[str, Any] | Exception:
            CURRENT.set(invocation)
            handler = importlib.import_module(f"functions.{FOLDERS[function]}.app").lambda_handler
            try:
                return cast(dict[str, Any], handler(payload, context_of(function)))
            except Exception as error:  # noqa: BLE001 - Lambda reports every exception
                return error

        invocation.thread = self.scheduler.spawn_apart(body)
        if not invocation.thread.join(FUNCTION_TIMEOUTS[function]):
            invocation.thread.kill()
            raise failed("Sandbox.Timedout", f"{function} timed out")
        if invocation.thread.was_killed:
            raise failed("Runtime.ExitError", f"{function} exited")
        answer = invocation.thread.result()
        if isinstance(answer, Exception):
            raise failed(type(answer).__name__, str(answer)) from answer
        carried = json.dumps(answer)
        self.checker.check_payload(function, len(carried))
        return cast(dict[str, Any], json.loads(carried))

    def _shadow(self, function: str, payload: dict[str, Any]) -> None:
        self.scheduler.sleep(self.fault_plan.within(0, 3))
        with suppress(TaskFailed):
            self.invoke_once(function, payload)

    def start(self, name: str, given: dict[str, Any]) -> None:
        """Start an execution. Raises TaskFailed if an execution of that name exists."""
        if any(execution.name == name for execution in self.executions):
            raise TaskFailed("StepFunctions.ExecutionAlreadyExistsException", name)
        self.executions.append(self.walker.start(name, given))

    def _start_after(self, late: timedelta, given: dict[str, Any]) -> None:
        self.scheduler.sleep(late.total_seconds())
        self.start("run", given)

    def _ended(self, execution: Execution) -> None:
        """Deliver the status-change event of a failed execution, late; LOST_EVENT drops it."""
        if execution.status == "SUCCEEDED":
            return
        if WorkflowFault.LOST_EVENT in self.fault_plan.workflow_faults:
            self.fault_plan.count("lost_event")
            return
        self.scheduler.spawn_apart(lambda: self._sweep(execution))

    def _sweep(self, execution: Execution) -> None:
        self.scheduler.sleep(self.fault_plan.within(0.5, 20))
        event = {"detail": {"executionArn": execution.name, "status": execution.status}}
        for _ in range(3):  # Lambda tries an asynchronous invocation three times
            try:
                self.invoke_once("SweepOrders", event)
            except TaskFailed:
                self.scheduler.sleep(60)
            else:
                return

    def _watch(self) -> None:
        """Invoke the watchdog every five minutes, more often than in production because the days are shorter."""
        while self.scheduler.now() < self.session.close + timedelta(minutes=9):
            self.scheduler.sleep(300)
            with suppress(TaskFailed):
                self.invoke_once("WatchRuns", {})

    def _foreign_order(self) -> None:
        """Place an order of the account's owner, far from the market. It must remain untouched."""
        symbol = self.day.market.symbols()[0]
        body = {
            "symbol": symbol, "side": "buy", "qty": "1", "type": "limit", "limit_price": "0.01", "time_in_force": "gtc",
        }  # fmt: skip
        answer = self.exchange.handle(
            Request("POST", "/v2/orders", [], dict(self.broker.headers), json.dumps(body).encode())
        )
        if answer.status == 200:
            self.checker.adopt_foreign(answer.json()["id"])

    def _ports(self) -> Ports:
        def port(
            name: str, inner: object, latency: tuple[float, float], outage: Callable[[str], bool]
        ) -> UnreliablePort:
            return UnreliablePort(name, inner, self.scheduler, self.fault_plan, latency, outage)

        broker = port("broker", self.broker, (0.02, 0.08), lambda _name: Outage.BROKER in self.down)
        broker.on_call.append(self._sent)
        self.broker_port = broker
        market = port("market", self.broker, (0.02, 0.08), lambda _name: Outage.BROKER in self.down)
        store = cast(Store, port("store", self.store, (0.002, 0.01), self._is_store_away))
        limiter = RequestLimiter(store, self.runtime, self.day.quirks.requests_per_minute or 200)
        return Ports(
            broker=RateLimitedBroker(cast(Broker, broker), limiter),
            market=cast(Market, market),
            store=store,
            notifier=self.notifier,
            journal=self.journal,
            plans=cast(Any, None),
            runtime=self.runtime,
        )

    def _is_store_away(self, name: str) -> bool:
        return Outage.STORE in self.down or (Outage.ROWS in self.down and name in ROW_READS)

    def _sent(self, name: str, args: tuple[Any, ...]) -> None:
        """Count a request; one that the network delivered late left in time, so it may arrive outside the window."""
        self.checker.count_request(self.scheduler.now_ns)
        if name == "late" and args and hasattr(args[-1], "client_order_id"):
            self.checker.exempt_from_window.add(args[-1].client_order_id)

    def published_ends(self) -> list[str]:
        """The ids of the published run-ended events."""
        ends = [detail for kind, detail in self.notifier.published if kind in {RUN_SETTLED, RUN_FAILED}]
        return [detail["event_id"] for detail in ends]

    def _result(self) -> Result:
        ours = [e for e in self.exchange.ledger.executions if e.client_order_id.startswith(OWN_PREFIX)]
        return Result(
            seed=self.day.seed,
            violations=[str(violation) for violation in self.checker.violations],
            statuses=[execution.status for execution in self.executions],
            path=self.executions[0].path,
            orders=len({e.order_id for e in self.exchange.ledger.events if e.client_order_id.startswith(OWN_PREFIX)}),
            fills=len(ours),
            injected=dict(self.fault_plan.injected),
            calls=self.fault_plan.calls,
            journal=self.journal.entries,
            outcomes=[str(order.outcome) for order in self.store.orders(self.run_id)],
            causes=[execution.error for execution in self.executions],
        )
