"""Where a plan is previewed: on a simulated day, at a served exchange, with keys of this machine, or by a stack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from repeg.adapters.alpaca.broker import AlpacaBroker
from repeg.adapters.alpaca.http import trading_api
from repeg.adapters.alpaca.keys import FixedKeys, Keys
from repeg.adapters.alpaca.market_data import AlpacaMarket, data_api
from repeg.adapters.alpaca.signals import AlpacaSignals, addresses, deployed
from repeg.adapters.rate_limited_broker import rate_limited
from repeg.adapters.request_limiter import RequestLimiter
from repeg.adapters.runtime import NetworkRuntime
from repeg.domain.errors import InvalidInput
from repeg.domain.estimate import RunEstimate
from repeg.domain.journal import Entry
from repeg.domain.request_quota import DATA, DATA_REQUESTS_PER_MINUTE, REQUESTS_PER_MINUTE
from repeg.domain.session import trading_window
from repeg.domain.setting_types import Feed
from repeg.ports import Ports
from repeg.workflow.estimating import estimate_run
from repeg.workflow.opening import read_start
from repeg_workbench.deployment_variables import variables
from repeg_workbench.operate.broker_line import Place, local_keys, mode_of, real, simulated, simulated_keys
from repeg_workbench.operate.crossing import measured_crossing
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.stack import DeployedStack
from repeg_workbench.operate.start import S3
from repeg_workbench.plans.files import read_plan
from repeg_workbench.simulate.request import Options, read_feed, read_settings, scenario
from repeg_workbench.simulate.simulation import opened
from repeg_workbench.twins.memory_store import MemoryStore

# What an estimate's run is named after, where no execution has started.
OWNER = "preview"
IN_S3 = "plan: {plan} is in S3; its stack reads it, which --stack names"


@dataclass(frozen=True)
class Request:
    """The command's arguments. `day` has the plan's file, the settings and the feed, and a simulated day's market; of
    the other places at most one is given. `plan` is the plan as typed, `has_a_day` that a day's market or account was
    described.
    """

    day: Options
    exchange: str | None = None
    is_local_keys: bool = False
    stack: str | None = None
    plan: str = ""
    has_a_day: bool = False

    @property
    def places(self) -> list[str]:
        """The options that name a place."""
        given = {"--exchange": self.exchange, "--local-keys": self.is_local_keys, "--stack": self.stack}
        return [name for name, value in given.items() if value]

    @property
    def input(self) -> dict[str, Any]:
        """The execution's input. Raises InvalidInput for a file or an assignment that cannot be read."""
        settings = read_settings(self.day.settings)
        is_stored = self.plan.startswith(S3)
        return {
            **({"plan_uri": self.plan} if is_stored else {"plan": read_plan(self.day.plan).document}),
            "preview": True,
            **({"settings": settings} if settings and self.stack is not None else {}),
        }


def on_a_day(request: Request) -> RunEstimate:
    """The estimate on a simulated day, when its window opens: what `repeg simulate` plans then."""
    day = scenario(request.day)
    with opened(day) as simulated_day:
        environment = simulated_day.engine.function("OpenRun").environment
        ports = simulated_day.ports
        session = ports.broker.trading_day(day.day)
        if session is None:
            raise InvalidInput("date", day.day.isoformat(), "a day with a core session")
        start = read_start(request.input, environment, ports)
        settings = start.settings
        window = trading_window(session, settings.market_open_delay_minutes, settings.close_margin_minutes)
        simulated_day.engine.run(window.opens)
        simulated_day.exchange.advance()
        return estimate_run(start, OWNER, ports.broker.clock().now, ports)


def at_a_broker(request: Request, runtime: NetworkRuntime) -> RunEstimate:
    """The estimate at a served exchange or with keys of this machine, as prices are now.

    Runs of a stack on the same account are seen by their open orders alone: their rows are in the stack's table.
    """
    if request.exchange is not None:
        place, keys = simulated(request.exchange), simulated_keys()
    else:
        keys = local_keys()
        place = real(mode_of(keys))
    feed = Feed(read_feed(request.day.feed))
    settings = variables(read_settings(request.day.settings))
    ports = _ports(place, keys, feed, runtime)
    environment = {"TRADING_MODE": str(place.mode), "DATA_FEED": str(feed), **settings}
    start = read_start(request.input, environment, ports)
    return estimate_run(start, OWNER, ports.broker.clock().now, ports)


def by_a_stack(request: Request, stack: DeployedStack) -> RunEstimate:
    """The estimate that the stack's own OpenRun makes, with its keys, settings and runs. Nothing is claimed."""
    execution = f"{stack.machine.replace(':stateMachine:', ':execution:')}:{OWNER}"
    payload = {"input": request.input, "execution": execution, "estimate": True}
    estimate = RunEstimate.model_validate(stack.invoke("OpenRun", payload))
    return estimate.with_crossing_cost(measured_crossing(stack, stack.at.runtime.now()))


class _Nothing:
    """The ports that an estimate does not need: it publishes nothing, keeps no journal, and has its plan already."""

    def record(self, entry: Entry) -> None:
        """Keep nothing."""

    def publish(self, kind: str, detail: Mapping[str, Any]) -> None:
        """Publish nothing."""

    def body(self, uri: str) -> NoReturn:
        """Refuse: a plan in S3 is previewed by its stack."""
        raise CannotOperate(IN_S3.format(plan=uri))


def _ports(place: Place, keys: Keys, feed: Feed, runtime: NetworkRuntime) -> Ports:
    """The deployed broker and market, a store of this process, and nothing that acts."""
    source, store, nothing = FixedKeys(keys), MemoryStore(), _Nothing()
    trading_url, data_url = (place.trading_url, place.data_url) if place.is_simulated else (None, None)
    api = trading_api(source, place.mode, runtime.mount, trading_url)
    limiter = RequestLimiter(store, runtime, REQUESTS_PER_MINUTE)
    data_limiter = RequestLimiter(store, runtime, DATA_REQUESTS_PER_MINUTE[feed], kind=DATA)
    streams = deployed(addresses(place.mode, feed, trading_url, data_url), feed)
    return Ports(
        broker=rate_limited(lambda take: AlpacaBroker(api, take, place.mode, runtime.now), limiter),
        market=AlpacaMarket(data_api(source, runtime.mount, data_url), feed, data_limiter.require_while_up),
        store=store,
        notifier=nothing,
        journal=nothing,
        plans=nothing,
        runtime=runtime,
        signals=AlpacaSignals(runtime.streams(streams), source, runtime),
    )
