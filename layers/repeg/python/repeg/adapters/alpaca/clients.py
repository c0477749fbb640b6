"""alpaca-py's clients without retries, confined to their own host, and decoding numbers exactly."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

import requests
from alpaca.common.rest import RESTClient
from requests.adapters import HTTPAdapter

# Answers that are kept, and the longest of them in characters: decoded, they take up to 28 times as much.
KEPT_ANSWERS = 4
KEPT_LENGTH = 250_000


class Redirected(requests.exceptions.RequestException):
    """The answer is a redirect, which the API never sends."""


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
    response.__class__ = _ExactResponse
    return response


class _ExactResponse(requests.Response):
    """An answer whose JSON is read with Decimal fractions."""

    def json(self, **_options: Any) -> Any:
        """The decoded body, which must not be changed. Raises ValueError if it is not JSON."""
        text = self.text
        return _same_again(text) if len(text) <= KEPT_LENGTH else _decoded(text)


def _decoded(text: str) -> Any:
    return json.loads(text, parse_float=Decimal, parse_constant=_not_a_number)


@lru_cache(maxsize=KEPT_ANSWERS)
def _same_again(text: str) -> Any:
    """The body of an answer that often comes again: in most turns the list of open orders is that of the last one."""
    return _decoded(text)


def _not_a_number(word: str) -> Decimal:
    raise ValueError(f"{word} is not a number")
