"""The way to Alpaca: alpaca-py's own clients with their retries switched off, and an answer instead of an exception."""

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
    """What a request brought: decoded JSON with Decimal for every fraction, or None where the body was empty."""

    value: Any


@dataclass(frozen=True)
class Failure:
    """What went wrong, in words that are safe to show.

    `status` is None where nothing readable came back, `code` where the body has none, `message` is empty where the body
    is not the API's; `was_cut` says that the connection failed.
    """

    status: int | None
    code: int | None = None
    message: str = ""
    was_cut: bool = False

    def __str__(self) -> str:
        """Status, code and message, as far as there are any."""
        return " ".join(str(part) for part in (self.status, self.code, self.message) if part) or "no answer"


Answer = Body | Failure


class Calls(Protocol):
    """Four verbs on paths below the API's version. None of them raises for what the other side says."""

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """Read."""

    def post(self, path: str, fields: Mapping[str, Any]) -> Answer:
        """Write."""

    def patch(self, path: str, fields: Mapping[str, Any]) -> Answer:
        """Change."""

    def delete(self, path: str) -> Answer:
        """Remove."""


class Redirected(requests.exceptions.RequestException):
    """The answer points elsewhere; a broker's API never does."""


class Connection:
    """One kind of alpaca-py client, one for each thread, behind four verbs that never raise for what the broker says.

    The verbs are alpaca-py's own. Its request models are left out because they carry money as floats, its response
    models because they fail on words they do not know. No exception of the library leaves this module: each holds the
    request, and the request's headers hold the secret key.
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
        """Read; once more where the connection failed, for a kept-alive socket may have died while nobody looked."""
        answer = self._send("get", path, params)
        return self._send("get", path, params) if isinstance(answer, Failure) and answer.was_cut else answer

    def post(self, path: str, fields: Mapping[str, Any]) -> Answer:
        """Write, once."""
        return self._send("post", path, fields)

    def patch(self, path: str, fields: Mapping[str, Any]) -> Answer:
        """Change, once."""
        return self._send("patch", path, fields)

    def delete(self, path: str) -> Answer:
        """Remove, once."""
        return self._send("delete", path, None)

    def _send(self, verb: str, path: str, data: Mapping[str, Any] | None) -> Answer:
        """One request. After a 401 the same once more with a newer pair, if there is one: nothing has happened yet."""
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
            return refused(error.status_code, str(error))
        except requests.exceptions.ConnectionError as error:
            return Failure(None, message=type(error).__name__, was_cut=True)
        except (requests.exceptions.RequestException, ValueError) as error:
            return Failure(None, message=type(error).__name__)

    def _client(self, keys: Keys) -> RESTClient:
        if getattr(self._local, "keys", None) != keys:
            self._local.client = disarmed(self._build(keys), self._mount)
            self._local.keys = keys
        client: RESTClient = self._local.client
        return client


def trading_api(
    keys: KeySource, mode: TradingMode, mount: Callable[[requests.Session], None], url: str | None = None
) -> Connection:
    """The way to the trading API; `url` points to a simulated broker, otherwise the mode alone says where it goes."""

    def build(pair: Keys) -> TradingClient:
        return TradingClient(
            pair.key_id.get_secret_value(),
            pair.secret_key.get_secret_value(),
            paper=mode is TradingMode.PAPER,
            raw_data=True,
            url_override=url,
        )

    return Connection(build, keys, mount)


def disarmed(client: RESTClient, mount: Callable[[requests.Session], None]) -> RESTClient:
    """The client without its blind retries, on a transport with time-outs, reading numbers exactly.

    alpaca-py repeats any request three times on 429 and 504, a POST too, and sets no time-out; neither can be switched
    off from outside. Raises RuntimeError where a release has moved what is switched off here.
    """
    missing = {"_retry", "_retry_codes", "_session"} - vars(client).keys()
    if missing:
        raise RuntimeError(f"alpaca-py has no {', '.join(sorted(missing))} any more")
    client._retry = 0  # noqa: SLF001 - there is no public switch
    client._retry_codes = []  # noqa: SLF001
    session = client._session  # noqa: SLF001
    mount(session)
    if any(type(session.get_adapter(scheme)) is HTTPAdapter for scheme in ("https://", "http://")):
        raise RuntimeError("the runtime has put no transport with time-outs under the session")
    session.hooks["response"].append(_read_exactly)
    return client


def _read_exactly(response: requests.Response, *_args: object, **_options: object) -> requests.Response:
    """Have the body read as UTF-8 JSON with Decimal fractions, whatever the headers say; refuse a redirect."""
    if response.is_redirect or 300 <= response.status_code < 400:
        raise Redirected(f"status {response.status_code}")
    response.encoding = "utf-8"
    response.json = partial(response.json, parse_float=Decimal, parse_constant=_no_number)  # type: ignore[method-assign]
    return response


def _no_number(word: str) -> Decimal:
    raise ValueError(f"{word} is not a number")


def refused(status: int, text: str) -> Failure:
    """Status, code and message of the broker's refusal; a body that is not the API's own says nothing."""
    try:
        body = json.loads(text)
    except ValueError:
        body = None
    fields = body if isinstance(body, dict) else {}
    code, words = fields.get("code"), [fields.get("message"), fields.get("reject_reason")]
    return Failure(
        status,
        code if isinstance(code, int) else None,
        ", ".join(word for word in words if isinstance(word, str))[:MESSAGE_LENGTH],
    )
