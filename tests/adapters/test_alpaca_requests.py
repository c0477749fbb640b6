"""Requests to Alpaca: sent once, exact, within the timeouts; and the handling of bad answers."""

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
from repeg.adapters.alpaca.clients import hardened
from repeg.adapters.alpaca.http import trading_api
from repeg.adapters.alpaca.keys import SIMULATED, FixedKeys, Keys, TradingMode
from repeg.adapters.runtime import SystemRuntime
from repeg.domain.broker import Accepted, CancelAnswer, Refusal, Refused, Unknown
from repeg.domain.errors import BrokerDenied, BrokerUnavailable
from repeg.domain.intent import Intent
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
from tests.adapters.scripted_server import Reply, answer, break_off, drip, hang_up, say_nothing, scripted
from tests.contracts.words import a_change, an_intent, an_order

INTENT = an_intent(an_order())
CHANGE = a_change("189.42", "rp-next")
UNAUTHORIZED = answer(401, {"message": "unauthorized."})


def market_order() -> Intent:
    """An intent without a limit."""
    return INTENT.model_copy(update={"limit": None})


# alpaca-py's defaults


@pytest.mark.parametrize("client", [TradingClient("id", "secret"), StockHistoricalDataClient("id", "secret")])
def test_alpaca_py_still_has_its_private_retry_switches(client: RESTClient) -> None:
    assert (client._retry, client._retry_codes) == (3, [429, 504])
    session = hardened(client, mount)._session
    assert (client._retry, client._retry_codes) == (0, [])
    assert session.hooks["response"]


def test_a_missing_retry_switch_raises() -> None:
    moved = SimpleNamespace(_retry=3, _session=requests.Session())
    with pytest.raises(RuntimeError, match="_retry_codes"):
        hardened(cast("RESTClient", moved), mount)


def test_a_session_without_the_bounded_transport_is_refused() -> None:
    with pytest.raises(RuntimeError, match="no transport with timeouts"):
        hardened(TradingClient("id", "secret"), lambda session: None)


# Once


@pytest.mark.parametrize("status", [404, 408, 409, 429, 500, 502, 503, 504])
def test_an_order_is_sent_once_for_any_error_status(status: int) -> None:
    with scripted(answer(status, {"code": status * 100_000, "message": "no"}), answer(200, an_order_row())) as script:
        assert isinstance(a_broker(script).submit(INTENT), Unknown)
    assert script.methods == ["POST"]


@pytest.mark.parametrize("reply", [hang_up, break_off, say_nothing, drip, answer(200), answer(200, b"<html>")])
def test_an_order_is_sent_once_if_its_answer_is_lost_or_unreadable(reply: Reply) -> None:
    with scripted(reply, answer(200, an_order_row())) as script:
        assert isinstance(a_broker(script).submit(INTENT), Unknown)
    assert script.methods == ["POST"]


@pytest.mark.parametrize("reply", [hang_up, say_nothing, answer(429), answer(504)])
def test_a_replacement_and_a_cancel_are_sent_once(reply: Reply) -> None:
    with scripted(reply, reply) as script:
        broker = a_broker(script)
        assert isinstance(broker.replace(BROKER_ID, CHANGE), Unknown)
        assert broker.cancel(BROKER_ID) is CancelAnswer.UNKNOWN
    assert script.methods == ["PATCH", "DELETE"]


@pytest.mark.parametrize("reply", [hang_up, break_off])
def test_a_read_is_retried_after_a_lost_connection(reply: Reply) -> None:
    with scripted(reply, answer(200, an_order_row())) as script:
        report = a_broker(script).order(OURS)
    assert report is not None
    assert script.methods == ["GET", "GET"]


def test_a_read_is_retried_only_once() -> None:
    replies = (hang_up, hang_up, answer(200, an_order_row()))
    with scripted(*replies) as script, pytest.raises(BrokerUnavailable, match="ConnectionError"):
        a_broker(script).order(OURS)
    assert script.methods == ["GET", "GET"]


@pytest.mark.parametrize("reply", [say_nothing, answer(429), answer(504), answer(500), answer(200, b"<html>")])
def test_a_read_is_not_retried_after_other_failures(reply: Reply) -> None:
    with scripted(reply, answer(200, an_order_row())) as script, pytest.raises(BrokerUnavailable):
        a_broker(script).order(OURS)
    assert script.methods == ["GET"]


