"""Pages of historical rows: symbols in order, then time, up to a limit, with a token for the rest."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from repeg_workbench.exchange.market.symbol_day import Int64s
from repeg_workbench.exchange.refusal import Refusal

View = dict[str, Any]
MOST_DAYS: Final = 20
"""Days that one page may generate or read; a page that needs more is shorter than its limit."""


@dataclass(frozen=True)
class Rows:
    """Some consecutive rows of one symbol: their times (ns), ascending, and the JSON of each."""

    ts: Int64s
    view: Callable[[int], View]


class Place(NamedTuple):
    """Where a page starts: a symbol, a time (ns), and how many rows of that time were on earlier pages."""

    symbol: str
    at: int
    skip: int

    def token(self) -> str:
        """The place as a page token."""
        return base64.urlsafe_b64encode(json.dumps(self).encode()).decode()

    @classmethod
    def read(cls, token: str) -> "Place":
        """The place in a page token. Raises Refusal."""
        try:
            symbol, at, skip = json.loads(base64.urlsafe_b64decode(token.encode()))
        except (ValueError, TypeError, binascii.Error, RecursionError) as error:
            raise Refusal.data(f"invalid page_token: {token[:100]}") from error
        is_valid = isinstance(symbol, str) and all(type(number) is int for number in (at, skip))
        if not is_valid or not (0 <= at < 1 << 62 and 0 <= skip < 1 << 31):
            raise Refusal.data(f"invalid page_token: {token[:100]}")
        return cls(symbol, at, skip)


@dataclass(frozen=True)
class Window:
    """The rows wanted: times [start, end] in ns, and their order."""

    start: int
    end: int
    is_ascending: bool = True

    def rows(self, rows: Rows, place: Place | None) -> Iterable[int]:
        """The numbers of the rows inside, in order, from a place on."""
        low, high = int(rows.ts.searchsorted(self.start)), int(rows.ts.searchsorted(self.end, "right"))
        if place is not None and self.is_ascending:
            low = max(low, int(rows.ts.searchsorted(place.at)) + place.skip)
        elif place is not None:
            high = min(high, int(rows.ts.searchsorted(place.at, "right")) - place.skip)
        return range(low, high) if self.is_ascending else range(high - 1, low - 1, -1)

    def place(self, symbol: str, rows: Rows, row: int) -> Place:
        """The place at which a page that starts with this row starts."""
        at = rows.ts.item(row)
        if self.is_ascending:
            return Place(symbol, at, row - int(rows.ts.searchsorted(at)))
        return Place(symbol, at, int(rows.ts.searchsorted(at, "right")) - 1 - row)


@dataclass
class Page:
    """One page in the making: the rows so far by symbol, and where the next page starts."""

    window: Window
    limit: int
    found: dict[str, list[View]]
    next_place: Place | None = None
    count: int = 0

    def add(self, symbol: str, rows: Rows, place: Place | None) -> bool:
        """Add rows. Returns False when the page is full and there are more."""
        for row in self.window.rows(rows, place):
            if self.count == self.limit:
                self.next_place = self.window.place(symbol, rows, row)
                return False
            self.found.setdefault(symbol, []).append(rows.view(row))
            self.count += 1
        return True


@dataclass
class Allowance:
    """How many more days one page may generate or read."""

    left: int = MOST_DAYS

    def take(self) -> bool:
        """Count one day. Returns False if none is left."""
        self.left -= 1
        return self.left >= 0


Chunk = tuple[int, Callable[[Allowance], Rows | None]]
"""The first instant (ns) of some consecutive rows, in the window's order, and what loads them within an allowance."""

Chunks = Callable[[str, Place | None], Iterator[Chunk]]


def read_page(page: Page, symbols: Sequence[str], chunks: Chunks, place: Place | None) -> None:
    """Fill a page from each symbol's chunks; it ends early where its allowance of days does."""
    allowance = Allowance()
    for symbol in symbols:
        if place is not None and symbol < place.symbol:
            continue
        here = place if place is not None and place.symbol == symbol else None
        for at, load in chunks(symbol, here):
            rows = load(allowance)
            if rows is None:
                page.next_place = here or Place(symbol, at, 0)
                return
            if not page.add(symbol, rows, here):
                return
            # Only the first chunk can have rows of earlier pages.
            here = None
