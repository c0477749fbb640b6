"""The account under test: orders of one share far below the market, paced requests, and a clean end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from typing import Any

from repeg.adapters.runtime import NetworkRuntime
from repeg_workbench.operate.broker_line import Line, Reply

PREFIX = "repeg-conformance-"
"""What the client order ids of these orders begin with. No stack takes such an order for its own."""

# Requests in any minute: well below the broker's limit, which is not to be found out.
_PER_MINUTE = 120
_ROOM_OF_A_PROBE = 40

_FAR_BELOW = Decimal("0.5")
_CENT = Decimal("0.01")
_POLLS = 60
_PAUSE_SECONDS = 0.02
_SETTLE_SECONDS = 3.0
_EMPTY_LOOKS = 2
_CLEANING_LOOKS = 20


@dataclass(frozen=True)
class Delay:
    """How long something took, in milliseconds: at least `low`, at most `high`, as far as requests can show."""

    low: int
    high: int


class Bench:
    """The broker behind one key pair, on which probes place orders of one share of a symbol."""

    def __init__(self, line: Line, runtime: NetworkRuntime, symbol: str) -> None:
        self.line = line
        self.symbol = symbol
        self._runtime = runtime
        self._sent: deque[datetime] = deque()
        self._number = 0
        self._stamp = f"{runtime.now():%y%m%d%H%M%S}"
        self.price = Decimal(0)
        self.is_open = False

    # Requests

    def trading(self, method: str, path: str, **options: Any) -> Reply:
        """One call of the trading API."""
        self._sent.append(self._runtime.now())
        return self.line.trading(method, path, **options)

    def data(self, path: str, **params: str) -> Reply:
        """One read of market data."""
        self._sent.append(self._runtime.now())
        return self.line.data(path, params=params)

    def rest(self) -> None:
        """Wait until a probe's requests fit below the limit."""
        while True:
            now = self._runtime.now()
            while self._sent and now - self._sent[0] > timedelta(minutes=1):
                self._sent.popleft()
            if len(self._sent) <= _PER_MINUTE - _ROOM_OF_A_PROBE:
                return
            self._runtime.pause(1.0)

    def settle(self) -> None:
        """Let earlier orders give back what they hold."""
        self._runtime.pause(_SETTLE_SECONDS)

    # Orders

    def new_id(self) -> str:
        """The next client order id."""
        self._number += 1
        return f"{PREFIX}{self._stamp}-{self._number:02}"

    def terms(self, **changes: Any) -> dict[str, Any]:
        """A day limit buy of one share far below the market; a change of None removes a field."""
        body = {
            "symbol": self.symbol, "qty": "1", "side": "buy", "type": "limit", "time_in_force": "day",
            "limit_price": str(self.price), "client_order_id": self.new_id(),
        }  # fmt: skip
        return {name: value for name, value in {**body, **changes}.items() if value is not None}

    def post(self, **changes: Any) -> Reply:
        """Send such an order."""
        return self.trading("POST", "/orders", json=self.terms(**changes))

    def placed(self, **changes: Any) -> dict[str, Any]:
        """Send such an order, and return the answer. Raises ValueError if it is refused."""
        reply = self.post(**changes)
        if reply.status != 200:
            raise ValueError(f"an ordinary order was refused: {reply.status} {reply.message}")
        body: dict[str, Any] = reply.body
        return body

    def working(self) -> str:
        """The broker's id of an order that the venue has acknowledged."""
        order_id = str(self.placed()["id"])
        self.until(order_id, "new", "accepted")
        return order_id

    def status(self, order_id: str) -> str:
        """An order's status."""
        reply = self.trading("GET", f"/orders/{order_id}")
        return str(reply.body.get("status")) if reply.status == 200 else str(reply.status)

    def until(self, order_id: str, *wanted: str) -> Delay | None:
        """Poll an order until it has one of these statuses; how long that took, None if it never had."""
        return self.when(lambda: self.status(order_id) in wanted)

    def when(self, holds: Callable[[], bool]) -> Delay | None:
        """Poll until something holds; how long that took from now, None if it never did."""
        began, low = self._runtime.now(), 0
        for _ in range(_POLLS):
            asked = self._runtime.now()
            if holds():
                return Delay(low, _milliseconds(self._runtime.now() - began))
            low = _milliseconds(asked - began)
            self._runtime.pause(_PAUSE_SECONDS)
        return None

    def cancel(self, order_id: str) -> Reply:
        """Request a cancel."""
        return self.trading("DELETE", f"/orders/{order_id}")

    # Beginning and end

    def prepare(self) -> str:
        """Read the clock and a price, and remove what an earlier, killed run has left. Returns a problem, or ''."""
        clock = self.trading("GET", "/clock")
        quote = self.data("/stocks/quotes/latest", symbols=self.symbol, feed="iex")
        if clock.status != 200 or quote.status != 200:
            return f"the clock or a quote could not be read: {clock.message}, {quote.message}"
        book = (quote.body.get("quotes") or {}).get(self.symbol) or {}
        bid = Decimal(str(book.get("bp") or book.get("ap") or 0))
        if not bid:
            return f"there is no price of {self.symbol}; choose another --symbol"
        self.is_open = clock.body.get("is_open") is True
        self.price = max((bid * _FAR_BELOW).quantize(_CENT, ROUND_DOWN), Decimal(1))
        return self.clean()

    def own(self, rows: Any) -> list[Mapping[str, Any]]:
        """The orders of a list that are this command's."""
        return [row for row in rows or [] if str(row.get("client_order_id", "")).startswith(PREFIX)]

    def listed(self) -> Reply:
        """The account's open orders."""
        return self.trading("GET", "/orders", params={"status": "open", "limit": 500})

    def clean(self) -> str:
        """Cancel each of this command's open orders by its id, until two looks find none. Returns what is left."""
        empty, left = 0, "the open orders could not be read"
        for _ in range(_CLEANING_LOOKS):
            reply = self.listed()
            if reply.status == 200:
                mine = self.own(reply.body)
                for row in mine:
                    self.cancel(str(row["id"]))
                left = ", ".join(str(row["client_order_id"]) for row in mine)
                empty = 0 if mine else empty + 1
                if empty == _EMPTY_LOOKS:
                    return ""
            self._runtime.pause(0.5)
        return left


def _milliseconds(duration: timedelta) -> int:
    return round(duration.total_seconds() * 1000)
