"""Puts a scheduler's time under everybody who asks the system for it, third parties included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from repeg_workbench.engine.placeholders import in_place_of
from repeg_workbench.engine.scheduler import Scheduler

with in_place_of({"pytest": None}):  # which it imports, where it finds it, to offer a fixture
    import time_machine


@contextmanager
def clock_of(scheduler: Scheduler) -> Iterator[None]:
    """While this lasts, `datetime.now` and `time.time` tell the scheduler's time; `time.monotonic` stays real."""
    shown = scheduler.now_ns // 1_000
    with time_machine.travel(scheduler.now(), tick=False) as traveller:

        def follow(moment_ns: int) -> None:
            nonlocal shown
            now = moment_ns // 1_000
            # Moving to a moment would set the time zone anew each time, at ten times the cost.
            traveller.shift(timedelta(microseconds=now - shown))
            shown = now

        scheduler.on_advance.append(follow)
        try:
            yield
        finally:
            scheduler.on_advance.remove(follow)
