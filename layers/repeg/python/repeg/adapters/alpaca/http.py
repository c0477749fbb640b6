"""HTTP to Alpaca through alpaca-py's clients, with their retries disabled and failures returned instead of raised."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Protocol

import requests
from alpaca.common.exceptions import APIError
from alpaca.common.rest import RESTClient
from alpaca.trading.client import TradingClient
from requests.adapters import HTTPAdapter

from repeg.adapters.alpaca.keys import Keys, KeySource, TradingMode
from repeg.domain.errors import RepegError

MESSAGE_LENGTH = 300
_UNAUTHORIZED = 401


@dataclass(frozen=True)
class Body:
    """A successful answer: decoded JSON with Decimal for every fraction, or None if the body was empty."""

    value: Any


@dataclass(frozen=True)
class Failure:
    """A failed request, in words that are safe to log.

    `status` is None if no readable answer arrived, `code` if the body has none; `message` is empty if the body is not
    the API's own JSON; `is_dropped` says that the connection failed.
    """

    status: int | None
    code: int | None = None
    message: str = ""
    is_dropped: bool = False

    def __str__(self) -> str:
        """Status, code and message, as far as they are known."""
        return " ".join(str(part) for part in (self.status, self.code, self.message) if part) or "no answer"


Answer = Body | Failure


class Api(Protocol):
    """HTTP methods on paths below the API's version. A failed request is returned, never raised."""

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """Read a resource."""

    def post(self, path: str, fields: Mapping[str, Any]) -> Answer:
        """Create a resource."""

    def patch(self, path: str, fields: Mapping[str, Any]) -> Answer:
        """Change a resource."""

    def delete(self, path: str) -> Answer:
        """Delete a resource."""


class Redirected(requests.exceptions.RequestException):
    """The answer is a redirect, which the API never sends."""


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

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """Read, with one retry after a connection error: an idle keep-alive connection may have been closed."""
        answer = self._send("get", path, params)
        return self._send("get", path, params) if isinstance(answer, Failure) and answer.is_dropped else answer

    def post(self, path: str, fields: Mapping[str, Any]) -> Answer:
        """Create, without a retry."""
        return self._send("post", path, fields)

    def patch(self, path: str, fields: Mapping[str, Any]) -> Answer:
        """Change, without a retry."""
        return self._send("patch", path, fields)

    def delete(self, path: str) -> Answer:
        """Delete, without a retry."""
        return self._send("delete", path, None)

    def _send(self, verb: str, path: str, data: Mapping[str, Any] | None) -> Answer:
        """One request, repeated after a 401 if the keys have been rotated; a request refused with 401 had no effect."""
        used = self._keys.current()
        answer = self._attempt(used, verb, path, data)
        if not (isinstance(answer, Failure) and answer.status == _UNAUTHORIZED):
            return answer
        try:
            renewed = self._keys.renewed(used)
        except RepegError as error:
            return Failure(_UNAUTHORIZED, answer.code, f"{answer.message} {error}".strip())
        return answer if renewed == used else self._attempt(renewed, verb, path, data)

    def _attempt(self, keys: Keys, verb: str, path: str, data: Mapping[str, Any] | None) -> Answer:
        request = getattr(self._client(keys), verb)
        try:
            return Body(request(path, data))
        except APIError as error:
            return failure_of(error.status_code, str(error))
        except requests.exceptions.ConnectionError as error:
            return Failure(None, message=type(error).__name__, is_dropped=True)
        except (requests.exceptions.RequestException, ValueError, RecursionError) as error:
            return Failure(None, message=type(error).__name__)

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

    def build(pair: Keys) -> TradingClient:
        return TradingClient(
            pair.key_id.get_secret_value(),
            pair.secret_key.get_secret_value(),
            paper=mode is TradingMode.PAPER,
            raw_data=True,
            url_override=url,
        )

    return Connection(build, keys, mount)


def hardened(client: RESTClient, mount: Callable[[requests.Session], None]) -> RESTClient:
    """The client without retries, on a transport with timeouts, decoding numbers exactly, confined to its own host.

    alpaca-py retries every request, including POST, three times on 429 and 504, and sets no timeout; its constructors
    can change neither. Raises RuntimeError if a release has renamed the attributes that are set here.
    """
    missing = {"_base_url", "_retry", "_retry_codes", "_session"} - vars(client).keys()
    if missing:
        raise RuntimeError(f"alpaca-py no longer has {', '.join(sorted(missing))}")
    client._retry = 0  # noqa: SLF001 - there is no public option
    client._retry_codes = []  # noqa: SLF001
    session = client._session  # noqa: SLF001
    mount(session)
    _confine(session, client._base_url)  # noqa: SLF001
    session.hooks["response"].append(_read_exactly)
    return client


def _confine(session: requests.Session, base_url: str) -> None:
    """Let a session that carries the keys reach its own host only, and directly.

    Without this, the environment could name a proxy, a CA bundle or a netrc file, and a session that follows a redirect
    would send its headers, the keys among them, to whatever host the redirect names.
    """
    session.trust_env = False
    session.max_redirects = 0
    origin = f"{str.__str__(base_url).rstrip('/')}/"
    transport = session.get_adapter(origin)
    if type(transport) is HTTPAdapter:
        raise RuntimeError("the runtime mounted no transport with timeouts on the session")
    session.adapters.clear()
    session.mount(origin, transport)


def _read_exactly(response: requests.Response, *_args: object, **_options: object) -> requests.Response:
    """Decode the body as UTF-8 JSON with Decimal fractions, whatever the headers say. Raises Redirected."""
    if response.is_redirect or 300 <= response.status_code < 400:
        raise Redirected(f"status {response.status_code}")
    response.encoding = "utf-8"
    response.json = partial(response.json, parse_float=Decimal, parse_constant=_not_a_number)  # type: ignore[method-assign]
    return response


def _not_a_number(word: str) -> Decimal:
    raise ValueError(f"{word} is not a number")


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
