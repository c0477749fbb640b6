"""What is due when: a heap of calls at instants, in order of time and then of arrival."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Final

NEVER: Final = 1 << 63

_BEFORE_THE_MARKET: Final = 0
MARKET: Final = 1
FEED: Final = 2
_AFTER_THE_MARKET: Final = 3


class Timers:
    """Calls that are due later; two for the same instant come in the order they were set.

    What the market does at an instant comes before the calls that are due at it, except for those that end a session:
    a session is half open, and its last instant is not part of it.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._count = 0

    @property
    def next_turn(self) -> tuple[int, int]:
        """The earliest instant (ns) with a call due, and its rank: below MARKET, it runs before the market's events."""
        return self._heap[0][:2] if self._heap else (NEVER, MARKET)

    def at(self, at: int, action: Callable[..., None], *arguments: Any) -> None:
        """Have the action called with the instant and the arguments when that instant is reached."""
        self._set(at, _AFTER_THE_MARKET, action, arguments)

    def before_market(self, at: int, action: Callable[..., None], *arguments: Any) -> None:
        """The same, before the market does anything in that instant."""
        self._set(at, _BEFORE_THE_MARKET, action, arguments)

    def run_next(self) -> None:
        """Take the earliest and call it."""
        at, _, _, action, arguments = heappop(self._heap)
        action(at, *arguments)

    def _set(self, at: int, turn: int, action: Callable[..., None], arguments: tuple[Any, ...]) -> None:
        self._count += 1
        heappush(self._heap, (at, turn, self._count, action, arguments))
