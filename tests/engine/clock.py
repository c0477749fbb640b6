"""The clock of the engine that was made last, for handlers that take their time."""

from __future__ import annotations

from workbench.engine.scheduler import Scheduler

current: list[Scheduler] = []


def sleep(seconds: float) -> None:
    """Let virtual time pass inside a handler."""
    current[-1].sleep(seconds)
