"""What is due when: a heap of calls at instants, in order of time and then of arrival."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

NEVER = 1 << 63


class Timers:
    """Calls that are due later; two for the same instant come in the order they were set."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    @property
    def next_at(self) -> int:
        """The earliest instant (ns) at which anything is due."""
        return self._heap[0][0] if self._heap else NEVER

    def at(self, at: int, action: Callable[..., None], *arguments: Any) -> None:
        """Have the action called with the instant and the arguments when that instant is reached."""
        self._count += 1
        heappush(self._heap, (at, self._count, action, arguments))

    def run_next(self) -> None:
        """Take the earliest and call it."""
        at, _, action, arguments = heappop(self._heap)
        action(at, *arguments)
