"""Measuring an ended run: the books at its fills, and after them, are read from the history of consolidated quotes.

That is done once, in the first pass of the watchdog that finds the books final. Until then a report's books at the
fills are those that the filled orders were sent on, and its markouts are missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from repeg.domain.amount import counted
from repeg.domain.books import Books
from repeg.domain.costs import MarketRecord, Settlement, analyse
from repeg.domain.errors import BrokerDenied, BrokerUnavailable
from repeg.domain.markouts import NOT_YET, Instant, instants
from repeg.domain.notice import RUN_MEASURED
from repeg.domain.quote import Quote
from repeg.domain.report import Report
from repeg.domain.time_limits import MEASURE_PAUSES, MEASURED_BY, MEASURES_FOR
from repeg.workflow.reporting import used_by
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


def measure(turn: Turn, report: Report, books: Books) -> bool:
    """Save the report with the books at the run's fills. Returns False if another pass may read what is missing."""
    reading = read_books(turn, books)
    if reading.may_pass:
        return False
    record = MarketRecord(
        last=last_quotes(report), books=reading.books, feed=reading.feed, unread=reading.unread
    )  # fmt: skip
    measured = analyse(turn.run, books, _settled_as(turn, report), record)
    _publish_measured(turn, measured, len(reading.books))  # first: a pass that dies in between measures once more
    turn.ports.store.save_report(turn.run.run_id, measured)
    turn.journal("run", "measured", turn.run.run_id, f"{len(reading.books)} books read")
    return True


def last_quotes(report: Report) -> dict[str, Quote]:
    """The mids that unfilled shares were valued at, as quotes without a spread."""
    none = Decimal(0)
    return {
        row.symbol: Quote(
            symbol=row.symbol, bid=row.last_mid, bid_size=none, ask=row.last_mid, ask_size=none, at=None
        )
        for row in report.orders
        if row.last_mid is not None
    }  # fmt: skip


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


def _settled_as(turn: Turn, report: Report) -> Settlement:
    """How the run ended by its report; by now its closing step has told what it has used."""
    return Settlement(
        outcome=report.outcome, error=report.error, reason=report.reason, turns=report.totals.turns,
        usage=used_by(turn) or report.usage,
    )  # fmt: skip


def _publish_measured(turn: Turn, measured: Report, read: int) -> None:
    """Publish that a run's costs and markouts are as complete as they will be, under one event id."""
    run_id, feed = turn.run.run_id, "" if measured.costs is None else measured.costs.books
    reason = f"{counted(read, 'book')} of {feed} at and after its fills" if read else "no books: the feed had none"
    whole = measured.as_json()
    detail = {"event_id": f"{run_id}.measured", "run_id": run_id, "reason": reason}
    turn.ports.notifier.publish(RUN_MEASURED, {**detail, "totals": whole["totals"], "costs": whole["costs"]})


def _read_book(turn: Turn, symbol: str, at: datetime) -> Quote | None:
    """One book. A feed that refuses it, as it does beyond its requests a minute, is asked again after each pause."""
    for pause in MEASURE_PAUSES:
        try:
            return turn.ports.market.quote_at(symbol, at, turn.run.trading_day.open)
        except BrokerUnavailable:
            turn.ports.runtime.pause(pause)
    return turn.ports.market.quote_at(symbol, at, turn.run.trading_day.open)
