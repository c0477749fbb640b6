"""Alpaca's market data: latest quotes and trades, many symbols a request, always from the feed that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import requests
from alpaca.data.historical.stock import StockHistoricalDataClient

from repeg.adapters.alpaca import errors
from repeg.adapters.alpaca import parsing as wire
from repeg.adapters.alpaca.http import Calls, Connection, Failure
from repeg.adapters.alpaca.keys import Keys, KeySource
from repeg.domain.errors import BrokerUnavailable
from repeg.domain.quote import Quote

SYMBOLS_PER_REQUEST = 100


def data_api(keys: KeySource, mount: Callable[[requests.Session], None], url: str | None = None) -> Connection:
    """The way to the data API; `url` points to a simulated broker."""

    def build(pair: Keys) -> StockHistoricalDataClient:
        return StockHistoricalDataClient(
            pair.key_id.get_secret_value(), pair.secret_key.get_secret_value(), raw_data=True, url_override=url
        )

    return Connection(build, keys, mount)


class AlpacaMarket:
    """A Market on Alpaca's data API, read from one feed."""

    def __init__(self, calls: Calls, feed: str) -> None:
        self._calls = calls
        self._feed = feed

    def quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Latest quotes in as few requests as possible; a symbol without one is absent."""
        rows = self._latest("quotes", symbols)
        return {symbol: quote for symbol, row in rows.items() if (quote := _quote(symbol, row)) is not None}

    def last_prices(self, symbols: Iterable[str]) -> dict[str, Decimal]:
        """Latest trade prices; a symbol that has none is absent."""
        rows = self._latest("trades", symbols)
        return {symbol: price for symbol, row in rows.items() if (price := _price(symbol, row)) is not None}

    def _latest(self, what: str, symbols: Iterable[str]) -> dict[str, wire.Json]:
        wanted = sorted(set(symbols))
        found: dict[str, wire.Json] = {}
        for start in range(0, len(wanted), SYMBOLS_PER_REQUEST):
            found |= self._chunk(what, wanted[start : start + SYMBOLS_PER_REQUEST])
        return found

    def _chunk(self, what: str, symbols: Sequence[str]) -> dict[str, wire.Json]:
        """One request; where a symbol spoils it for the others, two halves, until the spoilt one stands alone."""
        path = f"/stocks/{what}/latest"
        answer = self._calls.get(path, {"symbols": ",".join(symbols), "feed": self._feed})
        if isinstance(answer, Failure) and answer.status == 400 and "symbol" in answer.message:
            if len(symbols) == 1:
                return {}
            middle = len(symbols) // 2
            return self._chunk(what, symbols[:middle]) | self._chunk(what, symbols[middle:])
        if isinstance(answer, Failure):
            raise errors.unreadable(path, answer)
        with wire.reading(path):
            return _rows(answer.value[what], symbols)


def _rows(rows: Any, symbols: Sequence[str]) -> dict[str, wire.Json]:
    found = rows or {}
    return {symbol: found[symbol] for symbol in symbols if isinstance(found.get(symbol), Mapping)}


def _quote(symbol: str, row: wire.Json) -> Quote | None:
    """A quote that cannot be read is a symbol without one: it must not cost the others theirs."""
    try:
        with wire.reading(symbol):
            return wire.quote(symbol, row)
    except BrokerUnavailable:
        return None


def _price(symbol: str, row: wire.Json) -> Decimal | None:
    try:
        with wire.reading(symbol):
            return wire.trade_price(row)
    except BrokerUnavailable:
        return None
