"""Serves the two streams over websockets: open connections and the frames queued for each."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from aiohttp import WSMsgType, web

from repeg_workbench.exchange.api.gate import KEY_HEADER, SECRET_HEADER, Keys
from repeg_workbench.exchange.broker.ledger import Execution, OrderEvent
from repeg_workbench.exchange.broker.orders import Order
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.faults.transport_faults import StreamFailure
from repeg_workbench.exchange.streams.data_stream import DataStream, Frame
from repeg_workbench.exchange.streams.feed import Feed, Message
from repeg_workbench.exchange.streams.trade_stream import TradeStream, trade_update

_LOG = logging.getLogger(__name__)

_MOST_WAITING: Final = 20_000
_MOST_BYTES: Final = 32 * 1024 * 1024
"""The frames and bytes that a client may leave unread; with more it is disconnected as too slow."""

_CLOSE_TIMEOUT: Final = 1.0
"""Seconds a client has to complete the closing handshake."""


class _Line:
    """One websocket and its bounded queue of frames to send; None closes it.

    `on_slow` may send a last frame to a client that leaves too much unread, before it is disconnected.
    """

    def __init__(self, socket: web.WebSocketResponse, incoming: web.BaseRequest) -> None:
        self.socket, self._transport = socket, incoming.transport
        self.on_slow: Callable[[], None] = lambda: None
        self._waiting: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._unsent = 0
        self._is_closing = False

    def send(self, frame: Frame) -> None:
        if self._is_closing:
            return
        self._unsent += len(frame)
        self._waiting.put_nowait(frame)
        if self._waiting.qsize() > _MOST_WAITING or self._unsent > _MOST_BYTES:
            self._give_up()

    def close(self) -> None:
        self._is_closing = True
        self._waiting.put_nowait(None)

    def _give_up(self) -> None:
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._unsent = 0
        self.on_slow()
        self.close()
        if self._transport is not None:
            # The closing handshake cannot be sent while the client does not read.
            asyncio.get_running_loop().call_later(_CLOSE_TIMEOUT, self._transport.abort)

    async def carry(self, receive: Callable[[Frame], None]) -> None:
        """Carry frames both ways until either side closes."""
        writer = asyncio.create_task(self._write())
        try:
            async for message in self.socket:
                if message.type in {WSMsgType.TEXT, WSMsgType.BINARY} and not self._is_closing:
                    self._receive(receive, message.data)
        finally:
            writer.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await writer

    def _receive(self, receive: Callable[[Frame], None], frame: Frame) -> None:
        try:
            receive(frame)
        except Exception:  # noqa: BLE001 - logged; one client's frame must not end the server
            _LOG.exception("frame_failed")
            self.close()

    async def _write(self) -> None:
        while (frame := await self._waiting.get()) is not None:
            self._unsent -= len(frame)
            if isinstance(frame, bytes):
                await self.socket.send_bytes(frame)
            else:
                await self.socket.send_str(frame)
        await self.socket.close()


class Sockets:
    """All open streams of one exchange; a market data client has `patience` seconds to authenticate."""

    def __init__(self, exchange: Exchange, patience: float = 10) -> None:
        self._exchange, self._patience = exchange, patience
        self._trade: dict[TradeStream, _Line] = {}
        self._data: dict[DataStream, _Line] = {}
        self._open: set[web.WebSocketResponse] = set()
        self._updates = 0
        exchange.records.listeners.append(self._order_event)
        for feed in exchange.shown.feeds:
            feed.listeners.append(partial(self._market_event, feed))

    @property
    def silent(self) -> int:
        """How many connections the `silent` stream fault has struck."""
        return len(self._open) - len(self._trade) - len(self._data)

    @property
    def listening(self) -> int:
        """How many clients listen to trade updates."""
        return sum(stream.is_listening for stream in self._trade)

    @property
    def subscribed(self) -> int:
        """How many clients are subscribed to market data."""
        return sum(stream.is_subscribed for stream in self._data)

    async def serve(self, incoming: web.BaseRequest) -> web.WebSocketResponse:
        """Serve one connection until it closes."""
        socket = web.WebSocketResponse(timeout=_CLOSE_TIMEOUT)
        await socket.prepare(incoming)
        line = _Line(socket, incoming)
        self._open.add(socket)
        try:
            await self._serve_stream(line, incoming)
        finally:
            self._open.discard(socket)
        return socket

    async def _serve_stream(self, line: _Line, incoming: web.BaseRequest) -> None:
        if self._exchange.faults.stream("connect") is StreamFailure.SILENT:
            await line.carry(lambda frame: None)  # noqa: ARG005 - receives and never answers
        elif stream_name(incoming.path) == "stream":
            await self._serve_trade(line, incoming)
        else:
            await self._serve_data(line, incoming)

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(socket.close() for socket in list(self._open)))

    async def _serve_trade(self, line: _Line, incoming: web.BaseRequest) -> None:
        stream = TradeStream(self._exchange.gate, line.send, _keys(incoming))
        self._trade[stream] = line
        try:
            await line.carry(stream.receive)
        finally:
            del self._trade[stream]

    async def _serve_data(self, line: _Line, incoming: web.BaseRequest) -> None:
        exchange = self._exchange
        name = stream_name(incoming.path)
        stream = DataStream(
            name,
            incoming.headers.get("Content-Type", ""),
            exchange.gate,
            exchange.shown.of(name)[2],
            line.send,
            lambda: sum(other.is_authenticated for other in self._data),
            lambda: exchange.now,
        )
        self._data[stream] = line
        stream.open(_keys(incoming))
        line.on_slow = lambda: stream.fail(407)
        alarm = asyncio.get_running_loop().call_later(self._patience, self._time_out, stream, line)
        try:
            await line.carry(lambda frame: self._receive(stream, line, frame))
        finally:
            alarm.cancel()
            stream.close()
            del self._data[stream]

    @staticmethod
    def _receive(stream: DataStream, line: _Line, frame: Frame) -> None:
        stream.receive(frame)
        if stream.is_closed:
            line.close()

    @staticmethod
    def _time_out(stream: DataStream, line: _Line) -> None:
        if not stream.is_authenticated:
            stream.fail(404)
            line.close()

    def _order_event(self, event: OrderEvent, order: Order, execution: Execution | None) -> None:
        self._exchange.feed.mark_changed(event.symbol)
        listening = [stream for stream in self._trade if stream.is_listening]
        if not listening:
            return
        failure = self._exchange.faults.stream(event.event)
        if failure is StreamFailure.DROP:
            return
        self._updates += 1
        exchange = self._exchange
        view = exchange.trading.view(order, is_nested=False)
        position = exchange.account.portfolio.quantity(event.symbol)
        update = trade_update(event, view, execution, position, self._updates)
        for stream in listening:
            for _ in range(2 if failure is StreamFailure.DUPLICATE else 1):
                stream.deliver(update)
            if failure is StreamFailure.DISCONNECT:
                self._trade[stream].close()

    def _market_event(self, feed: Feed, channel: str, symbol: str, message: Message) -> None:
        for stream in list(self._data):
            if stream.feed is feed:
                stream.deliver(channel, symbol, message)


def stream_name(path: str) -> str:
    """The stream of a path: `stream` for trade updates, or a feed's name; a trailing slash makes no difference."""
    name = path.removesuffix("/")
    return "stream" if name == "/stream" else name.removeprefix("/v2/")


def _keys(incoming: web.BaseRequest) -> Keys | None:
    key_id, secret = incoming.headers.get(KEY_HEADER), incoming.headers.get(SECRET_HEADER)
    return None if key_id is None or secret is None else (key_id, secret)
