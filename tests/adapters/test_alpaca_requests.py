"""What goes over the wire to Alpaca: once, exactly, in time, and what comes back when the wire is bad."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from time import monotonic
from types import SimpleNamespace
from typing import Any, cast

import pytest
import requests
from alpaca.common.rest import RESTClient  # noqa: TID251 - its privates are under test
from alpaca.data.historical.stock import StockHistoricalDataClient  # noqa: TID251 - as above
from alpaca.trading.client import TradingClient  # noqa: TID251 - as above
from pydantic import SecretStr

from repeg.adapters.alpaca.broker import AlpacaBroker
from repeg.adapters.alpaca.http import disarmed, trading_api
from repeg.adapters.alpaca.keys import SIMULATED, FixedKeys, Keys, TradingMode
from repeg.adapters.runtime import SystemRuntime
from repeg.domain.broker import Accepted, CancelAnswer, Refusal, Refused, Unknown
from repeg.domain.errors import BrokerDenied, BrokerUnavailable
from repeg.domain.parent_order import Intent
from tests.adapters.brokers import (
    BROKER_ID,
    OURS,
    a_broker,
    a_market,
    an_account_row,
    an_activity_row,
    an_order_row,
    mount,
)
from tests.adapters.wire import Reply, answer, break_off, drip, hang_up, say_nothing, scripted
from tests.contracts.words import a_change, an_intent, an_order

INTENT = an_intent(an_order())
CHANGE = a_change("189.42", "rp-next")
UNAUTHORIZED = answer(401, {"message": "unauthorized."})


def market_order() -> Intent:
    """An intent without a limit."""
    return INTENT.model_copy(update={"limit": None})


# What alpaca-py does when it is left alone


@pytest.mark.parametrize("client", [TradingClient("id", "secret"), StockHistoricalDataClient("id", "secret")])
def test_the_private_switches_of_alpaca_py_are_where_they_were(client: RESTClient) -> None:
    assert (client._retry, client._retry_codes) == (3, [429, 504])
    session = disarmed(client, mount)._session
    assert (client._retry, client._retry_codes) == (0, [])
    assert session.hooks["response"]


def test_a_release_that_moves_a_switch_is_noticed() -> None:
    moved = SimpleNamespace(_retry=3, _session=requests.Session())
    with pytest.raises(RuntimeError, match="_retry_codes"):
        disarmed(cast("RESTClient", moved), mount)


def test_a_session_without_our_transport_is_refused() -> None:
    with pytest.raises(RuntimeError, match="no transport with time-outs"):
        disarmed(TradingClient("id", "secret"), lambda session: None)


# Once


@pytest.mark.parametrize("status", [404, 408, 409, 429, 500, 502, 503, 504])
def test_an_order_goes_out_once_whatever_the_server_says(status: int) -> None:
    with scripted(answer(status, {"code": status * 100_000, "message": "no"}), answer(200, an_order_row())) as script:
        assert isinstance(a_broker(script).submit(INTENT), Unknown)
    assert script.methods == ["POST"]


@pytest.mark.parametrize("reply", [hang_up, break_off, say_nothing, drip, answer(200), answer(200, b"<html>")])
def test_an_order_goes_out_once_whatever_becomes_of_the_answer(reply: Reply) -> None:
    with scripted(reply, answer(200, an_order_row())) as script:
        assert isinstance(a_broker(script).submit(INTENT), Unknown)
    assert script.methods == ["POST"]


@pytest.mark.parametrize("reply", [hang_up, say_nothing, answer(429), answer(504)])
def test_a_replacement_and_a_cancel_go_out_once_too(reply: Reply) -> None:
    with scripted(reply, reply) as script:
        broker = a_broker(script)
        assert isinstance(broker.replace(BROKER_ID, CHANGE), Unknown)
        assert broker.cancel(BROKER_ID) is CancelAnswer.UNKNOWN
    assert script.methods == ["PATCH", "DELETE"]


@pytest.mark.parametrize("reply", [hang_up, break_off])
def test_a_read_is_tried_again_after_a_lost_connection(reply: Reply) -> None:
    with scripted(reply, answer(200, an_order_row())) as script:
        report = a_broker(script).order(OURS)
    assert report is not None
    assert script.methods == ["GET", "GET"]


def test_a_read_is_tried_again_only_once() -> None:
    replies = (hang_up, hang_up, answer(200, an_order_row()))
    with scripted(*replies) as script, pytest.raises(BrokerUnavailable, match="ConnectionError"):
        a_broker(script).order(OURS)
    assert script.methods == ["GET", "GET"]


@pytest.mark.parametrize("reply", [say_nothing, answer(429), answer(504), answer(500), answer(200, b"<html>")])
def test_a_read_is_not_tried_again_for_anything_else(reply: Reply) -> None:
    with scripted(reply, answer(200, an_order_row())) as script, pytest.raises(BrokerUnavailable):
        a_broker(script).order(OURS)
    assert script.methods == ["GET"]


# In time


@pytest.mark.parametrize("reply", [say_nothing, drip])
def test_an_answer_that_does_not_come_or_does_not_end_is_given_up(reply: Reply) -> None:
    with scripted(reply) as script:
        began = monotonic()
        with pytest.raises(BrokerUnavailable, match="ReadTimeout"):
            a_broker(script).clock()
        assert monotonic() - began < 2


def test_nobody_listening_is_an_order_that_is_unknown() -> None:
    with scripted() as script:
        broker = a_broker(script)
    answer_ = broker.submit(INTENT)
    assert isinstance(answer_, Unknown)
    assert "Connect" in answer_.reason


# Exactly


def test_amounts_go_out_as_strings_of_plain_digits() -> None:
    tiny = INTENT.model_copy(update={"qty": Decimal("1E-9"), "limit": Decimal("189.4100")})
    with scripted(answer(200, an_order_row()), answer(200, an_order_row())) as script:
        broker = a_broker(script)
        broker.submit(tiny)
        broker.submit(market_order())
    assert script.asked[0].fields == {
        "symbol": "AAPL",
        "side": "buy",
        "qty": "0.000000001",
        "type": "limit",
        "limit_price": "189.4100",
        "time_in_force": "day",
        "client_order_id": OURS,
    }
    assert script.asked[1].fields == {
        "symbol": "AAPL",
        "side": "buy",
        "qty": "40",
        "type": "market",
        "time_in_force": "day",
        "client_order_id": OURS,
    }


def test_a_replacement_names_the_price_and_its_id_and_no_quantity() -> None:
    with scripted(answer(200, an_order_row(client_order_id="rp-next"))) as script:
        assert isinstance(a_broker(script).replace(BROKER_ID, CHANGE), Accepted)
    assert script.asked[0].target == f"/v2/orders/{BROKER_ID}"
    assert script.asked[0].fields == {"limit_price": "189.42", "client_order_id": "rp-next"}


def test_fractions_come_in_without_passing_through_a_float() -> None:
    body = (
        b'{"quotes": {"AAPL": {"t": "2026-03-05T17:00:00Z", "bp": 0.30000000000000001, "bs": 1, "ap": 1e1, "as": 2}}}'
    )
    with scripted(answer(200, body)) as script:
        quote = a_market(script).quotes(["AAPL"])["AAPL"]
    assert (quote.bid, quote.ask) == (Decimal("0.30000000000000001"), Decimal(10))


@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity"])
def test_what_is_no_number_is_no_answer(word: bytes) -> None:
    body = b'{"quotes": {"AAPL": {"bp": ' + word + b"}}}"
    with scripted(answer(200, body)) as script, pytest.raises(BrokerUnavailable):
        a_market(script).quotes(["AAPL"])


def test_every_data_request_names_its_feed_and_the_symbols_in_order() -> None:
    with scripted(answer(200, {"quotes": {}}), answer(200, {"trades": {}})) as script:
        market = a_market(script)
        market.quotes({"MSFT", "AAPL"})
        market.last_prices(["KO"])
    assert [request.target for request in script.asked] == [
        "/v2/stocks/quotes/latest?symbols=AAPL%2CMSFT&feed=iex",
        "/v2/stocks/trades/latest?symbols=KO&feed=iex",
    ]


# Answers that are none


@pytest.mark.parametrize(
    "body", [b"", b"<html>bad gateway</html>", b"[]", b"{}", b'"ok"', b"null", b'{"id": "x"}', b"\xff\xfe"]
)
def test_an_order_whose_answer_cannot_be_read_is_unknown(body: bytes) -> None:
    with scripted(answer(200, body)) as script:
        assert isinstance(a_broker(script).submit(INTENT), Unknown)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"null"])
def test_a_read_whose_answer_cannot_be_read_is_unavailable(body: bytes) -> None:
    with scripted(*[answer(200, body)] * 3) as script:
        broker = a_broker(script)
        for read in (broker.clock, broker.account, lambda: broker.order(OURS)):
            with pytest.raises(BrokerUnavailable):
                read()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_proves_nothing(status: int) -> None:
    elsewhere = answer(status, an_order_row(), Location="http://127.0.0.1:1/elsewhere")
    with scripted(elsewhere, elsewhere) as script:
        broker = a_broker(script)
        assert isinstance(broker.submit(INTENT), Unknown)
        with pytest.raises(BrokerUnavailable, match="Redirected"):
            broker.order(OURS)
    assert script.methods == ["POST", "GET"]


def test_an_answer_about_another_order_proves_nothing() -> None:
    other = answer(200, an_order_row(client_order_id="rp-other"))
    with scripted(other, other) as script:
        broker = a_broker(script)
        assert isinstance(broker.submit(INTENT), Unknown)
        with pytest.raises(BrokerUnavailable, match="got rp-other"):
            broker.order(OURS)


@pytest.mark.parametrize("reply", [answer(404, b"<html>"), answer(404, {"message": "endpoint not found."})])
def test_a_404_that_is_not_the_brokers_own_is_not_an_absent_order(reply: bytes) -> None:
    with scripted(reply, reply, reply) as script:
        broker = a_broker(script)
        with pytest.raises(BrokerUnavailable):
            broker.order(OURS)
        with pytest.raises(BrokerUnavailable):
            broker.assets(["AAPL"])
        assert broker.cancel(BROKER_ID) is CancelAnswer.UNKNOWN


def test_each_request_of_a_call_but_the_first_is_asked_leave_for() -> None:
    """A second page of orders, of fills, a second asset: nobody outside of the adapter knows of them."""
    orders = [an_order_row(id=str(n), client_order_id=str(n)) for n in range(500)]
    fills = [an_activity_row(id=f"20260305170000000::{n}") for n in range(100)]
    assets = [{"symbol": symbol, "tradable": True} for symbol in ("F", "KO", "T")]
    bare = an_account_row(non_marginable_buying_power=None)
    replies = [orders, [], fills, fills[:1], *assets, bare, [], []]
    asked: list[int] = []
    with scripted(*(answer(200, reply) for reply in replies)) as script:
        calls = trading_api(FixedKeys(SIMULATED), TradingMode.PAPER, mount, script.url)
        broker = AlpacaBroker(calls, lambda: asked.append(len(script.asked)))
        broker.open_orders()
        broker.executions(date(2026, 3, 5))
        broker.assets(["F", "KO", "T"])
        broker.account()
        broker.positions()
    assert asked == [1, 3, 5, 6, 8]


# Keys


class Ring:
    """Keys that were rotated: every rejection brings the next pair."""

    def __init__(self, *pairs: str) -> None:
        self.pairs = [Keys(key_id=SecretStr(name), secret_key=SecretStr(name)) for name in pairs]
        self.rejections = 0

    def current(self) -> Keys:
        """The pair in use."""
        return self.pairs[0]

    def renewed(self, rejected: Keys) -> Keys:
        """The next pair, if there is one."""
        self.rejections += 1
        if len(self.pairs) > 1:
            self.pairs.pop(0)
        return self.pairs[0]


class LostRing(Ring):
    """Keys that nobody can read any more."""

    def renewed(self, rejected: Keys) -> Keys:
        """Fail."""
        raise BrokerUnavailable("the keys cannot be read: throttled")


def keys_used(asked: Sequence[Any]) -> list[str]:
    """The key ids in the order of the requests."""
    return [request.headers["apca-api-key-id"] for request in asked]


def test_rotated_keys_are_picked_up_on_the_first_401() -> None:
    ring = Ring("PKOLD", "PKNEW")
    with scripted(UNAUTHORIZED, answer(200, an_order_row()), answer(200, an_order_row())) as script:
        broker = a_broker(script, ring)
        assert broker.order(OURS) is not None
        assert broker.order(OURS) is not None
    assert keys_used(script.asked) == ["PKOLD", "PKNEW", "PKNEW"]


def test_an_order_that_met_rotated_keys_goes_out_with_the_new_ones() -> None:
    with scripted(UNAUTHORIZED, answer(200, an_order_row())) as script:
        assert isinstance(a_broker(script, Ring("PKOLD", "PKNEW")).submit(INTENT), Accepted)
    assert keys_used(script.asked) == ["PKOLD", "PKNEW"]


def test_keys_that_stay_rejected_are_asked_for_once_a_request() -> None:
    ring = Ring("PKOLD")
    with scripted(UNAUTHORIZED, UNAUTHORIZED) as script:
        broker = a_broker(script, ring)
        with pytest.raises(BrokerDenied):
            broker.clock()
        refused = broker.submit(INTENT)
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.DENIED
    assert (len(script.asked), ring.rejections) == (2, 2)


def test_an_order_is_answered_even_where_the_new_keys_cannot_be_read() -> None:
    with scripted(UNAUTHORIZED) as script:
        refused = a_broker(script, LostRing("PKOLD")).submit(INTENT)
    assert isinstance(refused, Refused)
    assert "the keys cannot be read" in refused.message


# Threads


def test_every_worker_has_a_client_of_its_own() -> None:
    runtime = SystemRuntime(workers=4)
    together = threading.Barrier(4, timeout=5)
    sessions: set[int] = set()

    def counting(session: requests.Session) -> None:
        mount(session)
        sessions.add(id(session))

    with scripted(*[answer(200, an_order_row())] * 8) as script:
        broker = a_broker(script)
        broker._calls._mount = counting  # type: ignore[attr-defined]

        def look(_: int) -> None:
            broker.order(OURS)
            together.wait()

        runtime.map(look, range(4))
        runtime.map(look, range(4))
    assert len(sessions) == 4
