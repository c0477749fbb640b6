"""The two clients of the streams' twin: they connect, are sent frames, lose their connection and connect again."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

import msgpack  # type: ignore[import-untyped]

from repeg.adapters.alpaca import stream_messages
from repeg.adapters.alpaca.inbox import Inbox
from repeg_workbench.engine.scheduler import NANOSECONDS
from repeg_workbench.exchange.api.gate import Keys
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.faults.stream_faults import StreamFailure
from repeg_workbench.exchange.serving.hub import Hub
from repeg_workbench.exchange.streams.data_stream import MESSAGE_PACK, DataStream, Frame
from repeg_workbench.exchange.streams.trade_stream import STREAM, TradeStream
from repeg_workbench.twins.stream_line import VirtualLine

# As the deployed adapter: how long a silent connection is believed in, and how long one may take to open.
SILENCE: Final = 15 * NANOSECONDS
OPENING: Final = 5 * NANOSECONDS

# alpaca-py's pauses between two attempts, without their jitter.
FIRST_PAUSE, LONGEST_PAUSE = 1, 30

_FINAL: Final = ("failed to authenticate", "auth failed", "insufficient subscription")

Later = Callable[[int, Callable[[], None]], None]


class Client(ABC):
    """What both clients share. `later` has the client act at an instant; the exchange's own timers carry its frames.

    `on_sent` are called with each frame that the exchange sends to the client, and the instant at which it arrives.
    """

    path = ""

    def __init__(self, exchange: Exchange, hub: Hub, latency: int, later: Later, inbox: Inbox, keys: Keys) -> None:
        self.exchange, self.hub, self.latency, self.later = exchange, hub, latency, later
        self.inbox, self.keys = inbox, keys
        self.stream: TradeStream | DataStream | None = None
        self.line: VirtualLine | None = None
        self.said = ""
        self.is_confirmed = False
        self.on_sent: list[Callable[[int, Frame], None]] = []
        self._attempts = 0

    def connect(self) -> None:
        """Connect, which takes the time of two frames."""
        line = self.line = VirtualLine(self)
        self.said, self.is_confirmed = "", False
        self._carry(2, line, lambda: self._arrive(line))

    def close(self, *, is_noticed: bool = True) -> None:
        """Disconnect for good; the broker does not notice the end of a container that is killed."""
        self._leave(is_noticed=is_noticed)
        self.line = None

    def arrives(self, action: Callable[[], None], line: VirtualLine) -> None:
        """Act after a frame's way, unless the client has given up the connection by then."""
        self.later(self.exchange.now + self.latency, lambda: self._act(action, line))

    def falls_silent(self, line: VirtualLine) -> None:
        """Give up a connection once it has been silent for long enough."""
        self.later(self.exchange.now + SILENCE, lambda: self._act(lambda: self.lose("silent for 15 s"), line))

    def lose(self, reason: str) -> None:
        """Note the end of the connection, and connect again after a pause."""
        reason = self.said or reason
        self._leave()
        self.line = None
        self.lost(reason)
        if not reason.startswith(_FINAL):
            pause = min(LONGEST_PAUSE, FIRST_PAUSE << self._attempts)
            self._attempts = min(self._attempts + 1, 5)
            self.later(self.exchange.now + pause * NANOSECONDS, self.connect)

    def opened(self) -> None:
        """Note a confirmed subscription."""
        self.is_confirmed = True
        self._attempts = 0

    def send(self, frames: int, line: VirtualLine, frame: Any) -> None:
        """Have the exchange receive a frame after the way of so many."""
        self._carry(frames, line, lambda: self._receive(frame))

    @abstractmethod
    def join(self, line: VirtualLine) -> TradeStream | DataStream:
        """Become a client of the exchange."""

    @abstractmethod
    def greet(self, line: VirtualLine) -> None:
        """Authenticate and subscribe."""

    @abstractmethod
    def read(self, frame: Frame) -> None:
        """Read a frame."""

    @abstractmethod
    def lost(self, reason: str) -> None:
        """Note in the inbox that the stream is lost."""

    def _arrive(self, line: VirtualLine) -> None:
        refused = self.exchange.faults.refusal(self.path)
        if refused is not None:
            self.arrives(lambda: self.lose(f"HTTP {refused.status}"), line)
            return
        fault = self.exchange.faults.stream("connect")
        if fault is not None and fault.failure in {StreamFailure.SILENT, StreamFailure.FREEZE}:
            self.later(self.exchange.now + OPENING, lambda: self._act(lambda: self.lose("TimeoutError"), line))
            return
        self.stream = self.join(line)
        self.greet(line)

    def _receive(self, frame: Any) -> None:
        stream: Any = self.stream
        if stream is None:
            return
        stream.receive(frame)
        if isinstance(stream, DataStream) and stream.is_closed and self.line is not None:
            self.line.close()

    def _carry(self, frames: int, line: VirtualLine, action: Callable[[], None]) -> None:
        self.exchange.timers.at(self.exchange.now + frames * self.latency, lambda _at: self._act(action, line))

    def _act(self, action: Callable[[], None], line: VirtualLine) -> None:
        if self.line is line:
            action()

    def _leave(self, *, is_noticed: bool = True) -> None:
        if self.stream is not None:
            self.hub.leave(self.stream, is_noticed=is_noticed and not (self.line is not None and self.line.is_frozen))
        self.stream = None


