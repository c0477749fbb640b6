"""Canary broker keys never appear in an exception, traceback, local variable, pickle, log or answer."""

from __future__ import annotations

import io
import json
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import boto3  # noqa: TID251 - the secret has to come from somewhere
import pytest
from alpaca.common.exceptions import APIError  # noqa: TID251 - what the adapters never let out
from aws_lambda_powertools import Logger
from moto import mock_aws
from pydantic import ValidationError

from repeg.adapters.alpaca.broker import AlpacaBroker
from repeg.adapters.alpaca.http import trading_api
from repeg.adapters.alpaca.keys import FixedKeys, Keys, TradingMode, ensure_keys_fit
from repeg.adapters.alpaca.market_data import AlpacaMarket, data_api
from repeg.adapters.secrets import SecretKeys
from repeg.domain.errors import InvalidSettings, RepegError
from tests.adapters.brokers import BROKER_ID, OURS, mount
from tests.adapters.scripted_server import Reply, Script, answer, break_off, drip, hang_up, say_nothing, scripted
from tests.contracts.words import a_change, an_intent, an_order

KEY_ID = "AKCANARYKEYIDENTIFIER"
SECRET = "canary-sings-where-it-should-not"
CANARIES = (KEY_ID, SECRET)
KEYS = Keys.model_validate({"key_id": KEY_ID, "secret_key": SECRET})

BAD_REPLIES: list[Reply] = [
    answer(401, {"message": "unauthorized."}),
    answer(403, b"<html>forbidden</html>"),
    answer(422, {"code": 42210000, "message": "no"}),
    answer(429),
    answer(500, b"oops"),
    answer(504),
    answer(200),
    answer(200, b"<html>"),
    answer(200, {"id": 1}),
    answer(302, b"", Location="http://127.0.0.1:1/"),
    hang_up,
    say_nothing,
    drip,
    break_off,
]


def texts_about(error: BaseException) -> Iterator[str]:
    """Every text that could be logged of an exception: itself, its causes and contexts, and their frames."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        yield from (str(current), repr(current), repr(vars(current)), repr(current.args), repr(pickled(current)))
        yield from frames_of(current)
        waiting += [current.__cause__, current.__context__]


def frames_of(error: BaseException) -> Iterator[str]:
    """The frames with their local variables, except this test's own, which hold the canaries."""
    frames = traceback.walk_tb(error.__traceback__)
    for frame in traceback.StackSummary.extract(frames, capture_locals=True):
        if "/tests/" not in frame.filename:
            yield repr(frame.locals)


def pickled(error: BaseException) -> bytes:
    """The pickled exception, or nothing if it cannot be pickled."""
    try:
        return pickle.dumps(error)
    except (TypeError, AttributeError, pickle.PicklingError):
        return b""


def assert_no_canary(texts: Iterator[str]) -> None:
    """Fail if a text contains a canary."""
    found = [(canary, text[:300]) for text in texts for canary in CANARIES if canary in text]
    assert not found


def a_broker(script: Script) -> AlpacaBroker:
    """A broker adapter with the canaries as keys."""
    return AlpacaBroker(trading_api(FixedKeys(KEYS), TradingMode.PAPER, mount, script.url))


def calls(script: Script) -> list[Callable[[], Any]]:
    """Every kind of call."""
    broker = a_broker(script)
    market = AlpacaMarket(data_api(FixedKeys(KEYS), mount, script.url), "iex")
    return [
        broker.clock,
        broker.open_orders,
        broker.account,
        lambda: broker.order(OURS),
        lambda: broker.submit(an_intent(an_order())),
        lambda: broker.cancel(BROKER_ID),
        lambda: broker.replace(BROKER_ID, a_change("189.42", "rp-next")),
        lambda: market.quotes(["AAPL"]),
    ]


@pytest.mark.parametrize("reply", BAD_REPLIES)
@pytest.mark.parametrize("call", range(8))
def test_no_failed_call_leaks_the_keys(reply: Reply, call: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with scripted(reply, reply) as script:
        try:
            output = repr(calls(script)[call]())
        except RepegError as error:
            assert_no_canary(texts_about(error))
            output = str(error)
        assert script.asked[0].headers["apca-api-secret-key"] == SECRET
    assert_no_canary(iter([output, caplog.text]))


def test_an_exception_of_alpaca_py_itself_contains_the_canary() -> None:
    """Shows that the check can fail."""
    with scripted(answer(500)) as script:
        client = a_broker(script)._api._client(KEYS)  # type: ignore[attr-defined]
        with pytest.raises(APIError) as raised:
            client.get("/clock")
    with pytest.raises(AssertionError):
        assert_no_canary(texts_about(raised.value))


def test_a_logged_traceback_contains_no_canary() -> None:
    stream, name = io.StringIO(), "logged-traceback"  # Powertools configures a name once for each process
    logger = Logger(service=name, logger_handler=logging.StreamHandler(stream), serialize_stacktrace=True)
    with scripted(answer(500)) as script:
        try:
            a_broker(script).clock()
        except RepegError:
            logger.exception("failed")
    assert "BrokerUnavailable" in stream.getvalue()
    assert_no_canary(iter([stream.getvalue()]))


def test_keys_never_print_their_values() -> None:
    assert_no_canary(iter([repr(KEYS), str(KEYS), KEYS.model_dump_json(), json.dumps(KEYS.model_dump(), default=str)]))


@pytest.mark.parametrize("content", [{"key_id": KEY_ID}, {"key_id": [SECRET], "secret_key": KEY_ID}, [SECRET]])
def test_an_invalid_pair_of_keys_is_not_printed(content: object) -> None:
    with pytest.raises(ValidationError) as raised:
        Keys.model_validate(content)
    assert_no_canary(iter([str(raised.value), repr(raised.value)]))


def test_a_refusal_of_the_other_endpoints_keys_does_not_print_them() -> None:
    with pytest.raises(InvalidSettings) as raised:
        ensure_keys_fit(KEYS, TradingMode.PAPER)
    assert_no_canary(texts_about(raised.value))


@pytest.mark.parametrize(
    "text", [f'{{"key_id": "{KEY_ID}", "secret_key": "{SECRET}"', f'"{SECRET}"', f'{{"key_id": "{KEY_ID}"}}']
)
def test_an_unreadable_secret_is_not_printed(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        boto3.client("secretsmanager", region_name="us-east-1").create_secret(Name="keys", SecretString=text)
        with pytest.raises(InvalidSettings) as raised:
            SecretKeys("keys", TradingMode.PAPER)
    assert_no_canary(texts_about(raised.value))


def test_a_rotated_secret_of_the_other_endpoint_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        content = json.dumps({"key_id": KEY_ID, "secret_key": SECRET})
        boto3.client("secretsmanager", region_name="us-east-1").create_secret(Name="keys", SecretString=content)
        with pytest.raises(InvalidSettings) as raised:
            SecretKeys("keys", TradingMode.PAPER)
    assert_no_canary(texts_about(raised.value))
