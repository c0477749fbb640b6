"""The deployed runtime: the system clock, sleeps, threads and sockets."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import requests

from repeg.adapters.alpaca.signals import Connect
from repeg.adapters.transport import BoundedTransport
from repeg.ports import Runtime

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_WORKERS = 8


class NetworkRuntime(Runtime, Protocol):
    """A Runtime that also supplies the transport: sockets when deployed, simulated calls in tests."""

    def mount(self, session: requests.Session) -> None:
        """Mount a transport on an HTTP session that times out on every call and never retries."""

    def streams(self, deployed: Connect) -> Connect:
        """What connects to the broker's streams: `deployed`, where there are sockets."""


class SystemRuntime:
    """A Runtime on a pool of threads, which live as long as it does, so that each keeps its HTTP session."""

    def __init__(self, workers: int = MAX_WORKERS) -> None:
        self._executor = ThreadPoolExecutor(min(workers, MAX_WORKERS), thread_name_prefix="repeg")

    def now(self) -> datetime:
        """Our own clock, UTC."""
        return datetime.now(UTC)

    def pause(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """Run the calls concurrently; results in the order of the items. The first exception is raised at the end."""
        futures = [self._executor.submit(function, item) for item in items]
        wait(futures)
        return [future.result() for future in futures]

    def mount(self, session: requests.Session) -> None:
        """Mount the bounded transport on an HTTP session."""
        for scheme in ("https://", "http://"):
            session.mount(scheme, BoundedTransport())

    def streams(self, deployed: Connect) -> Connect:
        """The deployed streams."""
        return deployed
