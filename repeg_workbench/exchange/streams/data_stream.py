"""The market data stream's protocol for one connection, in msgpack or JSON."""

import json
from collections.abc import Callable
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]

from repeg_workbench.exchange.api.data_api import FEEDS
from repeg_workbench.exchange.api.fields import is_symbol
from repeg_workbench.exchange.api.gate import Gate, Keys
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.streams.feed import CHANNELS, Feed, Message
from repeg_workbench.exchange.time.stamps import SECOND, utc

Frame = str | bytes
ERRORS: Final = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    407: "slow client",
    409: "insufficient subscription",
    410: "invalid subscribe action for this feed",
    500: "internal error",
}
MESSAGE_PACK: Final = "application/msgpack"
EVERYTHING: Final = "*"
"""Stands for all symbols; in a limited channel only accepted without a symbol limit."""

_LIMITED: Final = ("trades", "quotes")
"""The channels whose symbols count towards the account's limit."""

_MOST_SYMBOLS: Final = 500
"""The symbols that one channel accepts by name."""


class DataStream:
    """One client of one feed: it authenticates, subscribes, and receives all later messages of its symbols.

    `connected` returns how many of the account's clients are authenticated; `now` returns the exchange's time (ns).
    """

    def __init__(
        self,
        feed_name: str,
        content_type: str,
        gate: Gate,
        feed: Feed,
        send: Callable[[Frame], None],
        connected: Callable[[], int],
        now: Callable[[], int],
    ) -> None:
        self._name, self._is_packed = feed_name, content_type == MESSAGE_PACK
        self._gate, self.feed, self._send, self._connected, self._now = gate, feed, send, connected, now
        self.is_authenticated = False
        self.is_closed = False
        self._channels: dict[str, list[str]] = {channel: [] for channel in CHANNELS}
        self._send_message({"T": "success", "msg": "connected"})

    @property
    def _quirks(self) -> BrokerQuirks:
        return self._gate.quirks

    @property
    def is_subscribed(self) -> bool:
        """Whether the client has any subscription."""
        return any(self._channels.values())

    def open(self, keys: Keys | None) -> None:
        """Authenticate the client by the headers of its upgrade request, if they have keys."""
        if keys is not None:
            self._authenticate({"key": keys[0], "secret": keys[1]})

    def receive(self, frame: Frame) -> None:
        """Handle a frame from the client."""
        request = self._parse(frame)
        if request is None:
            self.fail(400)
        elif request.get("action") == "auth":
            self._authenticate(request)
        elif not self.is_authenticated:
            self.fail(401)
        elif request.get("action") in ("subscribe", "unsubscribe"):
            self._change(request)
        else:
            self.fail(400)

    def deliver(self, channel: str, symbol: str, message: Message) -> None:
        """Send a message if the client has subscribed to it."""
        wanted = self._channels[channel]
        if self.is_authenticated and not self.is_closed and (symbol in wanted or EVERYTHING in wanted):
            self._send_message(message)

    def fail(self, code: int) -> None:
        """Send an error; some errors end the connection."""
        self._send_message({"T": "error", "code": code, "msg": ERRORS[code]})
        self.is_closed = self.is_closed or code in {402, 404, 406, 407, 409}

    def close(self) -> None:
        """End the subscriptions of a disconnected client."""
        self.is_authenticated = False
        for channel, symbols in self._channels.items():
            for symbol in symbols:
                self._watch(self.feed.unwatch, channel, symbol)
            symbols.clear()

    def _authenticate(self, request: dict[str, Any]) -> None:
        if self.is_authenticated:
            self.fail(403)
        elif not self._gate.is_known(request.get("key"), request.get("secret")):
            self.fail(402)
        elif self._name not in FEEDS or (self._name == "sip" and not self._quirks.sip_entitled):
            self.fail(409)
        elif self._connected() >= self._quirks.stream_connection_limit:
            self.fail(406)
        else:
            self.is_authenticated = True
            self._send_message({"T": "success", "msg": "authenticated"})

    def _change(self, request: dict[str, Any]) -> None:
        wanted = {channel: request[channel] for channel in request if channel != "action"}
        if not all(channel in CHANNELS and _are_symbols(symbols) for channel, symbols in wanted.items()):
            self.fail(410 if set(wanted) - set(CHANNELS) else 400)
            return
        if request["action"] == "unsubscribe":
            self._unsubscribe(wanted)
        elif not self._fits(wanted):
            self.fail(405)
            return
        else:
            self._subscribe(wanted)
        self._send_message({"T": "subscription", **self._channels})

    def _subscribe(self, wanted: dict[str, list[str]]) -> None:
        for channel, symbols in wanted.items():
            for symbol in symbols:
                if symbol not in self._channels[channel]:
                    self._channels[channel].append(symbol)
                    self._watch(self.feed.watch, channel, symbol, self._now())

    def _unsubscribe(self, wanted: dict[str, list[str]]) -> None:
        for channel, symbols in wanted.items():
            for symbol in symbols:
                if symbol in self._channels[channel]:
                    self._channels[channel].remove(symbol)
                    self._watch(self.feed.unwatch, channel, symbol)

    def _watch(self, change: Callable[..., None], channel: str, symbol: str, *at: int) -> None:
        for each in self.feed.symbols if symbol == EVERYTHING else (symbol,):
            change(channel, each, *at)

    def _fits(self, wanted: dict[str, list[str]]) -> bool:
        limit = self._quirks.stream_symbol_limit
        held = {channel: {*self._channels[channel], *wanted.get(channel, ())} for channel in CHANNELS}
        limited = {symbol for channel in _LIMITED for symbol in held[channel]}
        if any(len(symbols) > _MOST_SYMBOLS for symbols in held.values()):
            return False
        return limit is None or (EVERYTHING not in limited and len(limited) <= limit)

    def _parse(self, frame: Frame) -> dict[str, Any] | None:
        try:
            request = msgpack.unpackb(frame) if self._is_packed and isinstance(frame, bytes) else json.loads(frame)
        except (ValueError, RecursionError, msgpack.UnpackException):
            return None
        return request if isinstance(request, dict) else None

    def _send_message(self, message: Message) -> None:
        self._send(_packed(message) if self._is_packed else json.dumps([_dated(message)]))


def _packed(message: Message) -> bytes:
    if "t" in message:
        message = message | {"t": msgpack.Timestamp(*divmod(message["t"], SECOND))}
    packed: bytes = msgpack.packb([message])
    return packed


def _dated(message: Message) -> Message:
    return message | {"t": utc(message["t"])} if "t" in message else message


def _are_symbols(symbols: object) -> bool:
    return isinstance(symbols, list) and all(
        isinstance(symbol, str) and (symbol == EVERYTHING or is_symbol(symbol)) for symbol in symbols
    )
