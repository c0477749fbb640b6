"""Calls a simulated exchange in process and advances its time."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, quote
from repeg_workbench.exchange.market.symbol_day import Listing, Market
from repeg_workbench.exchange.matching.symbol_book import FillModel
from repeg_workbench.exchange.messages import Request, Response
from repeg_workbench.exchange.time.calendar import new_york

FRIDAY = date(2026, 11, 20)
MILLISECOND = 1_000_000
SECOND = 1_000 * MILLISECOND
PROMPT = BrokerQuirks(
    ack_delay=(10, 10),
    cancel_delay=(10, 10),
    replace_delay=(10, 10),
    release_delay=(0, 0),
    requests_per_minute=None,
    data_requests_per_minute=None,
)
"""All delays ten milliseconds, no release delay, no rate limit."""

QUIET_BOOK: list[Event] = [quote("09:30", "300 @ 100.00", "200 @ 100.05")]


class Caller:
    """An exchange and control over its clock."""

    def __init__(self, exchange: Exchange, move: Callable[[int], None]) -> None:
        self.exchange = exchange
        self._move = move
        opening = exchange.opening
        self.headers = {"APCA-API-KEY-ID": opening.key_id, "APCA-API-SECRET-KEY": opening.secret_key}

    def wait(self, milliseconds: float) -> None:
        """Advance time by milliseconds, and the exchange with it."""
        self.wait_until(self.exchange.now + round(milliseconds * MILLISECOND))

    def wait_until(self, at: int) -> None:
        """Advance time to an instant (ns)."""
        self._move(at)
        self.exchange.advance()

    def wait_for(self, clock: str, day: date = FRIDAY) -> None:
        """Advance time to a New York wall time."""
        self.wait_until(new_york(day, clock))

    def call(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Response:
        """One request with the account's keys."""
        content = b"" if body is None else json.dumps(body).encode()
        return self.exchange.handle(Request(method, path, list((query or {}).items()), self.headers, content))

    def get(self, path: str, **query: str) -> Any:
        """The JSON of a GET that must succeed."""
        return self._ok(self.call("GET", path, query=query))

    def submit(self, **terms: Any) -> dict[str, Any]:
        """Submit an order that must be accepted; by default a day limit buy of 10 AAPL at 100.00."""
        view: dict[str, Any] = self._ok(self.try_submit(**terms))
        return view

    def try_submit(self, **terms: Any) -> Response:
        """Submit an order, which may be refused."""
        return self.call("POST", "/v2/orders", order_body(**terms))

    def try_submit_body(self, body: Any) -> Response:
        """Submit a raw body, which may be refused."""
        return self.call("POST", "/v2/orders", body)

    def replace(self, order_id: str, **changes: Any) -> dict[str, Any]:
        """Replace an order; it must be accepted."""
        view: dict[str, Any] = self._ok(self.call("PATCH", f"/v2/orders/{order_id}", changes))
        return view

    def cancel(self, order_id: str) -> Response:
        """Cancel an order."""
        return self.call("DELETE", f"/v2/orders/{order_id}")

    def order(self, order_id: str) -> dict[str, Any]:
        """The order's present JSON."""
        view: dict[str, Any] = self.get(f"/v2/orders/{order_id}")
        return view

    def status(self, order_id: str) -> str:
        """The order's present status."""
        return str(self.order(order_id)["status"])

    @staticmethod
    def _ok(response: Response) -> Any:
        assert response.status < 300, response
        return response.json()


def order_body(**terms: Any) -> dict[str, Any]:
    """By default a day limit buy of 10 AAPL at 100.00; a None removes a field."""
    body = {"symbol": "AAPL", "qty": "10", "side": "buy", "type": "limit", "time_in_force": "day"}
    body["limit_price"] = "100.00"
    return {name: value for name, value in (body | terms).items() if value is not None}


def a_caller(
    book: Sequence[Event] = QUIET_BOOK,
    *,
    market: Market | None = None,
    at: str = "10:00",
    day: date = FRIDAY,
    quirks: BrokerQuirks = PROMPT,
    model: FillModel = FillModel.QUEUE,
    seed: int = 1,
    listings: Sequence[Listing] = (),
    **opening: Any,
) -> Caller:
    """By default 100,000 dollars and no positions on a Friday at 10:00, with AAPL quoted 100.00 × 100.05 all day."""
    now = [new_york(day, at)]
    source = market or ScriptedMarket({day: {"AAPL": book}}, listings)
    exchange = Exchange(source, lambda: now[0], quirks, OpeningAccount(**opening), seed, model)

    def move(to: int) -> None:
        now[0] = to

    return Caller(exchange, move)


def holding(shares: str, average: str = "90") -> dict[str, tuple[Decimal, Decimal]]:
    """An opening position in AAPL."""
    return {"AAPL": (Decimal(shares), Decimal(average))}
