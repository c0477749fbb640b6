"""Serves an exchange from a background thread, for clients that need a real socket; over loopback unless told."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from socket import SO_LINGER, SOL_SOCKET
from struct import pack
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar

from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from repeg_workbench.exchange.api.data_api import FEEDS
from repeg_workbench.exchange.control.control_plane import CLOCK
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.faults.transport_faults import Failure, TransportFault
from repeg_workbench.exchange.messages import Request, Response, html_response, json_response
from repeg_workbench.exchange.refusal import Refusal
from repeg_workbench.exchange.serving.sockets import Sockets, stream_name
from repeg_workbench.exchange.time.stamps import utc

LOOPBACK = "127.0.0.1"
_EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - named here to print another one in its place
_T = TypeVar("_T")
_TICK = 0.005
"""Seconds between two checks of a running clock."""
_STRIDE = 200
"""Events of the exchange between two turns of its clients: a few hundredths of a second's work."""

# aiohttp's log is not needed: clients see their own errors, and the server's are raised when it closes.
_LOG = logging.getLogger(__name__)
_DISCARDED = logging.getLogger(f"{__name__}.discarded")
_DISCARDED.disabled = True


class ExchangeServer:
    """A context manager; while it is open, the exchange answers on `trading_url` and `data_url`.

    The server's thread answers requests one at a time; all other access to the exchange must go through `call`. With
    `runs`, for a clock that runs by itself, the exchange also advances between requests, so that streams send events
    as they happen. An unexpected error in one call is logged and a 500 to its client, with the request id; the server
    goes on. An error while time advances, or one that leaves the account's books unsound, calls `give_up` at once and
    is raised again when the context closes.
    """

    def __init__(
        self,
        exchange: Exchange,
        host: str = LOOPBACK,
        port: int = 0,
        *,
        runs: bool = False,
        give_up: Callable[[], None] = lambda: None,
    ) -> None:
        self.exchange = exchange
        self._runs, self._give_up = runs, give_up
        self._listens_on, self.port = host, port
        self._host = LOOPBACK if host == _EVERY_ADDRESS else host
        self.loop = asyncio.new_event_loop()
        self._thread = Thread(target=self.loop.run_forever, name="exchange", daemon=True)
        self.sockets = Sockets(exchange)
        self._runner: web.ServerRunner | None = None
        self._ticker: asyncio.Task[None] | None = None
        self._failures: list[Exception] = []
        exchange.stride = _STRIDE

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._run(self._start())
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        if error is None and self._failures:
            raise self._failures[0]

    @property
    def trading_url(self) -> str:
        """Base URL for TradingClient(url_override=…)."""
        return f"http://{self._host}:{self.port}"

    @property
    def data_url(self) -> str:
        """Base URL for StockHistoricalDataClient(url_override=…)."""
        return self.trading_url

    @property
    def trade_stream_url(self) -> str:
        """Full URL for TradingStream(url_override=…)."""
        return f"ws://{self._host}:{self.port}/stream"

    def data_stream_url(self, feed: str = "iex") -> str:
        """Full URL for StockDataStream(url_override=…)."""
        return f"ws://{self._host}:{self.port}/v2/{feed}"

    def call(self, action: Callable[[], _T]) -> _T:
        """Run an action on the server's thread, between two requests."""

        async def run() -> _T:
            return action()

        return self._run(run())

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        future: Future[_T] = asyncio.run_coroutine_threadsafe(work, self.loop)
        return future.result()

    def _close(self) -> None:
        self._run(self._stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        # Connections that were just dropped still have a callback to run.
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    async def _start(self) -> None:
        server = web.Server(self._answer, handler_cancellation=True, logger=_DISCARDED)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._listens_on, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        if self._runs:
            self._ticker = asyncio.create_task(self._keep_up())

    async def _keep_up(self) -> None:
        try:
            while True:
                is_up_to_date = self.exchange.advance(_STRIDE)
                await asyncio.sleep(_TICK if is_up_to_date else 0)
        except Exception as error:
            self._fail(error)
            raise

    def _fail(self, error: Exception) -> None:
        self._failures.append(error)
        self._give_up()

    async def _stop(self) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
        await self.sockets.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, incoming: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self._answered(incoming)
        except (web.HTTPException, ConnectionError):
            # A malformed handshake, or a client that disconnected in the middle of a frame.
            raise
        except Exception as error:
            if self.exchange.failure is not None or not self.exchange.account.is_sound():
                self._fail(error)
                raise
            response = Refusal.internal().response()
            response.headers["X-Request-ID"] = self.exchange.request_id()
            details = {"request_id": response.headers["X-Request-ID"], "method": incoming.method, "path": incoming.path}
            _LOG.exception("request_failed", extra=details)
            return http_response(response)

    async def _answered(self, incoming: web.BaseRequest) -> web.StreamResponse:
        if incoming.headers.get("Upgrade", "").lower() == "websocket" and is_stream(incoming.path):
            return await self.sockets.serve(incoming)
        try:
            request = await exchange_request(incoming)
        except web.RequestPayloadError:
            return http_response(Refusal.malformed().response())
        except web.HTTPRequestEntityTooLarge:
            return http_response(html_response(413, "Request Entity Too Large"))
        try:
            response = self.exchange.handle(request)
        except TransportFault as fault:
            await _break_off(incoming, fault)
            raise asyncio.CancelledError from fault
        if request.path == CLOCK and response.status < 300:
            response = await self._caught_up(response)
        if response.delay:
            await asyncio.sleep(response.delay)
        return http_response(response)

    async def _caught_up(self, response: Response) -> Response:
        """The answer to a move of the clock, once the exchange has followed; other clients are served meanwhile."""
        exchange = self.exchange
        target = exchange.clock()
        while not exchange.advance(_STRIDE) and exchange.now < target:  # noqa: ASYNC110 - other clients have a turn
            await asyncio.sleep(0)
        return Response(response.status, response.headers, json_response({"now": utc(exchange.now)}).body)


def is_stream(path: str) -> bool:
    """Whether the path belongs to a stream."""
    return stream_name(path) in {"stream", *FEEDS}


async def _break_off(incoming: web.BaseRequest, fault: TransportFault) -> None:
    await asyncio.sleep(fault.seconds)
    if incoming.transport is None:
        return
    if fault.failure is Failure.RESET:
        # With a linger time of zero, closing a socket resets the connection.
        incoming.transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, pack("ii", 1, 0))
    incoming.transport.abort()


async def exchange_request(incoming: web.BaseRequest) -> Request:
    """The aiohttp request as the exchange's request."""
    path = URL(incoming.raw_path, encoded=True).raw_path if "?" in incoming.raw_path else incoming.raw_path
    body = await incoming.read() if incoming.can_read_body else b""
    return Request(incoming.method, path, list(incoming.query.items()), incoming.headers, body)


def http_response(response: Response) -> web.Response:
    """The exchange's answer as an aiohttp response."""
    return web.Response(status=response.status, headers=CIMultiDict(response.headers), body=response.body)
