"""HTTP to Alpaca through alpaca-py's clients, with their retries disabled and failures returned instead of raised."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

import requests
from alpaca.common.enums import BaseURL
from alpaca.common.exceptions import APIError
from alpaca.common.rest import RESTClient

from repeg.adapters.alpaca.clients import hardened
from repeg.adapters.alpaca.keys import NO_KEYS, Keys, KeySource, TradingMode
from repeg.domain.errors import RepegError

MESSAGE_LENGTH = 300
ACCOUNT = "/account"

# Begins the message of a request that was not sent, because the keys open another account than the run's.
OTHER_ACCOUNT = "not sent: the keys open account"

_UNAUTHORIZED = 401


@dataclass(frozen=True)
class Body:
    """A successful answer: decoded JSON with Decimal for every fraction, or None if the body was empty."""

    value: Any


@dataclass(frozen=True)
class Failure:
    """A failed request, in words that are safe to log.

    `status` is None if no readable answer arrived, `code` if the body has none; `message` is empty if the body is not
    the API's own JSON; `is_dropped` says that the connection failed, `is_unsent` that the sender refused to send.
    """

    status: int | None
    code: int | None = None
    message: str = ""
    is_dropped: bool = False
    is_unsent: bool = False

    def __str__(self) -> str:
        """Status, code and message, as far as they are known."""
        return " ".join(str(part) for part in (self.status, self.code, self.message) if part) or "no answer"


Answer = Body | Failure

# Asked immediately before a request: why it must not be sent, in words; empty if it may be.
Refusal = Callable[[], str]


def never_refused() -> str:
    """Send it."""
    return ""


class Api(Protocol):
    """HTTP methods on paths below the API's version. A failed request is returned, never raised."""

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """Read a resource."""

    def post(self, path: str, fields: Mapping[str, Any], refusal: Refusal = never_refused) -> Answer:
        """Create a resource, unless `refusal` refuses."""

    def patch(self, path: str, fields: Mapping[str, Any], refusal: Refusal = never_refused) -> Answer:
        """Change a resource, unless `refusal` refuses."""

    def delete(self, path: str) -> Answer:
        """Delete a resource."""

    def known_account(self) -> str:
        """The number of the account that the present keys open, if they have been used to read it; otherwise empty."""

    def for_account(self, number: str) -> Self:
        """The same connection, which sends nothing with keys that open another account, or an unknown one."""