class TradeClient(Client):
    """Listens to trade updates."""

    path = "stream"

    def join(self, line: VirtualLine) -> TradeStream:
        """Join without keys, as alpaca-py does."""
        return self.hub.join_trade(line)

    def greet(self, line: VirtualLine) -> None:
        """Authenticate; the second request follows the answer to the first."""
        data = {"key_id": self.keys[0], "secret_key": self.keys[1]}
        self.send(1, line, json.dumps({"action": "authenticate", "data": data}))
        self.send(3, line, json.dumps({"action": "listen", "data": {"streams": [STREAM]}}))

    def read(self, frame: Frame) -> None:
        """Read an update, or an answer to a request."""
        message = json.loads(frame)
        if stream_messages.confirms_listening(message):
            self.opened()
            self.inbox.connected()
        elif message["data"].get("status") == "unauthorized":
            self.lose("failed to authenticate")
        else:
            self.inbox.update(message)

    def lost(self, reason: str) -> None:
        """No updates arrive."""
        self.inbox.lose_orders(reason)


class DataClient(Client):
    """Follows the quotes of symbols that may change."""

    def __init__(self, *shared: Any) -> None:
        super().__init__(*shared[:-1])
        self.path: str = shared[-1]
        self.wanted: list[str] = []
        self._asked: frozenset[str] | None = None

    def watch(self, symbols: list[str]) -> None:
        """Follow these symbols and no others."""
        self.wanted = symbols
        if self._asked is None or self.line is None:
            return
        asked, wanted = self._asked, frozenset(symbols)
        for action, some in (("unsubscribe", asked - wanted), ("subscribe", wanted - asked)):
            if some:
                self.send(1, self.line, msgpack.packb({"action": action, "quotes": sorted(some)}))
        self._asked = wanted

    def join(self, line: VirtualLine) -> DataStream:
        """Join in MessagePack, without keys, as alpaca-py does."""
        return self.hub.join_data(self.path, MESSAGE_PACK, line)

    def greet(self, line: VirtualLine) -> None:
        """Authenticate; the second request follows the answer to the first."""
        self.send(2, line, msgpack.packb({"action": "auth", "key": self.keys[0], "secret": self.keys[1]}))
        self._carry(4, line, self._subscribe)

    def read(self, frame: Frame) -> None:
        """Read quotes, or an answer to a request."""
        for message in msgpack.unpackb(frame):
            if stream_messages.is_quote(message):
                self.inbox.quote(message)
            else:
                self._read_answer(message)

    def lost(self, reason: str) -> None:
        """No quotes arrive."""
        self._asked = None
        self.inbox.lose_quotes(reason)

    def _read_answer(self, message: object) -> None:
        confirmed = stream_messages.confirmed_quotes(message)
        if confirmed is not None:
            self.opened()
            self.inbox.follow(confirmed)
        elif complaint := stream_messages.complaint(message):
            self.said = complaint
            if not self.is_confirmed:
                self.lose(complaint)

    def _subscribe(self) -> None:
        self._asked = frozenset(self.wanted)
        if self.wanted:
            self._receive(msgpack.packb({"action": "subscribe", "quotes": self.wanted}))
