"""Virtual time for the handlers of test stacks."""

from __future__ import annotations

from collections.abc import Callable

from repeg_workbench.engine.scheduler import Scheduler, VirtualThread

# The scheduler of the latest engine, for handlers that sleep.
current: list[Scheduler] = []


def sleep(seconds: float) -> None:
    """Sleep in virtual time inside a handler."""
    current[-1].sleep(seconds)


def later(scheduler: Scheduler, seconds: float, act: Callable[[], object]) -> VirtualThread[None]:
    """Start a detached thread that acts after a number of seconds."""

    def work() -> None:
        scheduler.sleep(seconds)
        act()

    return scheduler.spawn_apart(work)
