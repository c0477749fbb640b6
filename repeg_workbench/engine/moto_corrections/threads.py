"""Replaces the threads, locks, events and sleep of moto's interpreter with the scheduler's, under the same names.

Not an error of moto: the interpreter runs on real threads, and the engine needs it in virtual time.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import ModuleType, SimpleNamespace
from typing import Any

from moto.stepfunctions.parser import utils

from repeg_workbench.engine.moto_corrections.patches import Patches
from repeg_workbench.engine.scheduler import Scheduler, VirtualEvent, VirtualThread

NO_TIMEOUT = 99_999_999
PACKAGE = "moto.stepfunctions"


class VirtualLock:
    """threading.Lock and threading.RLock in virtual time."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._owner: object | None = None
        self._depth = 0
        self._released = scheduler.event()

    def acquire(self) -> bool:
        """Acquire the lock, waiting while another thread holds it."""
        me = self._scheduler.current or self._scheduler
        while self._depth and self._owner is not me:
            self._released.clear()
            self._released.wait()
        self._owner = me
        self._depth += 1
        return True

    def release(self) -> None:
        """Release the lock."""
        self._depth -= 1
        if not self._depth:
            self._owner = None
            self._released.set()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class InterpreterThread:
    """threading.Thread in virtual time, as far as the interpreter uses it."""

    scheduler: Scheduler

    def __init__(
        self,
        target: Callable[..., Any],
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
        daemon: Any = None,
    ) -> None:
        del daemon  # all virtual threads end with their scheduler
        self.name = name
        self._call = lambda: target(*args, **(kwargs or {}))
        self._thread: VirtualThread[Any] | None = None

    @property
    def native_id(self) -> int | None:
        """A unique number, once the thread has started."""
        return None if self._thread is None else self._thread.number

    def start(self) -> None:
        """Start the thread."""
        self._thread = self.scheduler.spawn(self._call)

    def join(self, timeout: float | None = None) -> None:
        """Wait for the thread to end."""
        if self._thread is not None:
            self._thread.join(timeout)

    def is_alive(self) -> bool:
        """Whether the thread is running."""
        return self._thread is not None and self._thread.is_alive


class InterpreterEvent(VirtualEvent):
    """threading.Event in virtual time. The interpreter's default timeout of three years counts as none.

    So an execution that waits for an answer that never comes is reported as stuck instead of timing out in 2028.
    """

    __slots__ = ()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the event is set."""
        return super().wait(None if timeout is not None and timeout >= NO_TIMEOUT else timeout)


class Forgetful(list[Any]):
    """A list that stays empty, in place of the interpreter's list of every thread it has started."""

    def append(self, item: Any) -> None:
        """Ignore the item."""


def virtual_names(scheduler: Scheduler) -> dict[int, Any]:
    """The replacement of each real object, by the identity of the real one."""
    thread = type("InterpreterThread", (InterpreterThread,), {"scheduler": scheduler})
    event = partial(InterpreterEvent, scheduler)
    virtual_threading = SimpleNamespace(
        Thread=thread,
        Event=event,
        Lock=lambda: VirtualLock(scheduler),
        RLock=lambda: VirtualLock(scheduler),
        current_thread=threading.current_thread,
    )
    virtual_time = SimpleNamespace(sleep=scheduler.sleep, time=lambda: scheduler.now_ns / 1e9)
    pairs: list[tuple[Any, Any]] = [
        (threading, virtual_threading),
        (threading.Thread, thread),
        (threading.Event, event),
        (threading.Lock, virtual_threading.Lock),
        (threading.RLock, virtual_threading.RLock),
        (time, virtual_time),
        (time.sleep, scheduler.sleep),  # noqa: TID251 - to be replaced,
    ]
    return {id(real): virtual for real, virtual in pairs}


def interpreter_modules() -> list[ModuleType]:
    """All loaded modules of the interpreter."""
    return [module for name, module in sorted(sys.modules.items()) if name.startswith(PACKAGE) and module is not None]


def apply(patches: Patches, scheduler: Scheduler) -> int:
    """Replace the names in every loaded module of the interpreter; returns their number."""
    virtual = virtual_names(scheduler)
    virtual[id(utils.TMP_THREADS)] = Forgetful()
    swapped = 0
    for module in interpreter_modules():
        for name, value in list(vars(module).items()):
            if id(value) in virtual:
                patches.replace(module, name, virtual[id(value)])
                swapped += 1
    return swapped
