"""One trading day: the deployed stack in virtual time, the simulated broker, and a journal of every decision."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from enum import StrEnum
from typing import Any

from requests.adapters import BaseAdapter, HTTPAdapter

from repeg import wiring
from repeg.adapters.alpaca.signals import Streams
from repeg.adapters.counting_journal import CountingJournal
from repeg.adapters.eventbridge import EventNotifier
from repeg.domain import plan
from repeg.domain.journal import Entry
from repeg.domain.session import NEW_YORK, wire
from repeg.lambda_step import count, flush_at_end
from repeg.ports import Journal, Ports
from repeg_workbench.deployed_files import ROOT
from repeg_workbench.deployment_variables import variables
from repeg_workbench.engine.engine import Engine
from repeg_workbench.engine.execution import Execution
from repeg_workbench.engine.runtime import VirtualRuntime
from repeg_workbench.engine.scheduler import Scheduler
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.market.generated import GeneratedMarket
from repeg_workbench.exchange.market.symbol_day import Market
from repeg_workbench.exchange.matching.symbol_book import FillModel
from repeg_workbench.exchange.serving.transport import ExchangeTransport
from repeg_workbench.simulate.function_time import FunctionTime
from repeg_workbench.simulate.published import is_published, published
from repeg_workbench.simulate.summary import Usage, summarise
from repeg_workbench.twins.stream_twin import StreamTwin

TEMPLATE = ROOT / "template.yaml"

# The template's start time of a run, in New York.
STARTS_AT = time(9, 25)

Follow = Callable[[Entry], None]

_QUIRKS = BrokerQuirks()


class Wire(StrEnum):
    """How requests reach the broker: in process, or by HTTP over a loopback socket."""

    IN_PROCESS = "in_process"
    HTTP = "http"


@dataclass(frozen=True)
class Scenario:
    """The definition of a day.

    `plan` is the decoded plan as given, `settings` are the deployment's, `parameters` the template's. `starts_at` is
    when the run starts, in New York. `keeps_journal` stores the journal in the stack's bucket, as deployed; a day's
    hundred thousand entries take seconds.
    """

    plan: Any
    market: Market
    day: date
    opening: OpeningAccount
    settings: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    quirks: BrokerQuirks = _QUIRKS
    fill_model: FillModel = FillModel.QUEUE
    wire: Wire = Wire.IN_PROCESS
    starts_at: time = STARTS_AT
    keeps_journal: bool = False
    source: str = ""
    """What the market is, in words, for the summary."""

    @property
    def feed(self) -> str:
        """The data feed of the deployment: what its parameters name, else the consolidated book."""
        return self.parameters.get("DataFeed", "sip")

    @property
    def starts(self) -> datetime:
        """The start of the run, in UTC."""
        return datetime.combine(self.day, self.starts_at, NEW_YORK).astimezone(UTC)

    @property
    def run_id(self) -> str:
        """The id of the run."""
        return plan.run_id(self.plan["name"], self.day)


@dataclass(frozen=True)
class BroadcastJournal:
    """A Journal that passes entries to its followers and keeps none; a day has a hundred thousand."""

    followers: tuple[Follow, ...]

    def record(self, entry: Entry) -> None:
        """Pass an entry to every follower."""
        for follow in self.followers:
            follow(entry)


@dataclass
class SimulatedDay:
    """A day ready to run: the stack deployed, the broker open, the clock at the start of the run."""

    scenario: Scenario
    engine: Engine
    exchange: Exchange
    ports: Ports
    function_time: FunctionTime

    def start(self, name: str) -> str:
        """Start an execution as the schedule would; returns its ARN."""
        given = {"plan": self.scenario.plan, "scheduled_time": wire(self.scenario.starts)}
        return self.engine.start_execution(given, name)

    def run(self) -> None:
        """Run the day until no execution has anything left to do."""
        self.engine.run()
        self.exchange.advance()

    def ending(self) -> Execution:
        """The execution that ended the run: the last one, because a long day continues in a successor."""
        return self.engine.executions()[-1]

    def usage(self) -> Usage:
        """The day's usage so far."""
        executions = self.engine.executions()
        requests = self.engine.runtime.requests
        return Usage(
            transitions=sum(execution.transitions for execution in executions),
            history_events=sum(execution.events for execution in executions),
            trading_requests=requests["trading"],
            data_requests=requests["data"],
            function_seconds=self.function_time.seconds,
            states=dict(Counter(state for execution in executions for state in execution.states)),
        )

    def summary(self) -> dict[str, Any] | None:
        """The summary of the run; None if it was refused or ended without a report."""
        run = self.ports.store.run(self.scenario.run_id)
        if run is None or run.report is None:
            return None
        day = self.scenario
        is_comparable = isinstance(day.market, GeneratedMarket) and is_published(day.plan, day.settings, day.feed)
        figures = published() if is_comparable else None
        return summarise(run.report.as_json(), self.usage(), day.source, figures)


