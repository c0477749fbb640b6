"""Virtual time for handlers and tests."""

from __future__ import annotations

from collections.abc import Callable

from repeg_workbench.engine.scheduler import Scheduler, VirtualThread

# The scheduler of the engine that was made last, for handlers that take their time.
current: list[Scheduler] = []


def sleep(seconds: float) -> None:
    """Let virtual time pass inside a handler."""
    current[-1].sleep(seconds)


def later(scheduler: Scheduler, seconds: float, act: Callable[[], object]) -> VirtualThread[None]:
    """A thread of its own that acts after so many seconds."""

    def work() -> None:
        scheduler.sleep(seconds)
        act()

    return scheduler.spawn_apart(work)
