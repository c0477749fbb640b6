"""One seed: the deployed handlers and the deployed definition, the simulated broker, and everything that goes wrong."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from repeg import wiring
from repeg.journal import Entry
from repeg.metering import MeteredBroker, RequestMeter
from repeg.naming import OWN_PREFIX
from repeg.plan import run_id
from repeg.ports import Broker, Market, Ports, Store
from repeg.run import KillSwitch
from repeg.session import trading_window, wire
from repeg.settings import resolve
from workbench.engine.runtime import VirtualRuntime
from workbench.engine.scheduler import Scheduler
from workbench.exchange.arming import When
from workbench.exchange.core import Exchange
from workbench.exchange.wire import Request
from workbench.faults.calls import CURRENT, Invocation, UnreliablePort
from workbench.faults.checker import Checker
from workbench.faults.days import Day, make_day
from workbench.faults.sdk_broker import SdkBroker
from workbench.faults.swarm import Mishap, Swarm
from workbench.faults.walker import Execution, TaskFailed, Walker
from workbench.twins.direct_broker import DirectBroker
from workbench.twins.memory_store import MemoryStore

DEFINITION = Path(__file__).parents[2] / "statemachine" / "execute_plan.asl.json"

# Each function's own time limit, in seconds, as the template sets it; a test holds the two together.
FUNCTION_TIMEOUTS = {
    "OpenRun": 25, "CheckSession": 25, "PlanOrders": 25, "ValidateQuotes": 25, "PlaceOrders": 50, "RepegOrders": 50,
    "CloseRun": 110, "SweepOrders": 600, "WatchRuns": 600,
}  # fmt: skip

FOLDERS = {
    "OpenRun": "open_run", "CheckSession": "check_session", "PlanOrders": "plan_orders",
    "ValidateQuotes": "validate_quotes", "PlaceOrders": "place_orders", "RepegOrders": "repeg_orders",
    "CloseRun": "close_run", "SweepOrders": "sweep_orders", "WatchRuns": "watch_runs",
}  # fmt: skip

# A late start, before the minutes that are drawn: inside the window, after it, on the next day.
LATENESS = (timedelta(0), timedelta(hours=2), timedelta(days=1))


class MemoryJournal:
    """Keeps the story of a seed, to be told if it fails."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def record(self, entry: Entry) -> None:
        """Add one entry."""
        self.entries.append(entry)


class QuietNotifier:
    """Keeps what was published."""

    def __init__(self) -> None:
        self.published: list[tuple[str, dict[str, Any]]] = []

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        """Keep one event."""
        self.published.append((kind, detail))


@dataclass
class Result:
    """What a seed came to."""

    seed: int
    violations: list[str]
    statuses: list[str]
    path: list[str]
    orders: int
    fills: int
    injected: dict[str, int]
    calls: int
    journal: list[Entry]
    outcomes: list[str]
    causes: list[str]


