"""The broker and the market data straight from the simulated exchange, without HTTP or the SDK."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from repeg.adapters.alpaca.broker import AlpacaBroker
from repeg.adapters.alpaca.http import (
    ACCOUNT,
    OTHER_ACCOUNT,
    Answer,
    Body,
    Failure,
    Refusal,
    account_number_in,
    failure_of,
    never_refused,
)
from repeg.adapters.alpaca.market_data import AlpacaMarket
from repeg.domain.quote import Quote
from repeg.domain.sizing_price import Trade
from repeg.domain.time_limits import READ_SECONDS
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.faults.transport_faults import Failure as HowItFails
from repeg_workbench.exchange.faults.transport_faults import TransportFault
from repeg_workbench.exchange.messages import Request, Response

VERSION = "/v2"


def _without_time(seconds: float) -> None:
    """Wait without any time passing."""


class ExchangeCalls:
    """The four HTTP methods of Alpaca's API on an exchange in this process; `headers` go with every call.

    `wait` passes the time of a late or missing answer, at most the deployed read timeout.
    """

    def __init__(self, exchange: Exchange, headers: Mapping[str, str], wait: Callable[[float], None]) -> None:
        self._exchange = exchange
        self._headers = headers
        self._wait = wait
        self._numbers: dict[tuple[str, ...], str] = {}
        self._account = ""

    def known_account(self) -> str:
        """The account of the present keys, if it has been read with them."""
        return self._numbers.get(tuple(self._headers.values()), "")

    def for_account(self, number: str) -> Self:
        """The same calls for one account, sharing what is known of the keys' accounts."""
        confined = copy.copy(self)
        confined._account = number  # noqa: SLF001 - a copy of its own
        return confined

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """Read, and retry once after a failed connection, as the adapter does."""
        query = [(name, str(value)) for name, value in (params or {}).items()]
        answer = self._send("GET", path, query)
        return self._send("GET", path, query) if isinstance(answer, Failure) and answer.is_dropped else answer

    def post(self, path: str, fields: Mapping[str, Any], refusal: Refusal = never_refused) -> Answer:
        """Create."""
        return self._send("POST", path, body=json.dumps(fields).encode(), refusal=refusal)

    def patch(self, path: str, fields: Mapping[str, Any], refusal: Refusal = never_refused) -> Answer:
        """Change."""
        return self._send("PATCH", path, body=json.dumps(fields).encode(), refusal=refusal)

    def delete(self, path: str) -> Answer:
        """Remove."""
        return self._send("DELETE", path)

    def _send(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]] | None = None,
        body: bytes = b"",
        refusal: Refusal = never_refused,
    ) -> Answer:
        """One call, if the keys open the account that these calls are for."""
        if self._account and not self.known_account():
            read = self._learning("GET", ACCOUNT)
            if not self.known_account():
                is_rejected = isinstance(read, Failure) and read.status is not None
                return read if is_rejected else Failure(None, message=f"not sent: the keys' account is unknown: {read}")
        if self._account and self.known_account() != self._account:
            return Failure(None, message=f"{OTHER_ACCOUNT} {self.known_account()} instead of {self._account}")
        if why := refusal():
            return Failure(None, message=f"not sent: {why}", is_unsent=True)
        return self._learning(method, path, query, body)

    def _learning(self, method: str, path: str, *sent: Any) -> Answer:
        """One call; an answer about the account says which one the keys open."""
        keys = tuple(self._headers.values())
        answer = self._call(method, path, *sent)
        if (method, path) == ("GET", ACCOUNT) and isinstance(answer, Body) and (number := account_number_in(answer)):
            self._numbers[keys] = number
        return answer

    def _call(self, method: str, path: str, query: list[tuple[str, str]] | None = None, body: bytes = b"") -> Answer:
        try:
            response = self._exchange.handle(Request(method, VERSION + path, query or [], dict(self._headers), body))
        except TransportFault as fault:
            return self._unanswered(fault)
        if response.delay >= READ_SECONDS:
            return self._timed_out()
        if response.delay:
            self._wait(response.delay)
        return _answer(response)

    def _unanswered(self, fault: TransportFault) -> Failure:
        if fault.failure is HowItFails.HANG:
            if fault.seconds >= READ_SECONDS:
                return self._timed_out()
            self._wait(fault.seconds)
        return Failure(None, message="ConnectionError", is_dropped=True)

    def _timed_out(self) -> Failure:
        self._wait(READ_SECONDS)
        return Failure(None, message="ReadTimeout")


class DirectBroker(AlpacaBroker):
    """A Broker and a Market on an exchange, with the adapters' code but another transport.

    `headers` hold the account's keys; a test may change them.
    """

    def __init__(self, exchange: Exchange, feed: str = "iex", wait: Callable[[float], None] = _without_time) -> None:
        self.headers = {
            "APCA-API-KEY-ID": exchange.opening.key_id,
            "APCA-API-SECRET-KEY": exchange.opening.secret_key,
        }
        calls = ExchangeCalls(exchange, self.headers, wait)
        super().__init__(calls)
        self._market = AlpacaMarket(calls, feed)

    def quotes(self, symbols: Iterable[str]) -> dict[str, Quote]:
        """Latest quotes."""
        return self._market.quotes(symbols)

    def last_trades(self, symbols: Iterable[str]) -> dict[str, Trade]:
        """Latest trades."""
        return self._market.last_trades(symbols)

    def past_quotes(self, symbols: Sequence[str], since: datetime, until: datetime) -> dict[str, list[Quote]]:
        """The quotes of a short time."""
        return self._market.past_quotes(symbols, since, until)

    def quote_at(self, symbol: str, at: datetime, since: datetime) -> Quote | None:
        """The consolidated quote in force at a time."""
        return self._market.quote_at(symbol, at, since)


def metered(broker: AlpacaBroker, take_request: Callable[[], None]) -> AlpacaBroker:
    """The same broker, which calls `take_request` before each further request of a call, as the deployed one does."""
    drawing = copy.copy(broker)
    drawing._take_request = take_request  # noqa: SLF001 - a copy of its own
    return drawing


def _answer(response: Response) -> Answer:
    if response.status >= 400:
        return failure_of(response.status, response.body.decode(errors="replace"))
    if response.status >= 300:
        return Failure(None, message="Redirected")
    try:
        return Body(json.loads(response.body, parse_float=Decimal) if response.body else None)
    except ValueError as error:
        return Failure(None, message=type(error).__name__)