# In time


@pytest.mark.parametrize("reply", [say_nothing, drip])
def test_a_missing_or_endless_answer_times_out(reply: Reply) -> None:
    with scripted(reply) as script:
        began = monotonic()
        with pytest.raises(BrokerUnavailable, match="ReadTimeout"):
            a_broker(script).clock()
        assert monotonic() - began < 2


def test_an_order_sent_to_a_closed_port_is_unknown() -> None:
    with scripted() as script:
        broker = a_broker(script)
    answer_ = broker.submit(INTENT)
    assert isinstance(answer_, Unknown)
    assert "Connect" in answer_.reason


# Exactly


def test_amounts_are_sent_as_plain_decimal_strings() -> None:
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


def test_a_replacement_sends_its_price_and_id_but_no_quantity() -> None:
    with scripted(answer(200, an_order_row(client_order_id="rp-next"))) as script:
        assert isinstance(a_broker(script).replace(BROKER_ID, CHANGE), Accepted)
    assert script.asked[0].target == f"/v2/orders/{BROKER_ID}"
    assert script.asked[0].fields == {"limit_price": "189.42", "client_order_id": "rp-next"}


def test_prices_are_parsed_without_floats() -> None:
    body = (
        b'{"quotes": {"AAPL": {"t": "2026-03-05T17:00:00Z", "bp": 0.30000000000000001, "bs": 1, "ap": 1e1, "as": 2}}}'
    )
    with scripted(answer(200, body)) as script:
        quote = a_market(script).quotes(["AAPL"])["AAPL"]
    assert (quote.bid, quote.ask) == (Decimal("0.30000000000000001"), Decimal(10))


@pytest.mark.parametrize("word", [b"NaN", b"Infinity", b"-Infinity"])
def test_a_non_finite_number_makes_the_answer_unreadable(word: bytes) -> None:
    body = b'{"quotes": {"AAPL": {"bp": ' + word + b"}}}"
    with scripted(answer(200, body)) as script, pytest.raises(BrokerUnavailable):
        a_market(script).quotes(["AAPL"])


def test_each_data_request_names_its_feed_and_sorted_symbols() -> None:
    with scripted(answer(200, {"quotes": {}}), answer(200, {"trades": {}})) as script:
        market = a_market(script)
        market.quotes({"MSFT", "AAPL"})
        market.last_trades(["KO"])
    assert [request.target for request in script.asked] == [
        "/v2/stocks/quotes/latest?symbols=AAPL%2CMSFT&feed=iex",
        "/v2/stocks/trades/latest?symbols=KO&feed=iex",
    ]


# Unreadable answers


@pytest.mark.parametrize(
    "body", [b"", b"<html>bad gateway</html>", b"[]", b"{}", b'"ok"', b"null", b'{"id": "x"}', b"\xff\xfe"]
)
def test_an_order_with_an_unreadable_answer_is_unknown(body: bytes) -> None:
    with scripted(answer(200, body)) as script:
        assert isinstance(a_broker(script).submit(INTENT), Unknown)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b"null"])
def test_a_read_with_an_unreadable_answer_is_unavailable(body: bytes) -> None:
    with scripted(*[answer(200, body)] * 3) as script:
        broker = a_broker(script)
        for read in (broker.clock, broker.account, lambda: broker.order(OURS)):
            with pytest.raises(BrokerUnavailable):
                read()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_counts_as_unknown(status: int) -> None:
    elsewhere = answer(status, an_order_row(), Location="http://127.0.0.1:1/elsewhere")
    with scripted(elsewhere, elsewhere) as script:
        broker = a_broker(script)
        assert isinstance(broker.submit(INTENT), Unknown)
        with pytest.raises(BrokerUnavailable, match="Redirected"):
            broker.order(OURS)
    assert script.methods == ["POST", "GET"]


def test_an_answer_for_another_order_counts_as_unknown() -> None:
    other = answer(200, an_order_row(client_order_id="rp-other"))
    with scripted(other, other) as script:
        broker = a_broker(script)
        assert isinstance(broker.submit(INTENT), Unknown)
        with pytest.raises(BrokerUnavailable, match="got rp-other"):
            broker.order(OURS)


