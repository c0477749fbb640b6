"""Threads and events in virtual time."""

# ruff: noqa: SLF001 - the scheduler and its threads are one thing in two files
from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from greenlet import greenlet  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from repeg_workbench.engine.scheduler import Scheduler

Result = TypeVar("Result")


class Killed(BaseException):
    """Raised inside a killed thread, at once and at every later attempt to wait."""


class Waiter:
    """A party that can wait: a virtual thread, or the outside code that drives the scheduler.

    `ticket` identifies the current wait; a timer or event with an older ticket is stale.
    """

    __slots__ = ("in_time", "ticket")

    def __init__(self) -> None:
        self.ticket = 0
        self.in_time = False


class VirtualThread(Waiter, Generic[Result]):
    """A thread in virtual time, made by `Scheduler.spawn`."""

    __slots__ = (
        "_children",
        "_doomed",
        "_error",
        "_finished",
        "_function",
        "_greenlet",
        "_held",
        "_joiners",
        "_parent",
        "_paused",
        "_scheduler",
        "_value",
        "number",
    )

    def __init__(
        self, scheduler: Scheduler, function: Callable[[], Result], parent: VirtualThread[Any] | None, number: int
    ) -> None:
        super().__init__()
        self.number = number
        self._scheduler = scheduler
        self._function: Callable[[], Result] | None = function
        self._parent = parent
        self._children: dict[int, VirtualThread[Any]] = {}
        self._joiners: VirtualEvent | None = None
        self._value: Result | None = None
        self._error: BaseException | None = None
        self._finished = self._doomed = self._paused = self._held = False
        self._greenlet = greenlet(self._run)
        self._greenlet.gr_context = copy_context()

    @property
    def is_alive(self) -> bool:
        """Whether the thread has not finished."""
        return not self._finished

    @property
    def was_killed(self) -> bool:
        """Whether the thread was killed, even if it has yet to unwind."""
        return self._doomed

    def join(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` virtual seconds for the thread to finish; returns whether it has."""
        if self._finished:
            return True
        if self._joiners is None:
            self._joiners = VirtualEvent(self._scheduler)
        return self._joiners.wait(timeout)

    def result(self) -> Result:
        """Wait for the thread; returns its function's result or raises its exception."""
        self.join()
        if self._error is not None:
            self._scheduler.unobserved.pop(self.number, None)
            raise self._error
        return self._value  # type: ignore[return-value]

    def kill(self) -> None:
        """Kill the thread and its children, as when a process dies. They unwind when they next run."""
        self._doom()
        current = self._scheduler.current
        if current is not None and current._doomed:
            raise Killed

    def kill_children(self) -> None:
        """Kill the thread's children, but not the thread."""
        for child in list(self._children.values()):
            child.kill()

    def pause(self) -> None:
        """Suspend the thread and its children until `resume`, as when a process is frozen."""
        self._paused = True
        for child in list(self._children.values()):
            child.pause()

    def resume(self) -> None:
        """Undo `pause`."""
        self._paused = False
        if self._held:
            self._held = False
            self._scheduler.ready.append(self)
        for child in list(self._children.values()):
            child.resume()

    def _doom(self) -> None:
        for child in list(self._children.values()):
            child._doom()
        if self._finished or self._doomed:
            return
        self._doomed = True
        self.resume()
        self._scheduler.rouse(self)

    def _run(self) -> None:
        try:
            if not self._doomed and self._function is not None:
                self._value = self._function()
        except Killed:
            self._doomed = True
        except KeyboardInterrupt:
            raise  # out of run(), to the user
        except BaseException as error:  # noqa: BLE001 - raised by result(), or by run() if unread
            self._error = error
            self._scheduler.unobserved[self.number] = self
        finally:
            self._finish()

    def _finish(self) -> None:
        self._finished = True
        self._function = None
        self._scheduler.alive.pop(self.number, None)
        if self._parent is not None:
            self._parent._children.pop(self.number, None)
            # Children move to the grandparent, so that a process dies with all of its threads.
            for child in self._children.values():
                child._parent = self._parent
                self._parent._children[child.number] = child
        if self._joiners is not None:
            self._joiners.set()


class VirtualEvent:
    """threading.Event in virtual time."""

    __slots__ = ("_scheduler", "_set", "_waiting")

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._set = False
        self._waiting: list[tuple[Waiter, int]] = []

    def is_set(self) -> bool:
        """Whether the event is set."""
        return self._set

    def set(self) -> None:
        """Set the event and wake every waiter, in order of arrival."""
        self._set = True
        waiting, self._waiting = self._waiting, []
        for waiter, ticket in waiting:
            self._scheduler.wake(waiter, ticket)

    def clear(self) -> None:
        """Reset the event."""
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` virtual seconds for the event; returns whether it was set in time."""
        if self._set:
            return True
        woken = self._scheduler.wait(timeout, self._waiting)
        if not woken:
            self._waiting = [(waiter, ticket) for waiter, ticket in self._waiting if waiter.ticket == ticket]
        return woken
