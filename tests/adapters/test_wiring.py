"""Building the ports from the environment: accepted values, refusals by name, and a single build."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import boto3  # noqa: TID251 - the secret has to come from somewhere
import pytest
from moto import mock_aws

from repeg import lambda_step, wiring
from repeg.adapters.alpaca.broker import AlpacaBroker
from repeg.adapters.alpaca.keys import SIMULATED, TradingMode
from repeg.adapters.dynamodb.store import DynamoStore
from repeg.adapters.runtime import SystemRuntime
from repeg.domain.errors import BrokerUnavailable, InvalidSettings
from repeg.domain.order_ids import LOCAL_TAG
from repeg.ports import Ports
from tests.contracts.tables import create_table

LOCAL = {"BROKER_URL": "http://127.0.0.1:8080", "DATA_URL": "http://127.0.0.1:8080"}
PAPER = {"TABLE_NAME": "runs", "TRADING_MODE": "paper"}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Mocked AWS services; no ports are cached before or after."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    for name in (
        "BROKER_URL",
        "DATA_URL",
        "BROKER_SECRET_ARN",
        "TABLE_NAME",
        "TRADING_MODE",
        "DATA_FEED",
        "STACK_NAME",
        "STACK_ID",
    ):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield
    wiring.provide(None)
    wiring.use(None)


def secret(**content: str) -> str:
    """The ARN of a secret with that content."""
    client = boto3.client("secretsmanager", region_name="us-east-1")
    return client.create_secret(Name="keys", SecretString=json.dumps(content))["ARN"]


def built(**environment: str) -> Ports:
    """The ports built from an environment."""
    return wiring.build({**PAPER, **environment}, SystemRuntime())


def test_every_data_request_draws_on_the_feeds_own_quota() -> None:
    create_table(boto3.client("dynamodb", region_name="us-east-1"), "runs")
    for feed, per_minute in (("iex", 200), ("sip", 10_000)):
        ports = built(**LOCAL, DATA_FEED=feed)
        taken: Any = ports.market
        limiter = taken._take_request.__self__
        assert (limiter._kind, limiter._per_minute) == ("data@", per_minute)


def alpaca(ports: Ports) -> Any:
    """The adapter behind the request budget."""
    return cast("Any", ports.broker)._broker


def test_each_stack_has_a_tag_of_its_own_for_its_orders() -> None:
    """Stacks of one name have different ids: in two regions, or when one is deleted and created anew.

    Without a stack, as on one's own machine, the tag is that of a local program."""
    arn = secret(key_id="PKX", secret_key="x")
    uuids = ("6f2b3c50-cb0e-11f0-8f5a-0affd1a2b3c5", "0d9e7a10-cb11-11f0-9b1c-0affd1a2b3c5")
    given = [{"STACK_ID": f"arn:aws:cloudformation:us-east-1:123456789012:stack/repeg-paper/{uuid}"} for uuid in uuids]
    tags = [built(BROKER_SECRET_ARN=arn, STACK_NAME="repeg-paper", **each).tag for each in (*given, {})]
    assert len(set(tags)) == 3
    assert tags[2] == LOCAL_TAG


def test_paper_mode_with_a_secret_builds_all_ports() -> None:
    ports = built(BROKER_SECRET_ARN=secret(key_id="PKX", secret_key="x"))
    assert isinstance(alpaca(ports), AlpacaBroker)
    assert [alpaca(each)._mode for each in (ports, ports.for_closing())] == [TradingMode.PAPER, TradingMode.PAPER]
    assert isinstance(ports.store, DynamoStore)


def test_the_trading_mode_alone_selects_the_endpoint() -> None:
    arn = secret(key_id="CKX", secret_key="x")
    hosts = {}
    for mode in ("paper", "live"):
        api = alpaca(built(TRADING_MODE=mode, BROKER_SECRET_ARN=arn))._api
        hosts[mode] = str(api._client(api._keys.current())._base_url.value)
    assert hosts == {"paper": "https://paper-api.alpaca.markets", "live": "https://api.alpaca.markets"}


def test_only_a_live_stack_needs_arming() -> None:
    arn = secret(key_id="CKX", secret_key="x")
    now = datetime(2026, 11, 23, 17, tzinfo=UTC)
    create_table(boto3.client("dynamodb", region_name="us-east-1"), "runs")
    armed = {mode: built(TRADING_MODE=mode, BROKER_SECRET_ARN=arn).store.is_armed(now) for mode in ("paper", "live")}
    assert armed == {"paper": True, "live": False}


def test_the_simulated_broker_needs_no_secret() -> None:
    broker = alpaca(built(**LOCAL))
    keys = broker._api._keys.current()
    assert keys.key_id.get_secret_value() == "PKSIMULATED000000000"
    assert broker._api._client(keys)._base_url == "http://127.0.0.1:8080"


def test_a_simulated_address_never_gets_the_keys_of_a_named_secret() -> None:
    """The address may be plain HTTP to a container, and the deployed environment always names the secret."""
    ports = built(**LOCAL, BROKER_SECRET_ARN=secret(key_id="PKREAL", secret_key="real"))
    apis = [alpaca(ports)._api, alpaca(ports.for_closing())._api, cast("Any", ports.market)._api]
    assert [api._keys.current() for api in apis] == [SIMULATED] * 3


