"""A bounded cache of symbol days: the two newest dates, and a few of the days used last."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import date
from typing import Final

from repeg_workbench.exchange.market.symbol_day import SymbolDay

Key = tuple[str, date]

_NEWEST_DATES: Final = 2
_OLDER_DAYS: Final = 8
"""Days of earlier dates that are kept, such as those of one historical request."""


class RecentDays:
    """Keeps at most `most` days that `make` returns; a long simulation needs only the present and the previous date."""

    def __init__(self, make: Callable[[str, date], SymbolDay | None], most: int) -> None:
        self._make, self._most = make, most
        self._days: OrderedDict[Key, SymbolDay | None] = OrderedDict()
        self._newest: list[date] = []

    def __len__(self) -> int:
        return len(self._days)

    def get(self, symbol: str, day: date) -> SymbolDay | None:
        """The symbol's day, made anew if it is no longer kept."""
        key = symbol, day
        if key in self._days:
            self._days.move_to_end(key)
            return self._days[key]
        self._days[key] = self._make(symbol, day)
        self._drop(day)
        return self._days[key]

    def _drop(self, day: date) -> None:
        if day not in self._newest:
            self._newest = sorted({*self._newest, day})[-_NEWEST_DATES:]
        older = [key for key in self._days if key[1] not in self._newest]
        for key in older[: max(0, len(older) - _OLDER_DAYS)]:
            del self._days[key]
        while len(self._days) > self._most:
            self._days.popitem(last=False)
