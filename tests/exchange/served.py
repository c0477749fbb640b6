"""Runs `repeg exchange` in its own process and connects alpaca-py's clients with the addresses it prints."""

import logging
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from threading import Thread
from time import monotonic
from typing import Any

from tests.conformance.sdk import StockDataStream, StockHistoricalDataClient, TradingClient, TradingStream

ROOT = Path(__file__).parents[2]
CALL = "from repeg_workbench.cli import app; app(prog_name='repeg')"
COMMAND = (sys.executable, "-W", "ignore", "-c", CALL, "exchange")
PATIENCE = 20.0


@dataclass
class Served:
    """A running exchange and its first lines of output."""

    process: subprocess.Popen[str]
    lines: list[str]

    def value_of(self, name: str) -> str:
        """The value after a name at the start of a line."""
        (value,) = (line.removeprefix(name).strip() for line in self.lines if line.startswith(f"{name}  "))
        return value

    @property
    def url(self) -> str:
        """Base of both APIs."""
        return self.value_of("trading API")

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.url.rpartition(":")[2])

    @property
    def keys(self) -> tuple[str, str]:
        """Key id and secret."""
        return self.value_of("key id"), self.value_of("secret key")

    def trading(self) -> Any:
        """An unmodified trading client."""
        return TradingClient(*self.keys, url_override=self.url)

    def data(self) -> Any:
        """An unmodified market data client."""
        return StockHistoricalDataClient(*self.keys, url_override=self.value_of("market data"))

    def updates(self) -> Any:
        """An unmodified stream of trade updates."""
        return TradingStream(*self.keys, url_override=self.value_of("trade stream"))

    def quotes(self) -> Any:
        """An unmodified stream of market data."""
        return StockDataStream(*self.keys, url_override=self.value_of("data stream"))

    def end(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        """Send a signal; returns the exit code and the remaining output and error output."""
        self.process.send_signal(number)
        rest, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, rest, errors


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Served]:
    """Run `repeg exchange --port 0` with these options in the folder, and kill it at the end."""
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", *options],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Served(process, list(_greeting(process)))
        finally:
            process.kill()


def environment(folder: Path) -> dict[str, str]:
    """Only the program's location and the folders for temporary files."""
    paths = os.pathsep.join(str(path) for path in (ROOT, ROOT / "layers" / "repeg" / "python"))
    return {"PYTHONPATH": paths, "TMPDIR": str(folder), "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


def _greeting(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line.rstrip("\n")
        if line.startswith("Ctrl-C"):
            return
    raise AssertionError(process.stderr.read() if process.stderr else "no output")


def until(read: Callable[[], Any], claim: Callable[[Any], bool]) -> Any:
    """Read repeatedly until the claim holds for the result."""
    deadline = monotonic() + PATIENCE
    while not claim(found := read()):
        assert monotonic() < deadline, f"still {found}"
    return found


def settled(trading: Any, order: Any, status: str) -> Any:
    """The order, once it has the status."""
    return until(lambda: trading.get_order_by_id(order.id), lambda now: now.status == status)


@contextmanager
def listening(stream: Any, subscribe: str, *symbols: str) -> Iterator[Queue[Any]]:
    """Run a stream as its users do; the queue receives its messages."""
    received: Queue[Any] = Queue()

    async def receive(message: Any) -> None:
        received.put(message)

    logging.getLogger("alpaca").setLevel(logging.CRITICAL)
    getattr(stream, subscribe)(receive, *symbols)
    thread = Thread(target=_run, args=(stream,))
    thread.start()
    try:
        until(lambda: stream._running, bool)
        yield received
    finally:
        stream.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def _run(stream: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        stream.run()
