"""Makes the whole process read a scheduler's time from the system clock, third-party code included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from repeg_workbench.engine.placeholders import in_place_of
from repeg_workbench.engine.scheduler import Scheduler

with in_place_of({"pytest": None}):  # time_machine imports pytest, if installed, for a fixture
    import time_machine


@contextmanager
def clock_of(scheduler: Scheduler) -> Iterator[None]:
    """Make `datetime.now` and `time.time` return the scheduler's time; `time.monotonic` stays real."""
    shown = scheduler.now_ns // 1_000
    with time_machine.travel(scheduler.now(), tick=False) as traveller:

        def follow(moment_ns: int) -> None:
            nonlocal shown
            now = moment_ns // 1_000
            # move_to() would set the time zone again each time, ten times slower.
            traveller.shift(timedelta(microseconds=now - shown))
            shown = now

        scheduler.on_advance.append(follow)
        try:
            yield
        finally:
            scheduler.on_advance.remove(follow)
