"""Scheduled calls: a heap ordered by time, then by order of scheduling."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Final

NEVER: Final = 1 << 63

_BEFORE_THE_MARKET: Final = 0
MARKET: Final = 1
FEED: Final = 2
_AFTER_THE_MARKET: Final = 3


class Timers:
    """Scheduled calls; those for the same instant run in the order they were scheduled.

    Market events at an instant come before the calls due at it, except for calls that end a session: a session is
    half open, so its closing instant is not part of it.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    @property
    def next_turn(self) -> tuple[int, int]:
        """The earliest instant (ns) with a call due, and its rank: below MARKET, it runs before the market's events."""
        return self._heap[0][:2] if self._heap else (NEVER, MARKET)

    def at(self, at: int, action: Callable[..., None], *arguments: Any) -> None:
        """Schedule a call of the action with the instant and the arguments."""
        self._set(at, _AFTER_THE_MARKET, action, arguments)

    def before_market(self, at: int, action: Callable[..., None], *arguments: Any) -> None:
        """Schedule a call that runs before the market events of its instant."""
        self._set(at, _BEFORE_THE_MARKET, action, arguments)

    def run_next(self) -> None:
        """Run the earliest call."""
        at, _, _, action, arguments = heappop(self._heap)
        action(at, *arguments)

    def _set(self, at: int, turn: int, action: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self._count += 1
        heappush(self._heap, (at, turn, self._count, action, arguments))
