"""alpaca-py connected to a simulated Alpaca over a socket, with control over its clock."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar

import pytest
import requests

from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket
from repeg_workbench.exchange.market.symbol_day import Listing, Market
from repeg_workbench.exchange.matching.symbol_book import FillModel
from repeg_workbench.exchange.serving.server import ExchangeServer
from repeg_workbench.exchange.time.calendar import new_york
from tests.conformance.sdk import (
    APIError,
    LimitOrderRequest,
    MarketOrderRequest,
    Order,
    OrderSide,
    ReplaceOrderRequest,
    StockHistoricalDataClient,
    TimeInForce,
    TradingClient,
)
from tests.exchange.caller import FRIDAY, MILLISECOND, PROMPT, QUIET_BOOK

_T = TypeVar("_T")
ACCEPTED = PROMPT.accepted_status
"""The status in the answer to a POST during the session."""
FIRST_EVENT = "accepted" if ACCEPTED == "accepted" else "pending_new"
"""The first event of an order on the stream, and its status there."""
PATIENCE = 0.25
"""The read timeout in seconds of a client with one."""


class Bench:
    """A running exchange with clients connected to it."""

    def __init__(self, server: ExchangeServer, now: list[int]) -> None:
        self.server, self.exchange, self._now = server, server.exchange, now
        self.key_id, self.secret = server.exchange.opening.key_id, server.exchange.opening.secret_key
        # alpaca-py types every answer as either a model or a dict; here they are always models.
        self.trading: Any = TradingClient(self.key_id, self.secret, url_override=server.trading_url)
        self.data: Any = StockHistoricalDataClient(self.key_id, self.secret, url_override=server.data_url)
        self.http = requests.Session()
        self.http.headers.update({"APCA-API-KEY-ID": self.key_id, "APCA-API-SECRET-KEY": self.secret})
        self._sessions = [self.http, self.trading._session, self.data._session]

    def wait(self, milliseconds: float) -> None:
        """Advance the exchange's time by milliseconds."""
        self.wait_until(self._now[0] + round(milliseconds * MILLISECOND))

    def wait_until(self, at: int) -> None:
        """Advance the exchange's time to an instant (ns)."""

        def move() -> None:
            self._now[0] = at
            self.exchange.advance()

        self.server.call(move)

    def wait_for(self, clock: str, day: date = FRIDAY) -> None:
        """Advance the exchange's time to a New York wall time."""
        self.wait_until(new_york(day, clock))

    def on_server(self, action: Callable[[], _T]) -> _T:
        """Run an action on the server's thread, between two requests."""
        return self.server.call(action)

    def raw(self, method: str, path: str, **options: Any) -> requests.Response:
        """One plain HTTP request with the account's keys."""
        return self.http.request(method, self.server.trading_url + path, timeout=10, **options)

    def post(self, **terms: Any) -> requests.Response:
        """A plain POST of an order, by default a day limit buy of 10 AAPL at 100.00; None removes a field."""
        body = {"symbol": "AAPL", "qty": "10", "side": "buy", "type": "limit", "time_in_force": "day"}
        body = {"limit_price": "100.00", **body}
        return self.raw("POST", "/v2/orders", json={k: v for k, v in (body | terms).items() if v is not None})

    def limit(self, price: float = 100.0, qty: float = 10, side: str = "buy", **terms: Any) -> Order:
        """A day limit order through alpaca-py."""
        request = {"symbol": "AAPL", "time_in_force": TimeInForce.DAY} | terms
        order = self.trading.submit_order(
            LimitOrderRequest(qty=qty, side=OrderSide(side), limit_price=price, **request)
        )
        assert isinstance(order, Order)
        return order

    def market(self, qty: float | None = 10, side: str = "buy", **terms: Any) -> Order:
        """A day market order through alpaca-py."""
        request = {"symbol": "AAPL", "time_in_force": TimeInForce.DAY} | terms
        order = self.trading.submit_order(MarketOrderRequest(qty=qty, side=OrderSide(side), **request))
        assert isinstance(order, Order)
        return order

    def working(self, price: float = 100.0, qty: float = 10, side: str = "buy", **terms: Any) -> Order:
        """A limit order that the venue has acknowledged."""
        order = self.limit(price, qty, side, **terms)
        self.wait(50)
        return self.order(order)

    def replace(self, order: Order, **changes: Any) -> Order:
        """A replace through alpaca-py."""
        new = self.trading.replace_order_by_id(order.id, ReplaceOrderRequest(**changes))
        assert isinstance(new, Order)
        return new

    def order(self, order: Order) -> Order:
        """The order at present."""
        found = self.trading.get_order_by_id(order.id)
        assert isinstance(found, Order)
        return found

    def status(self, order: Order) -> str:
        """The order's present status."""
        return self.order(order).status.value

    def wire(self, order: Order) -> dict[str, Any]:
        """The order's present JSON."""
        view: dict[str, Any] = self.raw("GET", f"/v2/orders/{order.id}").json()
        return view

    def account(self) -> dict[str, Any]:
        """The account's present JSON."""
        view: dict[str, Any] = self.raw("GET", "/v2/account").json()
        return view

    def impatient(self) -> Any:
        """A client with a read timeout, which alpaca-py does not set by itself."""
        client = TradingClient(self.key_id, self.secret, url_override=self.server.trading_url)
        client._session.mount("http://", _Impatient())
        self._sessions.append(client._session)
        return client

    def close(self) -> None:
        """Close the clients' connections."""
        for session in self._sessions:
            session.close()


class _Impatient(requests.adapters.HTTPAdapter):
    def send(self, *args: Any, **options: Any) -> requests.Response:
        return super().send(*args, **(options | {"timeout": PATIENCE}))


@contextmanager
def a_bench(
    book: Sequence[Event] = QUIET_BOOK,
    *,
    market: Market | None = None,
    at: str = "10:00",
    day: date = FRIDAY,
    quirks: BrokerQuirks = PROMPT,
    model: FillModel = FillModel.QUEUE,
    listings: Sequence[Listing] = (),
    **opening: Any,
) -> Iterator[Bench]:
    """By default 100,000 dollars and no positions on a Friday at 10:00, with AAPL quoted 100.00 × 100.05 all day."""
    now = [new_york(day, at)]
    source = market or ScriptedMarket({day: {"AAPL": book}}, listings)
    exchange = Exchange(source, lambda: now[0], quirks, OpeningAccount(**opening), 1, model)
    with ExchangeServer(exchange) as server:
        bench = Bench(server, now)
        try:
            yield bench
        finally:
            bench.close()


@contextmanager
def refused(status: int, code: int | None, message: str) -> Iterator[None]:
    """Expect alpaca-py to raise an APIError with exactly this status, code and message."""
    with pytest.raises(APIError) as caught:
        yield
    assert caught.value.status_code == status
    assert caught.value.message == message
    if code is not None:
        assert caught.value.code == code


def across(**values: Sequence[Any]) -> pytest.MarkDecorator:
    """Run a test under each value of a broker quirk: across(second_cancel=("422", "204"))."""
    ((name, options),) = values.items()
    quirks = [replace(PROMPT, **{name: option}) for option in options]
    return pytest.mark.parametrize("quirks", quirks, ids=[f"{name}={option}" for option in options])


def shares(quantity: str, average: str = "90") -> dict[str, tuple[Decimal, Decimal]]:
    """An opening position in AAPL."""
    return {"AAPL": (Decimal(quantity), Decimal(average))}
