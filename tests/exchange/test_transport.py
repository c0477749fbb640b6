"""A requests session in the same process behaves as over HTTP, in virtual time."""

from typing import Any

import pytest
import requests

from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.serving.server import ExchangeServer
from repeg_workbench.exchange.serving.transport import ExchangeTransport
from tests.exchange.caller import Caller, a_caller, order_body

URL = "https://paper-api.alpaca.markets"


class Line:
    """A session connected to an exchange, and the list of its waits in seconds."""

    def __init__(self, caller: Caller) -> None:
        self.caller, self.waited = caller, list[float]()
        self.session = requests.Session()
        self.session.headers.update(caller.headers)
        ExchangeTransport(caller.exchange.handle, self._wait).mount(self.session)

    def post(self, timeout: Any = None) -> requests.Response:
        return self.session.post(URL + "/v2/orders", json=order_body(), timeout=timeout)

    def fail(self, kind: Kind, **details: Any) -> None:
        self.caller.exchange.faults.arm(Fault(kind=kind, **details))

    def _wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.caller.wait(seconds * 1000)


def test_the_transport_returns_what_a_real_socket_returns() -> None:
    paths = (
        "/v2/account",
        "/v2/clock",
        "/v2/orders?status=all",
        "/v2/nowhere",
        "/v2/stocks/quotes/latest?symbols=AAPL",
    )
    inside, outside = Line(a_caller()), a_caller()
    with ExchangeServer(outside.exchange) as server, requests.Session() as session:
        session.headers.update(outside.headers)
        for path in paths:
            here, there = inside.session.get(URL + path), session.get(server.trading_url + path)
            assert (here.status_code, here.content) == (there.status_code, there.content)
            added_by_http = {"Date", "Server"}
            assert {name: value for name, value in there.headers.items() if name not in added_by_http} == here.headers


def test_a_broken_connection_is_a_connection_error() -> None:
    line = Line(a_caller())
    line.fail(Kind.RESET_AFTER)
    with pytest.raises(requests.exceptions.ConnectionError, match="Remote end closed"):
        line.post()
    assert len(line.caller.get("/v2/orders")) == 1


@pytest.mark.parametrize("timeout", [3, (1, 3)])
def test_a_hang_lasts_for_the_read_timeout_and_raises_it(timeout: Any) -> None:
    line = Line(a_caller())
    line.fail(Kind.HANG_BEFORE, seconds=60)
    with pytest.raises(requests.exceptions.ReadTimeout):
        line.post(timeout)
    assert line.waited == [3]


def test_a_hang_without_a_timeout_lasts_until_the_server_gives_up() -> None:
    line = Line(a_caller())
    line.fail(Kind.HANG_BEFORE, seconds=60)
    with pytest.raises(requests.exceptions.ConnectionError):
        line.post()
    assert line.waited == [60]


def test_a_slow_answer_arrives_late_or_times_out() -> None:
    line = Line(a_caller())
    line.fail(Kind.SLOW, seconds=2)
    assert line.post(timeout=5).status_code == 200
    line.fail(Kind.SLOW, seconds=8)
    with pytest.raises(requests.exceptions.ReadTimeout):
        line.post(timeout=5)
    assert line.waited == [2, 5]
    assert len(line.caller.get("/v2/orders")) == 2


def test_a_late_call_is_carried_out_when_it_arrives() -> None:
    line = Line(a_caller())
    line.fail(Kind.LATE, seconds=60, delay=10)
    with pytest.raises(requests.exceptions.ReadTimeout):
        line.post(timeout=4)
    assert line.caller.get("/v2/orders") == []
    line.caller.wait(6_001)
    assert len(line.caller.get("/v2/orders")) == 1
