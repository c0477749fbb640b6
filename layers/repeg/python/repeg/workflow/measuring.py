"""Measuring an ended run: the books at its fills, and after them, are read from the history of consolidated quotes.

That is done once, in the first pass of the watchdog that finds the books final. Until then a report's books at the
fills are those that the filled orders were sent on, and its markouts are missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from repeg.domain.books import Books
from repeg.domain.errors import BrokerDenied, BrokerUnavailable
from repeg.domain.markouts import NOT_YET, Instant, instants
from repeg.domain.quote import Quote
from repeg.domain.report import Report
from repeg.domain.time_limits import MEASURE_PAUSES, MEASURED_BY, MEASURES_FOR
from repeg.workflow.turn import Turn

CONSOLIDATED = "sip"
NO_TIME = "no time was left to read its book"


class Reading(NamedTuple):
    """The books that were read, and why others were not. `may_pass` says whether it is worth another pass."""

    books: Mapping[Instant, Quote | None]
    unread: str = NOT_YET
    may_pass: bool = False

    @property
    def feed(self) -> str:
        """The feed of the books that were read; empty if none was."""
        return CONSOLIDATED if self.books else ""


def is_to_be_measured(report: Report, books: Books) -> bool:
    """Whether a run has fills that are not measured. A report of a release that did not measure stays as it is."""
    return report.costs is not None and not report.costs.books and bool(books.executions)


def read_books(turn: Turn, books: Books) -> Reading:
    """The books of a run's fills, those of the largest first, as far as the feed and the time allow."""
    day, read = turn.run.trading_day, dict[Instant, Quote | None]()
    try:
        for symbol, at in instants(books.executions, day):
            if (symbol, at) in read:
                continue
            if turn.elapsed > MEASURES_FOR:
                return Reading(read, NO_TIME)
            read[symbol, at] = _read_book(turn, symbol, at)
    except (BrokerUnavailable, BrokerDenied) as error:
        turn.warn("run", "unmeasured", reason=str(error))
        may_pass = isinstance(error, BrokerUnavailable) and turn.now < day.close + MEASURED_BY
        return Reading(read, f"its book could not be read: {error}", may_pass=may_pass)
    return Reading(read)


def _read_book(turn: Turn, symbol: str, at: datetime) -> Quote | None:
    """One book. A feed that refuses it, as it does beyond its requests a minute, is asked again after each pause."""
    for pause in MEASURE_PAUSES:
        try:
            return turn.ports.market.quote_at(symbol, at, turn.run.trading_day.open)
        except BrokerUnavailable:
            turn.ports.runtime.pause(pause)
    return turn.ports.market.quote_at(symbol, at, turn.run.trading_day.open)
