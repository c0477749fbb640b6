"""Known failures of other programs: leaked keys, and orders sent to the wrong account."""

from __future__ import annotations

import inspect
import json
from typing import Any

import requests
from pydantic import SecretStr
from requests.adapters import BaseAdapter

from repeg import lambda_step
from repeg.adapters.alpaca.broker import AlpacaBroker
from repeg.adapters.alpaca.http import trading_api
from repeg.adapters.alpaca.keys import FixedKeys, Keys, TradingMode
from repeg.domain.errors import BrokerUnavailable, RepegError
from tests.functions.desk import OpenDesk
from tests.functions.scenes import half_filled
from tests.template.stack import functions, written

CANARY = "canary-that-must-not-leak"
PAIR = Keys(key_id=SecretStr("PKCANARY"), secret_key=SecretStr(CANARY))


class Refusing(BaseAdapter):
    """A transport that records each request's address and refuses the connection."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        self.asked.append(f"{request.method} {request.url}")
        raise requests.exceptions.ConnectionError("refused", request=request)

    def close(self) -> None: ...


def broker_in(mode: TradingMode) -> tuple[AlpacaBroker, Refusing]:
    """A broker adapter of that mode on a refusing transport."""
    line = Refusing()

    def mount(session: requests.Session) -> None:
        session.mount("https://", line)
        session.mount("http://", line)

    return AlpacaBroker(trading_api(FixedKeys(PAIR), mode, mount)), line


def test_keys_are_no_parameters_or_variables_of_the_stack() -> None:
    names = [
        *written()["Parameters"],
        *(name for function in functions().values() for name in function["Environment"]["Variables"]),
    ]
    suspicious = [name for name in names if any(word in name.lower() for word in ("apikey", "api_key", "password"))]
    secret = {name for name in names if "secret" in name.lower()}
    assert suspicious == []
    assert secret <= {"BROKER_SECRET_ARN"}  # the secret's address, not its value


def test_the_trading_mode_alone_decides_between_paper_and_live() -> None:
    for mode, host in (
        (TradingMode.PAPER, "https://paper-api.alpaca.markets"),
        (TradingMode.LIVE, "https://api.alpaca.markets"),
    ):
        broker, line = broker_in(mode)
        try:
            broker.clock()
        except BrokerUnavailable:
            assert {url.partition(" ")[2].partition("/v2")[0] for url in line.asked} == {host}
        assert line.asked


def test_a_broker_exception_contains_no_request_and_no_key() -> None:
    broker, _ = broker_in(TradingMode.PAPER)
    try:
        broker.clock()
    except RepegError as error:
        held = [error, error.__cause__, error.__context__]
        assert not any(isinstance(link, requests.RequestException) for link in held)
        assert CANARY not in repr(held) + json.dumps([str(link) for link in held])
    else:
        raise AssertionError("a broker without an answer raised no error")


def test_tracing_captures_neither_answers_nor_errors() -> None:
    source = inspect.getsource(lambda_step.lambda_step)
    assert "capture_response=False" in source
    assert "capture_error=False" in source
    for function in functions().values():
        assert function["Environment"]["Variables"]["POWERTOOLS_TRACER_CAPTURE_RESPONSE"] == "false"


def test_no_run_touches_an_order_of_the_user(open_desk: OpenDesk) -> None:
    """Neither its turns nor its close, its sweep or its watch cancels or replaces it."""
    desk = half_filled(open_desk)
    desk.submit("the-users-own")
    desk.repeg()
    desk.close()
    desk.sweep()
    desk.wait_until("15:59")
    desk.watch()
    order = desk.exchange.account.orders.by_client_id["the-users-own"]
    assert order.is_open
    touched = [path for method, path in desk.broker.line.sent if method in {"DELETE", "PATCH"}]
    assert touched
    assert not any(order.id in path for path in touched)
    assert "/orders" not in touched
