"""Builds the ports from the environment, once per container, on first use."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from ipaddress import IPv4Network, ip_address
from urllib.parse import urlsplit

import boto3
from aws_lambda_powertools import Logger

from repeg.adapters.alert_metrics import CountingNotifier
from repeg.adapters.alpaca.broker import AlpacaBroker
from repeg.adapters.alpaca.http import trading_api
from repeg.adapters.alpaca.keys import SIMULATED, FixedKeys, KeySource, TradingMode
from repeg.adapters.alpaca.market_data import AlpacaMarket, data_api
from repeg.adapters.alpaca.signals import AlpacaSignals, addresses, deployed
from repeg.adapters.aws import AWS, AWS_ONCE
from repeg.adapters.counting_journal import CountingJournal
from repeg.adapters.describing_notifier import DescribingNotifier
from repeg.adapters.durable_journal import DurableJournal
from repeg.adapters.dynamodb.store import DynamoStore
from repeg.adapters.eventbridge import EventNotifier
from repeg.adapters.logs import LogJournal
from repeg.adapters.order_events import EventBus, OrderEvents
from repeg.adapters.rate_limited_broker import rate_limited
from repeg.adapters.request_limiter import RequestLimiter
from repeg.adapters.runtime import NetworkRuntime, SystemRuntime
from repeg.adapters.s3 import S3Objects, S3Plans
from repeg.adapters.secrets import SecretKeys
from repeg.adapters.usage_meter import DATA as DATA_REQUESTS
from repeg.adapters.usage_meter import TRADING, UsageMeter
from repeg.domain.errors import InvalidSettings
from repeg.domain.notice import described
from repeg.domain.order_ids import LOCAL_TAG, stack_tag
from repeg.domain.page_address import PageAddress
from repeg.domain.request_quota import DATA, DATA_REQUESTS_PER_MINUTE, requests_per_minute
from repeg.domain.setting_types import Feed
from repeg.lambda_step import count, flush_at_end, measure, use_at_end
from repeg.ports import Journal, Ports, Runtime

FEEDS = tuple(feed.value for feed in Feed)

_LOCAL_NAMES = frozenset({"localhost", "host.docker.internal"})
_DOCKER_BRIDGE = IPv4Network("172.17.0.0/16")


class _Wiring:
    """The runtime and ports of this container."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.runtime: NetworkRuntime | None = None
        self.ports: Ports | None = None


_wiring = _Wiring()


def ports() -> Ports:
    """The ports of this container, built on first use. Raises InvalidSettings naming the invalid variable."""
    with _wiring.lock:
        if _wiring.ports is None:
            _wiring.ports = build(os.environ, _wiring.runtime or SystemRuntime())
        return _wiring.ports


def runtime() -> NetworkRuntime | None:
    """The runtime that was put in place of the deployed one, if any."""
    return _wiring.runtime


def use(runtime: NetworkRuntime | None) -> None:
    """Discard the ports, and build the next ones on this runtime (None: the deployed one)."""
    use_at_end()
    with _wiring.lock:
        _wiring.runtime = runtime
        _wiring.ports = None


def provide(ports: Ports | None) -> None:
    """Install the ports of a test or a simulation; None removes them."""
    if ports is None:
        use_at_end()
    with _wiring.lock:
        _wiring.ports = ports


