"""What an order is expected to cost against its decision price, with bounds that hold eight times in ten.

A cost is measured in units of the order's scale: the root of the squares of its half-spread and of what the mid moves
in a minute, by the quotes of the last minutes. The table of costs in these units is measured by replaying orders on
generated days, by feed, spread in ticks and size; other days showed how often its bounds hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from repeg.domain.amount import Amount, in_cents
from repeg.domain.frozen import Frozen
from repeg.domain.quote import Quote, Side
from repeg.domain.tick import increment

SAMPLE_EVERY = timedelta(seconds=15)
SAMPLES = 21
LEAST_CHANGES = 8
"""The mid is sampled every quarter of a minute over five minutes; of fewer changes the movement is not measured."""

WIDEST = 3
"""A sample counts up to so many times the median spread of the samples."""

MEASURED_OVER = SAMPLE_EVERY * (SAMPLES - 1)
_A_MINUTE = timedelta(minutes=1) / SAMPLE_EVERY

SPREADS = (1, 2, 3, 5, 10)
SIZES = (1, 4, 16)
"""The upper ends of the classes, in ticks of spread and in sizes displayed on the near side; one more class is open."""


class Cell(NamedTuple):
    """Costs in units of the scale: the mean, and the bounds that one in ten is below and one in ten above.

    `movement` is the mid's in a minute in half-spreads, for an order whose movement is not measured.
    """

    mean: Decimal
    low: Decimal
    high: Decimal
    movement: Decimal


class Expected(Frozen):
    """Dollars, positive where we pay, and the bounds of eight times in ten."""

    dollars: Amount
    low: Amount
    high: Amount


def movement(quotes: Sequence[Quote], now: datetime) -> Decimal | None:
    """How far the mid moves in a minute, in dollars, by the quotes of the last minutes, oldest first; None of too few.

    The root of the mean square of its changes in a quarter of a minute, times two. A book that is much wider than the
    usual one of these minutes is left out: on a single venue the next order may be dollars away for a moment, and its
    mid says nothing.
    """
    books = [_book_at(quotes, now - SAMPLE_EVERY * ago) for ago in range(SAMPLES - 1, -1, -1)]
    spreads = [book.spread for book in books if book is not None]
    widest = median(spreads) * WIDEST if spreads else Decimal(0)
    mids = [book.mid if book is not None and book.spread <= widest else None for book in books]
    changes = [(after - before) ** 2 for before, after in pairwise(mids) if before is not None and after is not None]
    if len(changes) < LEAST_CHANGES:
        return None
    return (sum(changes, Decimal(0)) / len(changes) * Decimal(_A_MINUTE)).sqrt()


def class_of(value: Decimal | int, ends: Sequence[int]) -> int:
    """The number of the first class whose upper end is not exceeded."""
    return next((number for number, end in enumerate(ends) if value <= end), len(ends))


def expected_cost(
    cells: Sequence[Sequence[Cell]], side: Side, qty: Decimal, quote: Quote, moved: Decimal | None, now: datetime
) -> Expected | None:
    """The cost of an order from the table of its feed; None without a two-sided book."""
    if not 0 < quote.bid < quote.ask or quote.near_size(side) <= 0:
        return None
    half = quote.spread / 2
    ticks = int(quote.spread / increment(quote.bid, now.date()))
    cell = cells[class_of(ticks, SPREADS)][class_of(qty / quote.near_size(side), SIZES)]
    unit = qty * (half**2 + (half * cell.movement if moved is None else moved) ** 2).sqrt()
    return Expected(dollars=in_cents(cell.mean * unit), low=in_cents(cell.low * unit), high=in_cents(cell.high * unit))


def together(orders: Sequence[Expected]) -> Expected | None:
    """Several orders together, whose costs are taken to be independent: the bounds are as far from the sum as the root
    of the sum of the squares of theirs. None without orders."""
    if not orders:
        return None
    dollars = sum((order.dollars for order in orders), Decimal(0))
    down = sum(((order.dollars - order.low) ** 2 for order in orders), Decimal(0)).sqrt()
    up = sum(((order.high - order.dollars) ** 2 for order in orders), Decimal(0)).sqrt()
    return Expected(dollars=dollars, low=in_cents(dollars - down), high=in_cents(dollars + up))


def _book_at(quotes: Sequence[Quote], at: datetime) -> Quote | None:
    """The book in force at a time; None without two sides."""
    quote = next((each for each in reversed(quotes) if each.at is not None and each.at <= at), None)
    return quote if quote is not None and 0 < quote.bid < quote.ask else None
