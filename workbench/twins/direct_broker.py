"""The broker and the feed straight from the simulated exchange: no HTTP, no SDK, the adapters' own words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from repeg.adapters.alpaca import AlpacaBroker
from repeg.adapters.alpaca_data import AlpacaMarket
from repeg.adapters.alpaca_http import Answer, Body, refused
from repeg.quote import Quote
from workbench.exchange.core import Exchange
from workbench.exchange.wire import Request, Response

VERSION = "/v2"
_REFUSED = 400


class ExchangeCalls:
    """The four verbs of Alpaca's API on an exchange in this process; `headers` go with every call."""

    def __init__(self, exchange: Exchange, headers: Mapping[str, str]) -> None:
        self._exchange = exchange
        self._headers = headers

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """Read."""
        return self._call("GET", path, query=[(name, str(value)) for name, value in (params or {}).items()])

    def post(self, path: str, fields: Mapping[str, Any]) -> Answer:
        """Write."""
        return self._call("POST", path, body=json.dumps(fields).encode())

    def patch(self, path: str, fields: Mapping[str, Any]) -> Answer:
        """Change."""
        return self._call("PATCH", path, body=json.dumps(fields).encode())

    def delete(self, path: str) -> Answer:
        """Remove."""
        return self._call("DELETE", path)

    def _call(self, method: str, path: str, query: list[tuple[str, str]] | None = None, body: bytes = b"") -> Answer:
        request = Request(method, VERSION + path, query or [], dict(self._headers), body)
        return _answer(self._exchange.handle(request))


class DirectBroker(AlpacaBroker):
    """A Broker and a Market on an exchange; everything but the transport is the adapters' own.

    The keys in `headers` are the account's own until somebody changes them.
    """

    def __init__(self, exchange: Exchange, feed: str = "iex") -> None:
        self.headers = {
            "APCA-API-KEY-ID": exchange.opening.key_id,
            "APCA-API-SECRET-KEY": exchange.opening.secret_key,
        }
        calls = ExchangeCalls(exchange, self.headers)
        super().__init__(calls)
        self._market = AlpacaMarket(calls, feed)

    def quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Latest quotes."""
        return self._market.quotes(symbols)

    def last_prices(self, symbols: Iterable[str]) -> dict[str, Decimal]:
        """Latest trade prices."""
        return self._market.last_prices(symbols)


def _answer(response: Response) -> Answer:
    if response.status >= _REFUSED:
        return refused(response.status, response.body.decode())
    return Body(json.loads(response.body, parse_float=Decimal) if response.body else None)
