"""A limit on the seconds, by the clock on the wall, that a simulated day may take: one that never ends is found so."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TookTooLong(BaseException):
    """The limit has passed. No handler of the program takes it for one of its own errors."""


@contextmanager
def ended_after(seconds: float) -> Iterator[None]:
    """Raise TookTooLong once the block has taken so long, in whatever virtual thread runs, and again every second until
    the block ends. A block that ends all the same raises it too. For the main thread of a process."""
    is_over: list[bool] = []

    def end(_signal: int, _frame: FrameType | None) -> None:
        is_over.append(True)
        raise TookTooLong(f"no end within {seconds:g} seconds")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if is_over:
        raise TookTooLong(f"no end within {seconds:g} seconds")