def build(environment: Mapping[str, str], runtime: NetworkRuntime) -> Ports:
    """The deployed ports. Raises InvalidSettings naming the invalid variable."""
    mode = _one_of(environment, "TRADING_MODE", tuple(word.value for word in TradingMode))
    trading_url, data_url = simulated_urls(environment)
    keys = _keys(environment, TradingMode(mode), is_simulated=trading_url is not None)
    feed = Feed(_one_of({"DATA_FEED": "iex", **environment}, "DATA_FEED", FEEDS))
    client, table = boto3.client("dynamodb", config=AWS, verify=True), _required(environment, "TABLE_NAME")
    store = DynamoStore(
        client,
        table,
        runtime.pause,
        needs_arming=mode == TradingMode.LIVE,
    )
    meter = UsageMeter(client, table)
    use_at_end(meter.ended)
    api = trading_api(keys, TradingMode(mode), meter.counting(runtime.mount, TRADING), trading_url)
    quotes = data_api(keys, meter.counting(runtime.mount, DATA_REQUESTS), data_url)
    limiter = RequestLimiter(store, runtime, requests_per_minute(environment), count)
    data_limiter = RequestLimiter(store, runtime, DATA_REQUESTS_PER_MINUTE[feed], kind=DATA)
    bus = EventNotifier(boto3.client("events", config=AWS, verify=True))
    streams = deployed(addresses(TradingMode(mode), feed, trading_url, data_url), feed)
    return Ports(
        broker=rate_limited(lambda take: AlpacaBroker(api, take, TradingMode(mode), runtime.now), limiter),
        market=AlpacaMarket(quotes, feed, data_limiter.require_while_up),
        store=store,
        notifier=CountingNotifier(
            DescribingNotifier(
                bus,
                environment.get("STACK_NAME", ""),
                PageAddress(bucket=environment.get("JOURNAL_BUCKET", ""), stack_id=environment.get("STACK_ID", "")),
                is_live=mode == TradingMode.LIVE,
            ),
            count,
            measure,
        ),
        journal=CountingJournal(kept(LogJournal(Logger()), environment, bus, runtime), count),
        plans=S3Plans(boto3.client("s3", config=AWS, verify=True)),
        runtime=runtime,
        signals=AlpacaSignals(runtime.streams(streams), keys, runtime),
        tag=stack_tag(environment["STACK_ID"]) if environment.get("STACK_ID") else LOCAL_TAG,
        meter=meter,
    )


def kept(journal: Journal, environment: Mapping[str, str], bus: EventBus, runtime: Runtime) -> Journal:
    """The journal, with its news of orders published, and with every entry kept in the bucket JOURNAL_BUCKET, where one
    is named. Both happen when a step has ended: first the news, so that the journal has what became of it."""
    bucket, stack = environment.get("JOURNAL_BUCKET", ""), environment.get("STACK_NAME", "")
    objects = S3Objects(lambda: boto3.client("s3", config=AWS_ONCE, verify=True), bucket)
    durable = DurableJournal(journal, objects, count) if bucket else None
    is_live = environment.get("TRADING_MODE") == TradingMode.LIVE
    events = OrderEvents(
        durable or journal,
        bus,
        lambda kind, detail: described(kind, detail, is_live=is_live, stack=stack),
        runtime.now,
    )
    flush_at_end(events.flush, *([durable.flush] if durable else []))
    return events


def simulated_urls(environment: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The URLs of a simulated broker, from BROKER_URL and DATA_URL; None and None for Alpaca.

    Both must be set together, point to this machine, and be used in paper mode only: no variable can send a live order
    or live keys anywhere but to Alpaca.
    """
    given = {name: environment.get(name, "") for name in ("BROKER_URL", "DATA_URL")}
    if not any(given.values()):
        return None, None
    for name, url in given.items():
        if environment.get("TRADING_MODE") != TradingMode.PAPER:
            raise InvalidSettings(name, url, "no value unless TRADING_MODE is paper")
        if not is_local(url):
            raise InvalidSettings(name, url, "http://<host>:<port> on this machine, for both or for neither")
    return given["BROKER_URL"], given["DATA_URL"]


def is_local(url: str) -> bool:
    """Whether a URL is an http address of this machine without a path, as seen from it or from a container on it."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or parts.username or parts.path or parts.query or parts.fragment:
        return False
    host = parts.hostname or ""
    if host in _LOCAL_NAMES:
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address in _DOCKER_BRIDGE


def _keys(environment: Mapping[str, str], mode: TradingMode, *, is_simulated: bool) -> KeySource:
    """The secret's keys for Alpaca. A simulated address gets the simulated keys, even if a secret is named."""
    if is_simulated:
        return FixedKeys(SIMULATED)
    return SecretKeys(_required(environment, "BROKER_SECRET_ARN"), mode)


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise InvalidSettings(name, value, "a value")
    return value


def _one_of(environment: Mapping[str, str], name: str, words: tuple[str, ...]) -> str:
    value = environment.get(name, "")
    if value not in words:
        raise InvalidSettings(name, value, f"one of {', '.join(words)}")
    return value
