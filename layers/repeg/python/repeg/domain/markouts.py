"""Markouts: how the mid has moved after each fill, measured from its price."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from repeg.domain.amount import Amount, counted, in_cents
from repeg.domain.broker import Execution
from repeg.domain.frozen import Frozen
from repeg.domain.quote import Quote
from repeg.domain.session import TradingDay
from repeg.domain.shortfall import has_two_sides, in_bps

CLOSE = "close"
HORIZONS: Mapping[str, timedelta] = {
    "1s": timedelta(seconds=1),
    "1min": timedelta(minutes=1),
    "5min": timedelta(minutes=5),
    "30min": timedelta(minutes=30),
}
"""How long after a fill the mid is read, by name; the close is the last."""

Instant = tuple[str, datetime]
"""A symbol and a time: its book then."""

NOT_YET = "not measured yet"
AFTER_CLOSE = "after the close"
OUTSIDE = "filled outside the session"
NO_BOOK = "no book"


class Markout(Frozen):
    """The mid at a horizon after the fills less their prices, for a buy; the reverse for a sell. Positive: the price
    has moved our way, so that waiting would have cost more.

    Over the measured `shares`; `missing` shares are not in it, and `why` says why, with a count of fills. None: nothing
    was measured.
    """

    horizon: str
    bps: Amount | None
    dollars: Amount | None
    shares: Amount
    missing: Amount
    why: str


def just_before(fill: Execution) -> datetime:
    """When the book of a fill is read: a quote of the fill's own time may be what it left."""
    return fill.at - timedelta(microseconds=1)


def instant_of(execution: Execution, horizon: str, day: TradingDay) -> datetime | None:
    """When the book is read for a fill and a horizon; None if that is after the session, or the fill was outside it."""
    if not day.open <= execution.at < day.close:
        return None
    at = day.close if horizon == CLOSE else execution.at + HORIZONS[horizon]
    return at if at <= day.close else None


def instants(executions: Sequence[Execution], day: TradingDay) -> Iterator[Instant]:
    """Every book that the markouts and the spreads of these fills need, those of the largest fills first."""
    for execution in sorted(executions, key=lambda e: -e.qty * e.price):
        if day.open <= execution.at < day.close:
            yield execution.symbol, just_before(execution)
        for horizon in (*HORIZONS, CLOSE):
            at = instant_of(execution, horizon, day)
            if at is not None:
                yield execution.symbol, at


def markouts(
    executions: Sequence[Execution], day: TradingDay, books: Mapping[Instant, Quote | None], unread: str = NOT_YET
) -> tuple[Markout, ...]:
    """The markouts of fills at every horizon. `unread` is why a book that is not among `books` was not read."""
    if not executions:
        return ()
    return tuple(_markout(horizon, executions, day, books, unread) for horizon in (*HORIZONS, CLOSE))


def _markout(
    horizon: str, executions: Sequence[Execution], day: TradingDay, books: Mapping[Instant, Quote | None], unread: str
) -> Markout:
    dollars = worth = shares = missing = Decimal(0)
    why: Counter[str] = Counter()
    for fill in executions:
        found = _book(fill, horizon, day, books, unread)
        if isinstance(found, str):
            why[found] += 1
            missing += fill.qty
            continue
        dollars += fill.side.sign * fill.qty * (found.mid - fill.price)
        worth += fill.qty * fill.price
        shares += fill.qty
    return Markout(
        horizon=horizon,
        bps=in_bps(dollars, worth) if shares else None,
        dollars=in_cents(dollars) if shares else None,
        shares=shares,
        missing=missing,
        why=", ".join(f"{counted(count, 'fill')}: {reason}" for reason, count in why.items()),
    )


def _book(
    fill: Execution, horizon: str, day: TradingDay, books: Mapping[Instant, Quote | None], unread: str
) -> Quote | str:
    """The book of a fill at a horizon, or why there is none."""
    at = instant_of(fill, horizon, day)
    if at is None:
        return AFTER_CLOSE if day.open <= fill.at < day.close else OUTSIDE
    if (fill.symbol, at) not in books:
        return unread
    book = books[fill.symbol, at]
    return book if has_two_sides(book) else NO_BOOK