@contextmanager
def opened(scenario: Scenario, *followers: Follow) -> Iterator[SimulatedDay]:
    """Set up a day: deploy the stack, open the broker, store its keys as the functions' secret.

    Followers receive every journal entry as it is written.
    """
    transport = _Transport()

    def runtime(scheduler: Scheduler) -> VirtualRuntime:
        return VirtualRuntime(scheduler, scenario.seed, transport=transport.make, connect=transport.connect)

    with Engine(
        template=TEMPLATE,
        start=scenario.starts,
        seed=scenario.seed,
        parameters={"DataFeed": scenario.feed, **scenario.parameters},
        runtime_environment=variables(scenario.settings),
        runtime=runtime,
    ) as engine:
        exchange = _exchange(scenario, engine.scheduler)
        transport.streams = StreamTwin(exchange, engine.scheduler, scenario.feed)
        _keep_keys(engine, scenario.opening)
        with _served(scenario, exchange, transport) as addresses:
            environment = {**engine.function("OpenRun").environment, **addresses}
            ports = wiring.build(environment, engine.runtime)
            followed: Journal = BroadcastJournal(followers)
            if scenario.keeps_journal:
                bus = EventNotifier(engine.client("events"))
                followed = wiring.kept(followed, environment, bus, engine.runtime)
            ports = replace(ports, journal=CountingJournal(followed, count))
            wiring.provide(ports)
            try:
                yield SimulatedDay(scenario, engine, exchange, ports, FunctionTime(engine))
            finally:
                wiring.provide(None)
                flush_at_end()


class _Transport:
    """Makes what connects to the broker; its target is set later, because the exchange needs the clock."""

    def __init__(self) -> None:
        self.make_one: Callable[[], BaseAdapter] = HTTPAdapter
        self.streams: StreamTwin | None = None

    def connect(self, *arguments: Any) -> Streams:
        """Connect a listener to the streams, which stay in virtual time whatever carries the requests."""
        if self.streams is None:
            raise RuntimeError("there is no exchange yet")
        return self.streams.connect(*arguments)

    def make(self) -> BaseAdapter:
        """One adapter for one session."""
        return self.make_one()


@contextmanager
def _served(scenario: Scenario, exchange: Exchange, transport: _Transport) -> Iterator[dict[str, str]]:
    """Make the broker reachable; yields the environment variables with its address."""
    if scenario.wire is Wire.IN_PROCESS:
        transport.make_one = lambda: ExchangeTransport(lambda request: exchange.handle(request))  # noqa: PLW0108 - it may be replaced
        yield {}
        return
    # Imported here because it loads an HTTP server library that few days need.
    from repeg_workbench.exchange.serving.server import ExchangeServer  # noqa: PLC0415

    with ExchangeServer(exchange) as server:
        yield {"BROKER_URL": server.trading_url, "DATA_URL": server.data_url}


def _exchange(scenario: Scenario, scheduler: Scheduler) -> Exchange:
    return Exchange(
        scenario.market,
        lambda: scheduler.now_ns,
        replace(scenario.quirks, sip_entitled=scenario.quirks.sip_entitled or scenario.feed == "sip"),
        scenario.opening,
        scenario.seed,
        scenario.fill_model,
    )


def _keep_keys(engine: Engine, opening: OpeningAccount) -> None:
    pair = {"key_id": opening.key_id, "secret_key": opening.secret_key}
    engine.client("secretsmanager").put_secret_value(
        SecretId=engine.stack.physical_id("BrokerSecret"), SecretString=json.dumps(pair)
    )
