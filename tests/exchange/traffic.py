"""Random account traffic: all kinds of orders, replaces, cancels and closes, over holidays, halts and gaps."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random  # noqa: TID251 - seeded
from typing import Any

from repeg_workbench.exchange.messages import Response
from tests.exchange.caller import SECOND, Caller

_PRICES = (-300, -40, -5, -2, -1, 0, 1, 2, 5, 40, 300)


@dataclass
class Traffic:
    """A stream of operations drawn from a seed."""

    caller: Caller
    symbols: Sequence[str]
    seed: int
    outcomes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)
        self.ids: list[str] = []

    def step(self) -> None:
        """Perform one operation, then advance time; a server error is a failure."""
        assert self.try_step() < 500

    def try_step(self) -> int:
        """Advance time and perform one operation; returns the status of its answer."""
        self.caller.wait_until(self.caller.exchange.now + self._pause())
        action = self.dice.choices(
            (self.submit, self.replace, self.cancel, self.close, self.look, self.cancel_all), (10, 5, 3, 1, 2, 0.05)
        )[0]
        response = action()
        self.outcomes[f"{action.__name__} {response.status}"] += 1
        return response.status

    def submit(self) -> Response:
        """Submit an order of any kind, valid or not."""
        body = self._sized(self._priced(self._plain()))
        response = self.caller.call("POST", "/v2/orders", body)
        self._remember(response)
        return response

    def replace(self) -> Response:
        """Replace a recent order's price, size or both."""
        changes: dict[str, Any] = {}
        order_id = self._some_id()
        known = self.caller.exchange.account.orders.by_id.get(order_id)
        symbol = known.terms.symbol if known else self.symbols[0]
        if self.dice.random() < 0.85:
            changes["limit_price"] = self._price(symbol)
        if self.dice.random() < 0.3:
            changes["qty"] = self.dice.choice((1, 3, 10, 40, 120))
        response = self.caller.call("PATCH", f"/v2/orders/{order_id}", changes)
        self._remember(response)
        return response

    def cancel(self) -> Response:
        """Cancel a recent order."""
        return self.caller.cancel(self._some_id())

    def close(self) -> Response:
        """Close a position, in whole or half."""
        query = self.dice.choice(({}, {"percentage": "50"}, {"qty": "1"}))
        return self.caller.call("DELETE", f"/v2/positions/{self.dice.choice(self.symbols)}", query=query)

    def cancel_all(self) -> Response:
        """Cancel all open orders."""
        return self.caller.call("DELETE", "/v2/orders")

    def look(self) -> Response:
        """Make a read call."""
        symbol = self.dice.choice(self.symbols)
        path = self.dice.choice(("/v2/account", "/v2/positions", "/v2/orders", f"/v2/stocks/{symbol}/quotes/latest"))
        return self.caller.call("GET", path)

    def _plain(self) -> dict[str, Any]:
        kind = self.dice.choices(("limit", "market", "stop", "stop_limit", "trailing_stop"), (60, 15, 5, 5, 3))[0]
        force = self.dice.choices(("day", "gtc", "ioc", "fok", "opg", "cls"), (60, 15, 8, 6, 2, 2))[0]
        return {
            "symbol": self.dice.choice(self.symbols),
            "side": self.dice.choice(("buy", "sell")),
            "type": kind,
            "time_in_force": force,
            "extended_hours": kind == "limit" and self.dice.random() < 0.05,
        }

    def _priced(self, body: dict[str, Any]) -> dict[str, Any]:
        symbol, kind = body["symbol"], body["type"]
        if kind in {"limit", "stop_limit"}:
            body["limit_price"] = self._price(symbol)
        if kind in {"stop", "stop_limit"}:
            body["stop_price"] = self._price(symbol)
        if kind == "trailing_stop":
            body[self.dice.choice(("trail_price", "trail_percent"))] = self.dice.choice(("0.05", "0.5", "1"))
        if self.dice.random() < 0.08:
            body["order_class"] = self.dice.choice(("bracket", "oco", "oto"))
            body["take_profit"] = {"limit_price": self._price(symbol, self.dice.choice((20, -20)))}
            if body["order_class"] != "oto":
                body["stop_loss"] = {"stop_price": self._price(symbol, self.dice.choice((20, -20)))}
        return body

    def _sized(self, body: dict[str, Any]) -> dict[str, Any]:
        draw = self.dice.random()
        if draw < 0.1:
            body["notional"] = self.dice.choice(("1", "250.55", "1000", "5000.01"))
        elif draw < 0.2:
            body["qty"] = self.dice.choice(("0.5", "1.000000001", "12.75", "0.000000001"))
        else:
            body["qty"] = self.dice.choice((1, 7, 20, 100, 100, 400))
        return body

    def _price(self, symbol: str, away: int = 0) -> str:
        quote = self.caller.exchange.venue.quote(symbol, self.caller.exchange.now)
        middle = (quote.bid or quote.ask) if quote else 1_000_000
        cents = middle // 100 + self.dice.choice(_PRICES) + away
        return f"{max(cents, 1) / 100:.2f}"

    def _remember(self, response: Response) -> None:
        if response.status == 200 and response.body.startswith(b"{"):
            view = response.json()
            self.ids.append(view["id"])
            self.ids.extend(leg["id"] for leg in view["legs"] or ())

    def _some_id(self) -> str:
        if not self.ids:
            return "00000000-0000-4000-8000-000000000000"
        return self.dice.choice(self.ids[-25:])

    def _pause(self) -> int:
        hours, now = self.caller.exchange.hours, self.caller.exchange.now
        opens = hours.upcoming(now).open
        draw = self.dice.random()
        if now < opens and draw < 0.1:
            return opens - now - self.dice.randrange(SECOND) + SECOND // 2
        if draw < 0.002:
            return self.dice.randrange(3_600 * SECOND, 40 * 3_600 * SECOND)
        if draw < 0.03:
            return self.dice.randrange(60 * SECOND, 1_200 * SECOND)
        if draw < 0.5:
            return self.dice.randrange(100 * SECOND // 1_000)
        return self.dice.randrange(5 * SECOND)