def test_a_simulated_address_needs_no_readable_secret() -> None:
    """The keys are not even fetched."""
    assert alpaca(built(**LOCAL, BROKER_SECRET_ARN="arn:aws:secretsmanager:us-east-1:1:secret:none-a1b2c3"))


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"TRADING_MODE": ""}, "TRADING_MODE"),
        ({"TRADING_MODE": "Live"}, "TRADING_MODE"),
        ({"TABLE_NAME": "", **LOCAL}, "TABLE_NAME"),
        ({"REQUESTS_PER_MINUTE": "59", **LOCAL}, "REQUESTS_PER_MINUTE"),
        ({"REQUESTS_PER_MINUTE": "many", **LOCAL}, "REQUESTS_PER_MINUTE"),
        ({}, "BROKER_SECRET_ARN"),
        ({"DATA_FEED": "delayed_sip", **LOCAL}, "DATA_FEED"),
        ({"DATA_FEED": "", **LOCAL}, "DATA_FEED"),
        ({"TRADING_MODE": "live", **LOCAL}, "BROKER_URL"),
        ({"TRADING_MODE": "live", "DATA_URL": "http://127.0.0.1:1"}, "BROKER_URL"),
        ({"BROKER_URL": "http://127.0.0.1:8080"}, "DATA_URL"),
        ({"DATA_URL": "http://127.0.0.1:8080"}, "BROKER_URL"),
        ({**LOCAL, "BROKER_URL": "https://api.alpaca.markets"}, "BROKER_URL"),
        ({**LOCAL, "DATA_URL": "http://127.0.0.1.example.com"}, "DATA_URL"),
    ],
)
def test_an_invalid_variable_is_refused_by_name(environment: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        built(**environment)
    assert refused.value.field == named


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8080",
        "http://127.9.9.9",
        "http://localhost:1",
        "http://[::1]:8080",
        "http://host.docker.internal:8080",
        "http://172.17.0.1:8080",
        "https://localhost",
    ],
)
def test_a_loopback_address_is_local(url: str) -> None:
    assert wiring.is_local(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8080",
        "ftp://127.0.0.1",
        "http://127.0.0.1:8080/",
        "http://127.0.0.1:8080/v2",
        "http://127.0.0.1@evil.example",
        "http://me:pw@127.0.0.1",
        "http://127.0.0.1?x",
        "http://127.0.0.1#x",
        "http://10.0.0.1",
        "http://172.31.0.1",
        "http://169.254.169.254",
        "http://0.0.0.0",
        "http://localhost.example",
        "http://paper-api.alpaca.markets",
    ],
)
def test_a_remote_or_malformed_address_is_not_local(url: str) -> None:
    assert not wiring.is_local(url)


def test_keys_of_the_other_endpoint_are_refused() -> None:
    with pytest.raises(InvalidSettings, match="expected live"):
        built(BROKER_SECRET_ARN=secret(key_id="AKX", secret_key="x"))


@pytest.mark.parametrize("content", [{}, {"key_id": "PKX"}, {"key_id": "PKX", "secret_key": ""}])
def test_a_secret_without_keys_is_refused_by_its_arn(content: dict[str, str]) -> None:
    with pytest.raises(InvalidSettings) as refused:
        built(BROKER_SECRET_ARN=secret(**content))
    assert refused.value.field == "BROKER_SECRET_ARN"


def test_an_unreadable_secret_raises_unavailable() -> None:
    with pytest.raises(BrokerUnavailable, match="the keys cannot be read"):
        built(BROKER_SECRET_ARN="arn:aws:secretsmanager:us-east-1:123456789012:secret:none-a1b2c3")


# Once


def use_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a valid environment."""
    for name, value in {**PAPER, **LOCAL}.items():
        monkeypatch.setenv(name, value)


class Still(SystemRuntime):
    """A runtime whose clock stands still."""

    def now(self) -> datetime:
        """Noon."""
        return datetime(2026, 3, 5, 17, tzinfo=UTC)


def test_the_ports_are_built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    use_environment(monkeypatch)
    assert wiring.ports() is wiring.ports()


def test_another_runtime_discards_the_cached_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    use_environment(monkeypatch)
    deployed, still = wiring.ports(), Still()
    wiring.use(still)
    assert wiring.ports().runtime is still
    assert wiring.ports() is not deployed
    wiring.use(None)
    assert not isinstance(wiring.ports().runtime, Still)


def test_the_deployed_ports_count_the_alerts_that_they_publish(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every function publishes through this notifier."""
    use_environment(monkeypatch)
    lambda_step.discard_counts()
    with mock_aws():
        notifier = wiring.build({**PAPER, **LOCAL}, Still()).notifier
        for kind in ("repeg.watch.order_lost", "repeg.watch.order_lost", "repeg.run.failed"):
            notifier.publish(kind, {"run_id": "core-2026-11-23"})
    counted = dict(lambda_step._counts)
    lambda_step.discard_counts()
    assert counted == {"OrdersLost": 2}


def test_complete_ports_can_be_provided(monkeypatch: pytest.MonkeyPatch) -> None:
    use_environment(monkeypatch)
    own = wiring.build({**PAPER, **LOCAL}, Still())
    wiring.provide(own)
    assert wiring.ports() is own
    wiring.provide(None)
    assert wiring.ports() is not own


def test_a_failed_build_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidSettings):
        wiring.ports()
    use_environment(monkeypatch)
    assert isinstance(wiring.ports(), Ports)
