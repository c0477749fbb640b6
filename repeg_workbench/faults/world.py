"""One seed: the deployed handlers and the deployed definition, the simulated broker, and everything that goes wrong."""

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
from repeg.domain.settings import resolve
from repeg.ports import Broker, Market, Ports, Store
from repeg.workflow.closing import RUN_FAILED, RUN_SETTLED
from repeg_workbench.engine.runtime import VirtualRuntime
from repeg_workbench.engine.scheduler import Scheduler
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.messages import Request
from repeg_workbench.faults.fault_plan import Mishap, Swarm
from repeg_workbench.faults.faulty_ports import CURRENT, Invocation, UnreliablePort
from repeg_workbench.faults.function_service import FOLDERS, FUNCTION_TIMEOUTS, context_of, failed
from repeg_workbench.faults.judge import Checker
from repeg_workbench.faults.records import MemoryJournal, QuietNotifier, Result
from repeg_workbench.faults.sdk_broker import SdkBroker
from repeg_workbench.faults.seeded_days import Day, make_day
from repeg_workbench.faults.walker import Execution, TaskFailed, Walker
from repeg_workbench.faults.watched_store import WatchedStore
from repeg_workbench.faults.workflow_faults import ROW_READS, Mishaps, Outage
from repeg_workbench.twins.direct_broker import DirectBroker

DEFINITION = Path(__file__).parents[2] / "statemachine" / "execute_plan.asl.json"


class World:
    """Everything of one seed. `run` lets it happen; the checker has seen every event of the broker's ledger."""

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
        self.settings = resolve({}, self.day.settings)
        session = self.broker.trading_day(self.day.day)
        if session is None:
            raise ValueError(f"{self.day.day} is not a session")
        delay, margin = self.settings.market_open_delay_minutes, self.settings.close_margin_minutes
        self.window = trading_window(session, delay, margin)
        self.session = session
        self.swarm = Swarm(self.day, self.window.closes, quiet=quiet)
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
        self.mishaps = Mishaps(self)
        if Mishap.EARLY_WAKE in self.swarm.mishaps:
            self.walker.wakes_early = self.mishaps.early
        self._foreign_order()

    def run(self) -> Result:
        """Start the run as the schedule would, let everything happen, and hold the end against the ledger."""
        wiring.provide(self.ports)
        late = self.mishaps.late()
        self.mishaps.brew()
        self.scheduler.spawn_apart(lambda: self._start_after(late, self.given))
        self.mishaps.plan(self.given)
        self.scheduler.spawn_apart(self._watch)
        self.scheduler.run(until=max(self.session.close, self.day.start + late) + timedelta(minutes=10))
        self.exchange.advance()
        self.mishaps.count_races()
        self.checker.at_the_end(self.run_id, self.journalled())
        self.checker.weigh_histories(execution.events for execution in self.executions)
        self.scheduler.close()
        return self._result()

    @property
    def given(self) -> dict[str, Any]:
        """What the schedule starts the run with."""
        return {"plan": self.day.plan, "settings": self.day.settings, "scheduled_time": wire(self.day.start)}

    def invoke(self, function: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Run a deployed handler as Lambda would: in its time limit, dead if it is killed, errors by class name."""
        if Mishap.THROTTLED in self.swarm.mishaps and self.swarm.within(0, 1) < 0.05:
            self.swarm.count("throttled")
            raise TaskFailed("Lambda.TooManyRequestsException", "Rate exceeded")
        if Mishap.DUPLICATE_INVOCATION in self.swarm.mishaps and self.swarm.within(0, 1) < 0.3:
            self.swarm.count("duplicate_invocation")
            self.scheduler.spawn_apart(lambda: self._shadow(function, payload))
        return self.invoke_once(function, payload)

    def invoke_once(self, function: str, payload: dict[str, Any]) -> dict[str, Any]:
        """One invocation of a handler: its answer as JSON carries it. Raises TaskFailed as the service reports it."""
        invocation = Invocation(function)

        def body() -> dict[str, Any] | Exception:
            CURRENT.set(invocation)
            handler = importlib.import_module(f"functions.{FOLDERS[function]}.app").lambda_handler
            try:
                return cast(dict[str, Any], handler(payload, context_of(function)))
            except Exception as error:  # noqa: BLE001 - what Lambda reports, whatever it is
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
        self.checker.weigh_payload(function, len(carried))
        return cast(dict[str, Any], json.loads(carried))

    def _shadow(self, function: str, payload: dict[str, Any]) -> None:
        self.scheduler.sleep(self.swarm.within(0, 3))
        with suppress(TaskFailed):
            self.invoke_once(function, payload)

    def start(self, name: str, given: dict[str, Any]) -> None:
        """Start an execution of that name; TaskFailed where there has been one."""
        if any(execution.name == name for execution in self.executions):
            raise TaskFailed("StepFunctions.ExecutionAlreadyExistsException", name)
        self.executions.append(self.walker.start(name, given))

    def _start_after(self, late: timedelta, given: dict[str, Any]) -> None:
        self.scheduler.sleep(late.total_seconds())
        self.start("run", given)

    def _ended(self, execution: Execution) -> None:
        """The service's event of an execution's end, which may be late, and in one mishap never comes."""
        if execution.status == "SUCCEEDED":
            return
        if Mishap.LOST_EVENT in self.swarm.mishaps:
            self.swarm.count("lost_event")
            return
        self.scheduler.spawn_apart(lambda: self._sweep(execution))

    def _sweep(self, execution: Execution) -> None:
        self.scheduler.sleep(self.swarm.within(0.5, 20))
        event = {"detail": {"executionArn": execution.name, "status": execution.status}}
        for _ in range(3):  # an asynchronous invocation is tried three times
            try:
                self.invoke_once("SweepOrders", event)
            except TaskFailed:
                self.scheduler.sleep(60)
            else:
                return

    def _watch(self) -> None:
        """The watchdog's schedule, denser than the real one because the days are shorter."""
        while self.scheduler.now() < self.session.close + timedelta(minutes=9):
            self.scheduler.sleep(300)
            with suppress(TaskFailed):
                self.invoke_once("WatchRuns", {})

    def _foreign_order(self) -> None:
        """Somebody's own order in the same account, far from the market: it must be there at the end, untouched."""
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
            return UnreliablePort(name, inner, self.scheduler, self.swarm, latency, outage)

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
        """A request that the network delivered late may arrive outside the window: it had left inside."""
        self.checker.count_request(self.scheduler.now_ns)
        if name == "late" and args and hasattr(args[-1], "client_order_id"):
            self.checker.exempt_from_window.add(args[-1].client_order_id)

    def journalled(self) -> list[str]:
        """The ids of the events that told how a run ended."""
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
            injected=dict(self.swarm.injected),
            calls=self.swarm.calls,
            journal=self.journal.entries,
            outcomes=[str(order.outcome) for order in self.store.orders(self.run_id)],
            causes=[execution.error for execution in self.executions],
        )


def uses_sdk(seed: int) -> bool:
    """Whether a seed reaches the broker through alpaca-py: one in ten does, for it costs more."""
    return seed % 10 == 3