@pytest.mark.parametrize("reply", [answer(404, b"<html>"), answer(404, {"message": "endpoint not found."})])
def test_a_404_without_the_brokers_error_code_is_unavailable(reply: bytes) -> None:
    with scripted(reply, reply, reply) as script:
        broker = a_broker(script)
        with pytest.raises(BrokerUnavailable):
            broker.order(OURS)
        with pytest.raises(BrokerUnavailable):
            broker.assets(["AAPL"])
        assert broker.cancel(BROKER_ID) is CancelAnswer.UNKNOWN


def test_each_further_request_of_a_call_draws_on_the_quota() -> None:
    """Further pages and assets are requested inside the adapter, so it must draw their quota itself."""
    orders = [an_order_row(id=str(n), client_order_id=str(n)) for n in range(500)]
    fills = [an_activity_row(id=f"20260305170000000::{n}") for n in range(100)]
    assets = [{"symbol": symbol, "tradable": True} for symbol in ("F", "KO", "T")]
    bare = an_account_row(non_marginable_buying_power=None)
    replies = [orders, [], fills, fills[:1], *assets, bare, [], bare, []]
    asked: list[int] = []
    with scripted(*(answer(200, reply) for reply in replies)) as script:
        calls = trading_api(FixedKeys(SIMULATED), TradingMode.PAPER, mount, script.url)
        broker = AlpacaBroker(calls, lambda: asked.append(len(script.asked)))
        broker.open_orders()
        broker.executions(date(2026, 3, 5))
        broker.assets(["F", "KO", "T"])
        broker.account()
        broker.positions()
    assert asked == [1, 3, 5, 6, 8, 9]


# Keys


class Ring:
    """Rotating keys: each rejection yields the next pair."""

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
    """Keys that cannot be fetched again."""

    def renewed(self, rejected: Keys) -> Keys:
        """Fail."""
        raise BrokerUnavailable("the keys cannot be read: throttled")


def keys_used(asked: Sequence[Any]) -> list[str]:
    """The key ids in the order of the requests."""
    return [request.headers["apca-api-key-id"] for request in asked]


def test_rotated_keys_are_fetched_on_the_first_401() -> None:
    ring = Ring("PKOLD", "PKNEW")
    with scripted(UNAUTHORIZED, answer(200, an_order_row()), answer(200, an_order_row())) as script:
        broker = a_broker(script, ring)
        assert broker.order(OURS) is not None
        assert broker.order(OURS) is not None
    assert keys_used(script.asked) == ["PKOLD", "PKNEW", "PKNEW"]


def test_an_order_rejected_with_401_is_sent_with_the_new_keys() -> None:
    with scripted(UNAUTHORIZED, answer(200, an_order_row())) as script:
        assert isinstance(a_broker(script, Ring("PKOLD", "PKNEW")).submit(INTENT), Accepted)
    assert keys_used(script.asked) == ["PKOLD", "PKNEW"]


def test_rejected_keys_are_fetched_once_per_request() -> None:
    ring = Ring("PKOLD")
    with scripted(UNAUTHORIZED, UNAUTHORIZED) as script:
        broker = a_broker(script, ring)
        with pytest.raises(BrokerDenied):
            broker.clock()
        refused = broker.submit(INTENT)
    assert isinstance(refused, Refused)
    assert refused.refusal is Refusal.DENIED
    assert (len(script.asked), ring.rejections) == (2, 2)


def test_an_order_is_refused_if_the_new_keys_cannot_be_read() -> None:
    with scripted(UNAUTHORIZED) as script:
        refused = a_broker(script, LostRing("PKOLD")).submit(INTENT)
    assert isinstance(refused, Refused)
    assert "the keys cannot be read" in refused.message


# Threads


def test_each_worker_has_its_own_client() -> None:
    runtime = SystemRuntime(workers=4)
    together = threading.Barrier(4, timeout=5)
    sessions: set[int] = set()

    def counting(session: requests.Session) -> None:
        mount(session)
        sessions.add(id(session))

    with scripted(*[answer(200, an_order_row())] * 8) as script:
        broker = a_broker(script)
        broker._api._mount = counting  # type: ignore[attr-defined]

        def look(_: int) -> None:
            broker.order(OURS)
            together.wait()

        runtime.map(look, range(4))
        runtime.map(look, range(4))
    assert len(sessions) == 4
