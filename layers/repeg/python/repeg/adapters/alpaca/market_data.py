"""Alpaca's latest quotes and trades, in batches of symbols, from the configured feed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import requests
from alpaca.common.enums import BaseURL

from repeg.adapters.alpaca import errors, parsing, prices
from repeg.adapters.alpaca.http import Api, Connection, Failure, client_of
from repeg.adapters.alpaca.keys import KeySource
from repeg.domain.errors import BrokerUnavailable
from repeg.domain.quote import Quote
from repeg.domain.sizing_price import Trade

# The API documents no limit. So many symbols of the usual lengths make a URL of 3.5 KB, and servers take 8; where one
# does not, the list is halved.
SYMBOLS_PER_REQUEST = 500
URL_TOO_LONG = 414

# The largest page of historical rows, for all symbols together.
MOST_ROWS = 10_000

CONSOLIDATED = "sip"


def data_api(keys: KeySource, mount: Callable[[requests.Session], None], url: str | None = None) -> Connection:
    """The market data API; `url` points to a simulated broker instead."""

    return Connection(client_of(url or BaseURL.DATA), keys, mount)


class AlpacaMarket:
    """A Market on one feed of Alpaca's data API.

    `take_request` is called before every request; it may raise BrokerUnavailable to abort the call.
    """

    def __init__(self, api: Api, feed: str, take_request: Callable[[], None] = lambda: None) -> None:
        self._api = api
        self._feed = feed
        self._take_request = take_request

    def quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Latest quotes; a symbol without one is absent."""
        rows = self._latest("quotes", symbols)
        return {symbol: quote for symbol, row in rows.items() if (quote := _quote(symbol, row)) is not None}

    def last_trades(self, symbols: Iterable[str]) -> dict[str, Trade]:
        """Latest trades; a symbol without one is absent."""
        rows = self._latest("trades", symbols)
        return {symbol: trade for symbol, row in rows.items() if (trade := _trade(symbol, row)) is not None}

    def past_quotes(self, symbols: Sequence[str], since: datetime, until: datetime) -> dict[str, list[Quote]]:
        """The newest page of the quotes of a short time, oldest first; a symbol that it has no quotes of is absent.

        The page holds the symbols one after the other, so very busy ones may leave no room for those that follow.
        """
        return self._history(symbols, since, until, MOST_ROWS, self._feed) if symbols else {}

    def quote_at(self, symbol: str, at: datetime, since: datetime) -> Quote | None:
        """The consolidated quote in force at a time: the free plan serves these fifteen minutes late."""
        found = self._history([symbol], since, at, 1, CONSOLIDATED).get(symbol)
        return found[-1] if found else None

    def _history(
        self, symbols: Sequence[str], since: datetime, until: datetime, most: int, feed: str
    ) -> dict[str, list[Quote]]:
        path = "/stocks/quotes"
        asked = {
            "symbols": ",".join(sorted(symbols)),
            "start": _stamp(since),
            "end": _stamp(until),
            "limit": most,
            "sort": "desc",
            "feed": feed,
        }
        self._take_request()
        answer = self._api.get(path, asked)
        if isinstance(answer, Failure):
            raise errors.unreadable(path, answer)
        with parsing.reading(path):
            found = {symbol: list(reversed(rows or ())) for symbol, rows in (answer.value["quotes"] or {}).items()}
        read = {symbol: [_quote(symbol, row) for row in rows] for symbol, rows in found.items() if symbol in symbols}
        return {symbol: kept for symbol, rows in read.items() if (kept := [quote for quote in rows if quote])}

    def _latest(self, kind: str, symbols: Iterable[str]) -> dict[str, parsing.Json]:
        wanted = sorted(set(symbols))
        found: dict[str, parsing.Json] = {}
        for start in range(0, len(wanted), SYMBOLS_PER_REQUEST):
            found |= self._batch(kind, wanted[start : start + SYMBOLS_PER_REQUEST])
        return found

    def _batch(self, kind: str, symbols: Sequence[str]) -> dict[str, parsing.Json]:
        """One request; if its length makes it fail or an invalid symbol, its halves are requested, until that symbol is
        isolated."""
        path = f"/stocks/{kind}/latest"
        self._take_request()
        answer = self._api.get(path, {"symbols": ",".join(symbols), "feed": self._feed})
        if isinstance(answer, Failure) and _is_for_its_symbols(answer):
            if len(symbols) == 1:
                return {}
            middle = len(symbols) // 2
            return self._batch(kind, symbols[:middle]) | self._batch(kind, symbols[middle:])
        if isinstance(answer, Failure):
            raise errors.unreadable(path, answer)
        with parsing.reading(path):
            return _rows(answer.value[kind], symbols)


def _is_for_its_symbols(failure: Failure) -> bool:
    """Whether a request has failed for the symbols that it names, or for their number."""
    return failure.status == URL_TOO_LONG or (failure.status == 400 and "symbol" in failure.message)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _rows(rows: Any, symbols: Sequence[str]) -> dict[str, parsing.Json]:
    found = rows or {}
    return {symbol: row for symbol in symbols if isinstance(row := found.get(symbol), dict)}


def _quote(symbol: str, row: parsing.Json) -> Quote | None:
    """None if the quote cannot be parsed, so that the other symbols keep theirs."""
    try:
        with parsing.reading(symbol):
            return prices.quote(symbol, row)
    except BrokerUnavailable:
        return None


def _trade(symbol: str, row: parsing.Json) -> Trade | None:
    try:
        with parsing.reading(symbol):
            return prices.trade(row)
    except BrokerUnavailable:
        return None
