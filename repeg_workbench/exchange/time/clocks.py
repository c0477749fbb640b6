"""Clocks for an exchange."""

import time
from dataclasses import dataclass
from typing import Final

_SECOND: Final = 1_000_000_000


class RealClock:
    """The wall clock, in nanoseconds."""

    def __call__(self) -> int:
        return time.time_ns()


@dataclass
class RunningClock:
    """Starts at an instant (ns) and runs `speed` times as fast as the wall clock."""

    start: int
    speed: float = 1.0

    def __post_init__(self) -> None:
        self._began = time.monotonic_ns()

    def __call__(self) -> int:
        return self.start + round((time.monotonic_ns() - self._began) * self.speed)

    def move(self, seconds: float) -> None:
        """Move forward by seconds at once."""
        self.start += round(seconds * _SECOND)


@dataclass
class SteppedClock:
    """Stands still until it is moved."""

    now: int

    def __call__(self) -> int:
        return self.now

    def move(self, seconds: float) -> None:
        """Move forward by seconds."""
        self.now += round(seconds * _SECOND)
