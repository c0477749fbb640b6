"""The runtime port in virtual time: the clock, short pauses, concurrency and the network's latency."""

from __future__ import annotations

import random  # noqa: TID251 - seeded below
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from repeg_workbench.engine.prepared import keep_prepared
from repeg_workbench.engine.scheduler import Scheduler, VirtualThread

Item = TypeVar("Item")
Result = TypeVar("Result")

MILLISECONDS_PER_REQUEST = (20, 80)
DEFAULT_WORKERS = 16

# The deployed transport's read timeout for requests without one; alpaca-py never sets one.
READ_SECONDS = 5.0


class NoStreams(Exception):
    """Nothing streams in this simulation."""


class TransportHangs(Exception):
    """Raised by an inner transport that would never answer; the caller waits until its timeout."""


class LatentTransport(BaseAdapter):
    """Sends requests through another adapter, with seeded latency in virtual time before and after.

    An answer later than the caller's read timeout becomes a ReadTimeout at that moment, though the server has acted on
    the request, as with a real network.
    """

    def __init__(self, inner: BaseAdapter, runtime: VirtualRuntime) -> None:
        super().__init__()
        self._inner = inner
        self._runtime = runtime

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the signature is that of requests
        timeout: float | tuple[float, float] | tuple[float, None] | None = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send one request; virtual latency passes before and after."""
        self._runtime.requests[kind_of(request)] += 1
        there, back = self._runtime.latency()
        limit = _read_timeout(timeout)
        self._travel(there, limit, request)
        try:
            response = self._inner.send(request, stream, timeout, verify, cert, proxies)
        except TransportHangs:
            self._hang(limit - there, request)
        self._travel(back, limit - there, request)
        return response

    def close(self) -> None:
        """Close the inner adapter."""
        self._inner.close()

    def _travel(self, seconds: float, limit: float, request: requests.PreparedRequest) -> None:
        if seconds > limit:
            self._hang(limit, request)
        self._runtime.pause(seconds)

    def _hang(self, seconds: float, request: requests.PreparedRequest) -> None:
        self._runtime.pause(max(seconds, 0.0))
        raise requests.exceptions.ReadTimeout(f"no answer to {request.method} {request.url}", request=request)


class VirtualRuntime:
    """The handlers' runtime in virtual time: clock, pauses, concurrency and network latency.

    `transport` makes the adapter that sends requests, `connect` connects to streams; `workers` limits the concurrent
    calls of one `map`.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        seed: int = 0,
        *,
        workers: int = DEFAULT_WORKERS,
        milliseconds: tuple[int, int] = MILLISECONDS_PER_REQUEST,
        transport: Callable[[], BaseAdapter] = HTTPAdapter,
        connect: Callable[..., Any] | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.workers = workers
        self.requests: Counter[str] = Counter()
        self._milliseconds = milliseconds
        self._transport = transport
        self._connect = connect
        self._random = random.Random(f"latency {seed}")

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        return self.scheduler.now()

    def pause(self, seconds: float) -> None:
        """Sleep in virtual time. Raises ValueError for a negative time, like the deployed one."""
        if seconds < 0:
            raise ValueError(f"a pause of {seconds} seconds is not valid; expected at least 0")
        self.scheduler.sleep(seconds)

    def map(self, function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Call the function on each item, several at a time; results are in the order of the items.

        Raises the first exception in that order, after all calls have ended. A worker starts the next one when it takes
        its first item, so that calls that do not wait take two workers instead of all.
        """
        return _Calls(function, items, self.scheduler, self.workers).results()

    def mount(self, session: requests.Session) -> None:
        """Add virtual latency to the session's requests, and ignore the machine's proxy settings."""
        session.trust_env = False
        keep_prepared(session)
        for scheme in ("http://", "https://"):
            session.mount(scheme, LatentTransport(self._transport(), self))

    def streams(self, deployed: Callable[..., Any]) -> Callable[..., Any]:  # noqa: ARG002 - it needs real time
        """What connects to streams in virtual time."""
        return self._connect or _no_streams

    def latency(self) -> tuple[float, float]:
        """The next request's latency in seconds, to the server and back."""
        low, high = self._milliseconds
        total = self._random.randint(low * 1_000, high * 1_000)
        there = self._random.randint(0, total)
        return there / 1_000_000, (total - there) / 1_000_000


class _Calls(Generic[Item, Result]):
    """The calls of one `map`, on at most `most` workers.

    It is no closure that refers to itself: all that a turn has made would wait for the garbage collector then.
    """

    def __init__(
        self, function: Callable[[Item], Result], items: Iterable[Item], scheduler: Scheduler, most: int
    ) -> None:
        self._function, self._scheduler, self._most = function, scheduler, most
        self._waiting = list(enumerate(items))
        self._waiting.reverse()
        self._workers: list[VirtualThread[None]] = []
        self._values: list[Any] = [None] * len(self._waiting)
        self._errors: dict[int, Exception] = {}

    def results(self) -> list[Result]:
        """Make all calls and wait for their end; the results, or the first exception, in the order of the items."""
        self._start()
        for worker in self._workers:  # which the workers add to
            worker.result()
        if self._errors:
            raise self._errors[min(self._errors)]
        return self._values

    def _start(self) -> None:
        if self._waiting and len(self._workers) < self._most:
            self._workers.append(self._scheduler.spawn(self._work))

    def _work(self) -> None:
        is_first = True
        while self._waiting:
            index, item = self._waiting.pop()
            if is_first:
                is_first = False
                self._start()
            try:
                self._values[index] = self._function(item)
            except Exception as error:  # noqa: BLE001 - raised after all calls have ended
                self._errors[index] = error


def kind_of(request: requests.PreparedRequest) -> str:
    """`data` for requests to the market data service, `trading` for all others."""
    host, _, path = (request.url or "").partition("://")[2].partition("/")
    return "data" if host.startswith("data.") or path.startswith(("v2/stocks", "v1beta")) else "trading"


def _no_streams(*_: Any) -> Any:
    raise NoStreams


def _read_timeout(timeout: Any) -> float:
    seconds = timeout[1] if isinstance(timeout, tuple) else getattr(timeout, "read_timeout", timeout)
    return READ_SECONDS if seconds is None else float(seconds)
