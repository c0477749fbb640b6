"""Sessions that carry the keys: one host, no redirect, and nothing from the environment's network settings."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, cast

import boto3  # noqa: TID251 - the deployed clients are under test
import pytest
import requests
from alpaca.common.rest import RESTClient  # noqa: TID251 - its session is under test
from moto import mock_aws

from repeg import wiring
from repeg.adapters.alpaca import clients
from repeg.adapters.alpaca.http import Connection, trading_api
from repeg.adapters.alpaca.keys import SIMULATED, FixedKeys, TradingMode
from repeg.adapters.alpaca.market_data import data_api
from repeg.adapters.runtime import SystemRuntime
from repeg.adapters.secrets import SecretKeys
from repeg.domain.broker import Unknown
from tests.adapters.brokers import OURS, a_broker, a_market, an_order_row, mount
from tests.adapters.scripted_server import answer, scripted
from tests.contracts.words import an_intent, an_order

KEYS = FixedKeys(SIMULATED)
HEADERS = {"apca-api-key-id", "apca-api-secret-key", "authorization"}
ENVIRONMENT = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy")
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE")

APIS: dict[str, Callable[[], Connection]] = {
    "trading": lambda: trading_api(KEYS, TradingMode.PAPER, mount),
    "live trading": lambda: trading_api(KEYS, TradingMode.LIVE, mount),
    "data": lambda: data_api(KEYS, mount),
}


def session_of(api: Connection) -> requests.Session:
    """The session of this thread's client."""
    client = api._client(SIMULATED)
    assert isinstance(client, RESTClient)
    return client._session


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment with a proxy and a foreign CA bundle."""
    for name in ENVIRONMENT:
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in BUNDLES:
        monkeypatch.setenv(name, "no-such-file/foreign.pem")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.mark.parametrize("api", APIS.values(), ids=APIS)
@pytest.mark.usefixtures("proxied")
def test_a_session_with_keys_ignores_proxies_and_ca_bundles(api: Callable[[], Connection]) -> None:
    session = session_of(api())
    settings = session.merge_environment_settings("https://api.alpaca.markets", {}, None, None, None)
    assert (session.trust_env, dict(settings["proxies"]), settings["verify"]) == (False, {}, True)


@pytest.mark.usefixtures("proxied")
def test_no_proxy_of_the_environment_receives_the_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted() as proxy, scripted(answer(200, an_order_row()), answer(200, {"quotes": {}})) as script:
        for name in ENVIRONMENT:
            monkeypatch.setenv(name, proxy.url)
        a_broker(script).order_by_broker_id("x")
        a_market(script).quotes(["AAPL"])
    assert (len(script.asked), proxy.asked) == (2, [])


def test_a_netrc_file_adds_no_credentials_to_a_request(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with scripted(answer(200, an_order_row())) as script:
        a_broker(script).order_by_broker_id("x")
    assert "authorization" not in script.asked[0].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_receives_no_request(status: int) -> None:
    with scripted() as elsewhere:
        redirect = answer(status, b"", Location=f"{elsewhere.url}/v2/orders")
        with scripted(redirect) as script:
            assert isinstance(a_broker(script).submit(an_intent(an_order())), Unknown)
    assert (len(script.asked), elsewhere.asked) == (1, [])


@pytest.mark.parametrize("status", [301, 307])
def test_a_session_that_follows_redirects_sends_no_key_elsewhere(status: int) -> None:
    """The session itself refuses: it does not depend on the options of alpaca-py's requests."""
    with ExitStack() as stack:
        elsewhere = stack.enter_context(scripted(answer(200, an_order_row())))
        redirect = answer(status, b"", Location=f"{elsewhere.url}/v2/account")
        script = stack.enter_context(scripted(redirect))
        session = session_of(trading_api(KEYS, TradingMode.PAPER, mount, script.url))
        session.hooks["response"].clear()
        with pytest.raises(requests.exceptions.RequestException):
            session.get(f"{script.url}/v2/account", headers=dict.fromkeys(HEADERS, "secret"), allow_redirects=True)
    assert (len(script.asked), elsewhere.asked) == (1, [])


@pytest.mark.parametrize("api", APIS.values(), ids=APIS)
@pytest.mark.parametrize(
    "url",
    [
        "http://api.alpaca.markets/v2/account",
        "http://paper-api.alpaca.markets/v2/account",
        "http://data.alpaca.markets/v2/stocks",
        "https://api.alpaca.markets.example/v2/account",
        "https://paper-api.alpaca.markets@127.0.0.1/v2/account",
        "https://data.alpaca.markets:8443/v2/stocks",
        "http://127.0.0.1:9/v2/account",
    ],
)
def test_a_session_with_keys_reaches_no_other_host(api: Callable[[], Connection], url: str) -> None:
    with pytest.raises(requests.exceptions.InvalidSchema):
        session_of(api()).get(url)


# AWS


@pytest.mark.usefixtures("proxied")
def test_aws_clients_ignore_proxies_and_ca_bundles() -> None:
    with mock_aws():
        boto3.client("secretsmanager", region_name="us-east-1", verify=True).create_secret(
            Name="keys", SecretString='{"key_id": "PKX", "secret_key": "x"}'
        )
        environment = {"TABLE_NAME": "runs", "TRADING_MODE": "paper", "BROKER_SECRET_ARN": "keys"}
        ports = wiring.build(environment, SystemRuntime())
        secrets = SecretKeys("keys", TradingMode.PAPER)
    adapters = cast("Any", ports)
    bus = adapters.notifier
    while not hasattr(bus, "_client"):
        bus = bus._notifier  # the wrappers count and describe
    clients = [adapters.store._table._client, bus._client, adapters.plans._client]
    for client in [*clients, cast("Any", secrets)._provider.client]:
        http = client._endpoint.http_session
        assert (http._proxy_config.proxy_url_for("https://example.com"), http._verify) == (None, True)


def test_an_answer_leaves_nothing_for_the_garbage_collector() -> None:
    with scripted(answer(200, an_order_row())) as script:
        broker = a_broker(script)
        gc.collect()
        gc.disable()
        try:
            assert broker.order(OURS) is not None
            left = [each for each in gc.get_objects() if issubclass(type(each), requests.Response)]
        finally:
            gc.enable()
    assert left == []


def test_an_answer_that_comes_again_is_not_decoded_again() -> None:
    rows = answer(200, [an_order_row()])
    with scripted(rows, rows, answer(200, [an_order_row(status="filled")])) as script:
        broker = a_broker(script)
        before = clients._same_again.cache_info().hits
        assert broker.open_orders() == broker.open_orders()
        assert clients._same_again.cache_info().hits == before + 1
        assert [order.status for order in broker.open_orders()] == ["filled"]


def test_a_long_answer_is_not_kept() -> None:
    clients._same_again.cache_clear()
    with scripted(answer(200, [an_order_row(note="x" * clients.KEPT_LENGTH)])) as script:
        assert len(a_broker(script).open_orders()) == 1
    assert clients._same_again.cache_info().currsize == 0
