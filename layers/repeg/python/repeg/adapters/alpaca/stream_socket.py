"""One connection of a stream: what may happen to it, and that all of it is noticed."""

from __future__ import annotations

import asyncio
import logging
import ssl
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import certifi

with warnings.catch_warnings():
    # alpaca-py 0.44 uses the legacy API of websockets.
    warnings.simplefilter("ignore", DeprecationWarning)
    from websockets.exceptions import ConnectionClosed, InvalidHandshake
    from websockets.legacy.client import WebSocketClientProtocol
    from websockets.legacy.exceptions import InvalidStatusCode, RedirectHandshake

from repeg.adapters.alpaca.signals import Patience
from repeg.adapters.alpaca.stream_messages import REASON_LENGTH

# A closing handshake gets so long; a step waits for it.
CLOSE_SECONDS = 0.5

# The largest real message, a batch of quotes, has a few kilobytes.
MOST_BYTES = 1 << 20
MOST_WAITING = 64

_SILENT_LOG = logging.getLogger(f"{__name__}.discarded")
_SILENT_LOG.disabled = True


class Observed:
    """What happens to one stream: `opened` and `lost`, with a reason, tell its listener.

    One is made for each stream; it survives the stream's reconnections.
    """

    def __init__(
        self, patience: Patience, opened: Callable[[frozenset[str]], None], lost: Callable[[str], None]
    ) -> None:
        self.patience, self.opened, self._lost = patience, opened, lost
        self.socket: WebSocketClientProtocol | None = None
        self.is_subscribed = False
        self.said = ""
        self._heard_at = self._connected_at = 0.0

    def connect(self, **options: Any) -> WebSocketClientProtocol:
        """The protocol of a new connection, for websockets to call."""
        self.socket, self.is_subscribed, self.said = _Socket(self, **options), False, ""
        self._connected_at = self._heard_at = asyncio.get_running_loop().time()
        return self.socket

    def heard(self) -> None:
        """Note that something has arrived: a message, a pong, anything."""
        self._heard_at = asyncio.get_running_loop().time()

    def subscribed(self, symbols: frozenset[str]) -> None:
        """Note that the server has confirmed the subscription, of quotes to these symbols."""
        self.is_subscribed, self.said = True, ""
        self.opened(symbols)

    def failed(self, error: BaseException) -> str:
        """Note the end of a connection, or of an attempt; returns the reason."""
        self.is_subscribed = False
        reason, self.said = self.said or _reason(error), ""
        self._lost(reason)
        return reason

    def check(self) -> None:
        """Abort a connection that says nothing, or that never confirms its subscription."""
        if self.socket is None or self.socket.closed:
            return
        now = asyncio.get_running_loop().time()
        if now - self._heard_at > self.patience.silence:
            self.abort(f"silent for {self.patience.silence:g} s")
        elif not self.is_subscribed and now - self._connected_at > 2 * self.patience.opening:
            self.abort("no subscription")

    def abort(self, reason: str) -> None:
        """Drop the connection without a closing handshake, which nobody would answer."""
        self.said = reason
        transport = getattr(self.socket, "transport", None)
        if transport is not None:
            transport.abort()


class _Socket(WebSocketClientProtocol):
    """A connection that says when it hears something, and follows no redirect: the keys are for one host."""

    def __init__(self, observed: Observed, **options: Any) -> None:
        super().__init__(**options)
        self._observed = observed

    def data_received(self, data: bytes) -> None:
        """Pass on what has arrived."""
        self._observed.heard()
        super().data_received(data)

    async def handshake(self, *args: Any, **options: Any) -> None:
        """Shake hands. Raises InvalidHandshake for a redirect."""
        try:
            await super().handshake(*args, **options)
        except RedirectHandshake:
            raise InvalidHandshake("redirected") from None


def parameters(observed: Observed, url: str | None) -> dict[str, Any]:
    """How websockets connects. The certificates are those of the REST calls: no variable can name others. Its log would
    hold the keys, because it logs each frame."""
    secure = {} if url is not None else {"ssl": ssl.create_default_context(cafile=certifi.where())}
    return {
        **secure,
        "create_protocol": partial(_new, observed),
        "logger": _SILENT_LOG,
        "ping_interval": observed.patience.ping,
        "ping_timeout": None,  # `check` judges by everything that arrives, not by pongs alone
        "open_timeout": observed.patience.opening,
        "close_timeout": CLOSE_SECONDS,
        "max_size": MOST_BYTES,
        "max_queue": MOST_WAITING,
    }


def _new(observed: Observed, **options: Any) -> WebSocketClientProtocol:
    return observed.connect(**options)


def _reason(error: BaseException) -> str:
    """The reason in a few words that hold nothing but what the server said."""
    if isinstance(error, InvalidStatusCode):
        return f"HTTP {error.status_code}"
    if isinstance(error, ConnectionClosed):
        return f"closed ({error.rcvd.code if error.rcvd else 1006})"
    if isinstance(error, ValueError):
        return str(error)[:REASON_LENGTH]
    return type(error).__name__
