"""Serves the two streams over websockets: open connections and the frames queued for each."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from aiohttp import WSMsgType, web

from repeg_workbench.exchange.api.gate import KEY_HEADER, SECRET_HEADER, Keys
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.faults.stream_faults import StreamFailure
from repeg_workbench.exchange.serving.hub import Hub
from repeg_workbench.exchange.streams.data_stream import DataStream, Frame

_LOG = logging.getLogger(__name__)

_MOST_WAITING: Final = 20_000
_MOST_BYTES: Final = 32 * 1024 * 1024
"""The frames and bytes that a client may leave unread; with more it is disconnected as too slow."""

_CLOSE_TIMEOUT: Final = 1.0
"""Seconds a client has to complete the closing handshake."""


class SocketLine:
    """One websocket and its bounded queue of frames to send; None closes it.

    `on_slow` may send a last frame to a client that leaves too much unread, before it is disconnected.
    """

    def __init__(self, socket: web.WebSocketResponse, incoming: web.BaseRequest) -> None:
        self.socket, self._transport = socket, incoming.transport
        self.on_slow: Callable[[], None] = lambda: None
        self._waiting: asyncio.Queue[Frame | None] = asyncio.Queue()
        self._unsent = 0
        self._is_closing = self.is_frozen = False

    def send(self, frame: Frame) -> None:
        """Queue a frame."""
        if self._is_closing or self.is_frozen:
            return
        self._unsent += len(frame)
        self._waiting.put_nowait(frame)
        if self._waiting.qsize() > _MOST_WAITING or self._unsent > _MOST_BYTES:
            self._give_up()

    def freeze(self) -> None:
        """Send nothing any more, and leave the connection open."""
        self.is_frozen = True

    def close(self) -> None:
        """Close the connection once the queue is sent."""
        if self.is_frozen:
            return
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
                if message.type is WSMsgType.PING and not self.is_frozen:
                    await self.socket.pong(message.data)
                elif message.type in {WSMsgType.TEXT, WSMsgType.BINARY} and not self._is_closing:
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
        self.hub = Hub(exchange)
        self._open: set[web.WebSocketResponse] = set()

    @property
    def silent(self) -> int:
        """How many connections the `silent` stream fault has struck."""
        return len(self._open) - len(self.hub)

    @property
    def connected(self) -> int:
        """How many connections are open."""
        return len(self._open)

    @property
    def listening(self) -> int:
        """How many clients listen to trade updates."""
        return self.hub.listening

    @property
    def subscribed(self) -> int:
        """How many clients are subscribed to market data."""
        return self.hub.subscribed

    async def serve(self, incoming: web.BaseRequest) -> web.StreamResponse:
        """Serve one connection until it closes."""
        refused = self._exchange.faults.refusal(stream_name(incoming.path))
        if refused is not None:
            return web.Response(status=refused.status)
        socket = web.WebSocketResponse(timeout=_CLOSE_TIMEOUT, autoping=False)
        await socket.prepare(incoming)
        line = SocketLine(socket, incoming)
        self._open.add(socket)
        try:
            await self._serve_stream(line, incoming)
        finally:
            self._open.discard(socket)
        return socket

    async def _serve_stream(self, line: SocketLine, incoming: web.BaseRequest) -> None:
        fault = self._exchange.faults.stream("connect")
        if fault is not None and fault.failure is StreamFailure.FREEZE:
            line.freeze()
        if fault is not None and fault.failure is StreamFailure.SILENT:
            await line.carry(lambda frame: None)  # noqa: ARG005 - receives and never answers
        elif stream_name(incoming.path) == "stream":
            await self._serve_trade(line, incoming)
        else:
            await self._serve_data(line, incoming)

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(socket.close() for socket in list(self._open)))

    async def _serve_trade(self, line: SocketLine, incoming: web.BaseRequest) -> None:
        stream = self.hub.join_trade(line, _keys(incoming))
        try:
            await line.carry(stream.receive)
        finally:
            self.hub.leave(stream)

    async def _serve_data(self, line: SocketLine, incoming: web.BaseRequest) -> None:
        content_type = incoming.headers.get("Content-Type", "")
        stream = self.hub.join_data(stream_name(incoming.path), content_type, line, _keys(incoming))
        line.on_slow = lambda: stream.fail(407)
        alarm = asyncio.get_running_loop().call_later(self._patience, self._time_out, stream, line)
        try:
            await line.carry(lambda frame: self._receive(stream, line, frame))
        finally:
            alarm.cancel()
            self.hub.leave(stream, is_noticed=not line.is_frozen)

    @staticmethod
    def _receive(stream: DataStream, line: SocketLine, frame: Frame) -> None:
        stream.receive(frame)
        if stream.is_closed:
            line.close()

    @staticmethod
    def _time_out(stream: DataStream, line: SocketLine) -> None:
        if not stream.is_authenticated:
            stream.fail(404)
            line.close()


def stream_name(path: str) -> str:
    """The stream of a path: `stream` for trade updates, or a feed's name; a trailing slash makes no difference."""
    name = path.removesuffix("/")
    return "stream" if name == "/stream" else name.removeprefix("/v2/")


def _keys(incoming: web.BaseRequest) -> Keys | None:
    key_id, secret = incoming.headers.get(KEY_HEADER), incoming.headers.get(SECRET_HEADER)
    return None if key_id is None or secret is None else (key_id, secret)