class World:
    """Everything of one seed. `run` lets it happen; the checker has seen every event of the broker's ledger."""

    def __init__(
        self, seed: int, *, quiet: bool = False, day: Day | None = None, scheduler: Scheduler | None = None
    ) -> None:
        self.day: Day = day or make_day(seed)
        self.scheduler = scheduler or Scheduler(self.day.start)
        self.store = MemoryStore()
        self.exchange = Exchange(
            self.day.market, lambda: self.scheduler.now_ns, self.day.knobs, self.day.opening, seed, self.day.fill_model
        )
        for race in self.day.races:
            self.exchange.races.arm(race, seconds=self.day.stuck_seconds, when=When(times=None, chance=0.3))
        self.broker = (SdkBroker if uses_sdk(seed) else DirectBroker)(self.exchange)
        self.settings = resolve({}, self.day.settings)
        session = self.broker.trading_day(self.day.day)
        if session is None:
            raise ValueError(f"{self.day.day} is not a session")
        delay, margin = self.settings.market_open_delay_minutes, self.settings.close_margin_minutes
        self.window = trading_window(session, delay, margin)
        self.session = session
        self.swarm = Swarm(seed, self.window.closes, quiet=quiet)
        self.checker = Checker(self.day, self.exchange, self.store, self.settings, self.window)
        self.journal = MemoryJournal()
        self.notifier = QuietNotifier()
        self.runtime = VirtualRuntime(self.scheduler, seed, workers=8)
        self.run_id = run_id(self.day.plan["name"], self.day.day)
        self.is_broker_down = False
        self.is_store_down = False
        self.executions: list[Execution] = []
        self.ports = self._ports()
        definition = json.loads(DEFINITION.read_text())
        self.walker = Walker(definition, self.scheduler, seed, self.invoke, self._start)
        self.walker.on_end.append(self._ended)
        if Mishap.EARLY_WAKE in self.swarm.mishaps:
            self.walker.wakes_early = self._early
        self._foreign_order()

    def run(self) -> Result:
        """Start the run as the schedule would, let everything happen, and hold the end against the ledger."""
        wiring.provide(self.ports)
        late = self._late()
        self.scheduler.spawn_apart(lambda: self._start_after(late, self.given))
        self._plan_mishaps(self.given)
        self.scheduler.spawn_apart(self._watch)
        self.scheduler.run(until=max(self.session.close, self.day.start + late) + timedelta(minutes=10))
        self.exchange.advance()
        self.checker.at_the_end(self.run_id)
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
        return self._invoke(function, payload)

    def _invoke(self, function: str, payload: dict[str, Any]) -> dict[str, Any]:
        invocation = Invocation(function)

        def body() -> dict[str, Any] | Exception:
            CURRENT.set(invocation)
            handler = importlib.import_module(f"functions.{FOLDERS[function]}.app").lambda_handler
            try:
                return cast(dict[str, Any], handler(payload, _context(function)))
            except Exception as error:  # noqa: BLE001 - what Lambda reports, whatever it is
                return error

        invocation.thread = self.scheduler.spawn_apart(body)
        if not invocation.thread.join(FUNCTION_TIMEOUTS[function]):
            invocation.thread.kill()
            raise _failed("Sandbox.Timedout", f"{function} timed out")
        if invocation.thread.was_killed:
            raise _failed("Runtime.ExitError", f"{function} exited")
        answer = invocation.thread.result()
        if isinstance(answer, Exception):
            raise _failed(type(answer).__name__, str(answer)) from answer
        return cast(dict[str, Any], json.loads(json.dumps(answer)))

    def _shadow(self, function: str, payload: dict[str, Any]) -> None:
        self.scheduler.sleep(self.swarm.within(0, 3))
        with suppress(TaskFailed):
            self._invoke(function, payload)

    def _start(self, name: str, given: dict[str, Any]) -> None:
        if any(execution.name == name for execution in self.executions):
            raise TaskFailed("StepFunctions.ExecutionAlreadyExistsException", name)
        self.executions.append(self.walker.start(name, given))

    def _start_after(self, late: timedelta, given: dict[str, Any]) -> None:
        self.scheduler.sleep(late.total_seconds())
        self._start("run", given)

    def _late(self) -> timedelta:
        """How long after its time the schedule starts the run: minutes, hours, or when the day is over."""
        if Mishap.LATE_START not in self.swarm.mishaps:
            return timedelta(0)
        self.swarm.count(Mishap.LATE_START)
        return LATENESS[self.swarm.seconds(0, len(LATENESS) - 1)] + timedelta(seconds=self.swarm.within(0, 600))

    def _early(self) -> float:
        self.swarm.count(Mishap.EARLY_WAKE)
        return self.swarm.within(0, 0.999)

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
                self._invoke("SweepOrders", event)
            except TaskFailed:
                self.scheduler.sleep(60)
            else:
                return

    def _watch(self) -> None:
        """The watchdog's schedule, denser than the real one because the days are shorter."""
        while self.scheduler.now() < self.session.close + timedelta(minutes=9):
            self.scheduler.sleep(300)
            with suppress(TaskFailed):
                self._invoke("WatchRuns", {})

    def _plan_mishaps(self, given: dict[str, Any]) -> None:
        acts: dict[Mishap, Callable[[], None]] = {
            Mishap.DUPLICATE_START: lambda: self._start("again", given),
            Mishap.REDRIVE: lambda: self._redrive(given),
            Mishap.KILL_HALT: lambda: self._kill(KillSwitch.HALT_NEW),
            Mishap.KILL_CANCEL: lambda: self._kill(KillSwitch.CANCEL_ALL),
            Mishap.KEYS_ROTATED: self._rotate_keys,
            Mishap.BROKER_OUTAGE: lambda: self._outage("is_broker_down"),
            Mishap.STORE_OUTAGE: lambda: self._outage("is_store_down"),
        }
        for mishap in sorted(self.swarm.mishaps & set(acts)):
            self.scheduler.spawn_apart(partial(self._later, acts[mishap], mishap))
        if Mishap.ABORT in self.swarm.mishaps:
            self.scheduler.spawn_apart(self._abort)

    def _abort(self) -> None:
        """Somebody stops the execution, soon after a call to the broker has gone wrong or else at any time."""
        length = (self.window.closes - self.day.start).total_seconds()
        self.broker_port.struck.wait(self.swarm.within(0, 2 * length))
        self.scheduler.sleep(self.swarm.within(0, 3))
        self.swarm.count(Mishap.ABORT)
        for execution in self.executions[-1:]:  # there is none yet where the start is late
            self.walker.stop(execution)

    def _later(self, act: Callable[[], None], name: Mishap) -> None:
        length = (self.window.closes - self.day.start).total_seconds()
        self.scheduler.sleep(self.swarm.within(0, length))
        self.swarm.count(name)
        act()

    def _redrive(self, given: dict[str, Any]) -> None:
        """The run's steps once more with their old inputs, after its end or in its midst."""
        state = {"run_id": self.run_id, "epoch": 1, "first_turn": 0, "turn": {"turns": 0}}
        for function in ("PlanOrders", "ValidateQuotes", "PlaceOrders", "RepegOrders"):
            with suppress(TaskFailed):
                self._invoke(function, state)
        self._start("redriven", given)

    def _kill(self, state: KillSwitch) -> None:
        self.store.set_kill_switch(state)
        self.checker.killed_since = self.scheduler.now_ns

    def _rotate_keys(self) -> None:
        keys = dict(self.broker.headers)
        self.broker.headers["APCA-API-SECRET-KEY"] = "revoked"
        self.scheduler.sleep(self.swarm.within(5, 200))
        self.broker.headers.update(keys)

    def _outage(self, name: str) -> None:
        setattr(self, name, True)
        self.scheduler.sleep(self.swarm.within(5, 200))
        setattr(self, name, False)

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
        def port(name: str, inner: object, latency: tuple[float, float], outage: Callable[[], bool]) -> UnreliablePort:
            return UnreliablePort(name, inner, self.scheduler, self.swarm, latency, outage)

        broker = port("broker", self.broker, (0.02, 0.08), lambda: self.is_broker_down)
        broker.on_call.append(self._sent)
        self.broker_port = broker
        market = port("market", self.broker, (0.02, 0.08), lambda: self.is_broker_down)
        store = cast(Store, port("store", self.store, (0.002, 0.01), lambda: self.is_store_down))
        meter = RequestMeter(store, self.runtime, self.day.knobs.requests_per_minute or 200)
        return Ports(
            broker=MeteredBroker(cast(Broker, broker), meter),
            market=cast(Market, market),
            store=store,
            notifier=self.notifier,
            journal=self.journal,
            plans=cast(Any, None),
            runtime=self.runtime,
        )

    def _sent(self, name: str, args: tuple[Any, ...]) -> None:
        """A request that the network delivered late may arrive outside the window: it had left inside."""
        self.checker.count_request(self.scheduler.now_ns)
        if name == "late" and args and hasattr(args[-1], "client_order_id"):
            self.checker.exempt_from_window.add(args[-1].client_order_id)

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


def _failed(error: str, message: str) -> TaskFailed:
    """A function's failure as Lambda reports it."""
    return TaskFailed(error, json.dumps({"errorMessage": message, "errorType": error}, separators=(",", ":")))


def _context(function: str) -> Any:
    """What Powertools asks of a Lambda context."""
    return SimpleNamespace(
        function_name=function, memory_limit_in_mb=512, invoked_function_arn=f"arn:{function}", aws_request_id="0",
        get_remaining_time_in_millis=lambda: FUNCTION_TIMEOUTS[function] * 1_000,
    )  # fmt: skip