class Connection:
    """An Api on alpaca-py, with one client per thread.

    alpaca-py's request models are bypassed because they hold money as floats, its response models because they fail on
    unknown enum values. None of its exceptions leaves this module: each holds the request, whose headers hold the
    secret key.
    """

    def __init__(
        self,
        build: Callable[[Keys], RESTClient],
        keys: KeySource,
        mount: Callable[[requests.Session], None],
    ) -> None:
        self._build = build
        self._keys = keys
        self._mount = mount
        self._local = threading.local()
        self._numbers: dict[Keys, str] = {}
        self._account = ""

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """Read, with one retry after a connection error: an idle keep-alive connection may have been closed."""
        answer = self._send("get", path, params)
        return self._send("get", path, params) if isinstance(answer, Failure) and answer.is_dropped else answer

    def post(self, path: str, fields: Mapping[str, Any], refusal: Refusal = never_refused) -> Answer:
        """Create, without a retry."""
        return self._send("post", path, fields, refusal)

    def patch(self, path: str, fields: Mapping[str, Any], refusal: Refusal = never_refused) -> Answer:
        """Change, without a retry."""
        return self._send("patch", path, fields, refusal)

    def delete(self, path: str) -> Answer:
        """Delete, without a retry."""
        return self._send("delete", path, None)

    def known_account(self) -> str:
        """The account of the present keys, if it has been read with them."""
        return self._numbers.get(self._keys.current(), "")

    def for_account(self, number: str) -> Self:
        """The same connection for one account. It shares its clients, and what is known of the keys' accounts."""
        confined = copy.copy(self)
        confined._account = number  # noqa: SLF001 - a copy of its own
        return confined

    def _send(self, verb: str, path: str, data: Mapping[str, Any] | None, refusal: Refusal = never_refused) -> Answer:
        """One request, repeated after a 401 if the keys have been rotated; a request refused with 401 had no effect.

        A placeholder is not sent, and counts as refused.
        """
        used = self._keys.current()
        answer: Answer = Failure(_UNAUTHORIZED, None, NO_KEYS)
        if not used.is_placeholder:
            answer = self._attempt_in_account(used, verb, path, data, refusal)
        if not (isinstance(answer, Failure) and answer.status == _UNAUTHORIZED):
            return answer
        try:
            renewed = self._keys.renewed(used)
        except RepegError as error:
            return Failure(_UNAUTHORIZED, answer.code, f"{answer.message} {error}".strip())
        return answer if renewed == used else self._attempt_in_account(renewed, verb, path, data, refusal)

    def _attempt_in_account(
        self, keys: Keys, verb: str, path: str, data: Mapping[str, Any] | None, refusal: Refusal
    ) -> Answer:
        """One request, if the keys open the account that this connection is for.

        Keys are rotated at any time, also within a step, and perhaps to another account. A pair that was never used
        costs one request more, for its account.
        """
        if self._account and keys not in self._numbers:
            read = self._attempt(keys, "get", ACCOUNT, None)
            if keys not in self._numbers:
                is_rejected = isinstance(read, Failure) and read.status == _UNAUTHORIZED
                return read if is_rejected else Failure(None, message=f"not sent: the keys' account is unknown: {read}")
        if self._account and self._numbers[keys] != self._account:
            return Failure(None, message=f"{OTHER_ACCOUNT} {self._numbers[keys]} instead of {self._account}")
        return self._attempt(keys, verb, path, data, refusal)

    def _attempt(
        self, keys: Keys, verb: str, path: str, data: Mapping[str, Any] | None, refusal: Refusal = never_refused
    ) -> Answer:
        request = getattr(self._client(keys), verb)
        # Last, since new keys and the account's number may have been read since the caller asked.
        if why := refusal():
            return Failure(None, message=f"not sent: {why}", is_unsent=True)
        try:
            answer = Body(request(path, data))
        except APIError as error:
            return failure_of(error.status_code, str(error))
        except requests.exceptions.ConnectionError as error:
            return Failure(None, message=type(error).__name__, is_dropped=True)
        except (requests.exceptions.RequestException, ValueError, RecursionError) as error:
            return Failure(None, message=type(error).__name__)
        if (verb, path) == ("get", ACCOUNT) and (number := account_number_in(answer)):
            self._numbers[keys] = number
        return answer

    def _client(self, keys: Keys) -> RESTClient:
        if getattr(self._local, "keys", None) != keys:
            self._local.client = hardened(self._build(keys), self._mount)
            self._local.keys = keys
        client: RESTClient = self._local.client
        return client


def trading_api(
    keys: KeySource, mode: TradingMode, mount: Callable[[requests.Session], None], url: str | None = None
) -> Connection:
    """The trading API of a mode; `url` points to a simulated broker instead."""

    host = BaseURL.TRADING_PAPER if mode is TradingMode.PAPER else BaseURL.TRADING_LIVE
    return Connection(client_of(url or host), keys, mount)


def client_of(url: str) -> Callable[[Keys], RESTClient]:
    """Builds alpaca-py's client of a service, at its base URL.

    The client is the base of TradingClient and StockHistoricalDataClient, whose packages import the models and streams
    that are not used here, a third of the imports of a cold start.
    """
    return lambda pair: RESTClient(
        url, pair.key_id.get_secret_value(), pair.secret_key.get_secret_value(), raw_data=True
    )


def account_number_in(answer: Body) -> str:
    """The number in an answer about the account; empty if it has none."""
    number = answer.value.get("account_number") if isinstance(answer.value, Mapping) else None
    return number if isinstance(number, str) else ""


def failure_of(status: int, text: str) -> Failure:
    """An error answer's status, code and message; the latter two only if the body is the API's own JSON."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = None
    fields = body if isinstance(body, dict) else {}
    code, words = fields.get("code"), [fields.get("message"), fields.get("reject_reason")]
    return Failure(
        status,
        code if isinstance(code, int) else None,
        ", ".join(word for word in words if isinstance(word, str))[:MESSAGE_LENGTH],
    )
