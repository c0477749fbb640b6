"""A deterministic scheduler: virtual threads on one system thread, and a clock that advances when all of them wait.

Threads are greenlets. A thread runs until it waits; then the next ready thread runs; when none is ready, the clock
jumps to the earliest deadline. Ties are broken by order of arrival, so a run depends on its inputs alone.
"""

# ruff: noqa: SLF001 - the scheduler and its threads are one thing in two files
from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

from greenlet import getcurrent  # type: ignore[import-untyped]

from repeg_workbench.engine.virtual_thread import Killed, VirtualEvent, VirtualThread, Waiter

__all__ = ["EPOCH", "Killed", "NothingMoves", "Scheduler", "VirtualEvent", "VirtualThread", "Waiter", "nanoseconds"]

Result = TypeVar("Result")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NANOSECONDS = 1_000_000_000


class NothingMoves(RuntimeError):
    """The caller's wait can never end: no thread is ready and no deadline is pending."""


def nanoseconds(moment: datetime) -> int:
    """Nanoseconds since 1970 of an aware datetime."""
    since = moment - EPOCH
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


class Scheduler:
    """Virtual threads and their clock.

    A wait from outside a virtual thread runs the virtual threads until it ends.
    """

    def __init__(self, start: datetime) -> None:
        self.now_ns = nanoseconds(start)
        self._read_ns, self._read = 0, EPOCH
        self.current: VirtualThread[Any] | None = None
        self.ready: deque[Waiter] = deque()
        self.alive: dict[int, VirtualThread[Any]] = {}
        self.unobserved: dict[int, VirtualThread[Any]] = {}
        self.on_advance: list[Callable[[int], None]] = []
        self._timers: list[tuple[int, int, Waiter]] = []
        self._tickets = 0
        self._driver = Waiter()
        self._hub: Any = None  # the greenlet that drives

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def now(self) -> datetime:
        """The virtual time, aware, in UTC, truncated to microseconds."""
        if self._read_ns != self.now_ns:  # cached: a turn reads the time a thousand times at one instant
            self._read_ns, self._read = self.now_ns, EPOCH + timedelta(microseconds=self.now_ns // 1_000)
        return self._read

    def spawn(self, function: Callable[[], Result]) -> VirtualThread[Result]:
        """Start a child thread of the running one; it runs after the threads that are already ready."""
        return self._start(function, self.current)

    def spawn_apart(self, function: Callable[[], Result]) -> VirtualThread[Result]:
        """Start a detached thread, which outlives the thread that starts it."""
        return self._start(function, None)

    def event(self) -> VirtualEvent:
        """A new event."""
        return VirtualEvent(self)

    def sleep(self, seconds: float) -> None:
        """Wait in virtual time; 0 lets every ready thread run first."""
        self.wait(max(seconds, 0.0), None)

    def sleep_until(self, moment: datetime) -> None:
        """Wait until that moment; returns after the ready threads if it has passed."""
        self._wait_until(max(nanoseconds(moment), self.now_ns), None)

    def checkpoint(self) -> None:
        """Raise Killed if the running thread has been killed; for calls that act without waiting."""
        if self.current is not None and self.current._doomed:
            raise Killed

    def run(self, until: datetime | None = None) -> None:
        """Advance time until nothing is pending, or to `until`. Raises the exceptions of threads without a reader."""
        limit = None if until is None else nanoseconds(until)
        self._drive(limit)
        if limit is not None and limit > self.now_ns:
            self._move_clock(limit)
        self._raise_unobserved()

    def close(self) -> None:
        """Kill all remaining threads and let them unwind."""
        for thread in list(self.alive.values()):
            thread._doom()
        self._timers.clear()
        self._drive(self.now_ns)

    def wait(self, timeout: float | None, queue: list[tuple[Waiter, int]] | None) -> bool:
        """Wait on a queue of waiters for at most `timeout` seconds; returns whether it was woken in time."""
        deadline = None if timeout is None else self.now_ns + round(timeout * NANOSECONDS)
        return self._wait_until(deadline, queue)

    def wake(self, waiter: Waiter, ticket: int) -> None:
        """Make a waiter ready if its current wait has that ticket."""
        if waiter.ticket == ticket:
            waiter.ticket = 0
            waiter.in_time = True
            self.ready.append(waiter)

    def rouse(self, thread: Waiter) -> None:
        """Make a waiting thread ready regardless of what it waits for."""
        if thread.ticket:
            thread.ticket = 0
            self.ready.append(thread)

    def _start(self, function: Callable[[], Result], parent: VirtualThread[Any] | None) -> VirtualThread[Result]:
        self.checkpoint()
        self._tickets += 1
        thread = VirtualThread(self, function, parent, self._tickets)
        self.alive[thread.number] = thread
        if parent is not None:
            parent._children[thread.number] = thread
            thread._paused = parent._paused
        self.ready.append(thread)
        return thread

    def _wait_until(self, deadline: int | None, queue: list[tuple[Waiter, int]] | None) -> bool:
        self.checkpoint()
        thread = self.current
        waiter: Waiter = self._driver if thread is None else thread
        self._tickets += 1
        waiter.ticket = ticket = self._tickets
        waiter.in_time = False
        if queue is not None:
            queue.append((waiter, ticket))
        if deadline is not None:
            heapq.heappush(self._timers, (deadline, ticket, waiter))
        if thread is None:
            self._drive_until_woken()
            return self._driver.in_time
        self._hub.switch()
        if thread._doomed:
            raise Killed
        return thread.in_time

    def _drive_until_woken(self) -> None:
        if self._drive(None):
            return
        self._driver.ticket = 0
        self._raise_unobserved()
        raise NothingMoves(f"nothing is left to run at {self.now().isoformat()}")

    def _drive(self, limit: int | None) -> bool:
        """Run threads and advance the clock, to `limit` at most; returns True once the driver itself is woken."""
        if self.current is not None or self._hub is not None:
            raise RuntimeError("the scheduler is already running: a virtual thread cannot drive it")
        self._hub = getcurrent()
        try:
            while self.ready or self._advance(limit):
                waiter = self.ready.popleft()
                if waiter is self._driver:
                    return True
                self._give_turn(waiter)  # type: ignore[arg-type]  # all other waiters are threads
            return False
        finally:
            self._hub = None
            self.current = None

    def _give_turn(self, thread: VirtualThread[Any]) -> None:
        if thread._paused:
            thread._held = True
            return
        self.current = thread
        thread._greenlet.parent = self._hub
        thread._greenlet.switch()
        self.current = None

    def _advance(self, limit: int | None) -> bool:
        """Jump to the earliest pending deadline and ready its waiter; False if there is none up to the limit."""
        timers = self._timers
        while timers:
            deadline, ticket, waiter = timers[0]
            if waiter.ticket != ticket:
                heapq.heappop(timers)
                continue
            if limit is not None and deadline > limit:
                return False
            heapq.heappop(timers)
            if deadline > self.now_ns:
                self._move_clock(deadline)
            waiter.ticket = 0
            self.ready.append(waiter)
            return True
        return False

    def _move_clock(self, moment: int) -> None:
        self.now_ns = moment
        for follow in self.on_advance:
            follow(moment)

    def _raise_unobserved(self) -> None:
        if not self.unobserved:
            return
        failed, self.unobserved = self.unobserved, {}
        errors = [thread._error for thread in failed.values() if thread._error is not None]
        raise BaseExceptionGroup("virtual threads failed and their results were never read", errors)
