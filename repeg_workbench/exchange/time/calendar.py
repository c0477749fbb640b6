"""New York's trading days and hours by year, from a file or from the exchange_calendars library."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from repeg_workbench.exchange.time import closures

NEW_YORK: Final = ZoneInfo("America/New_York")
NANOSECONDS: Final = 1_000_000_000

_OPENS: Final = time(9, 30)
_CLOCK_TIME: Final = re.compile(r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?")


@dataclass(frozen=True)
class Session:
    """One trading day's core session, [open, close) in UTC."""

    day: date
    open: datetime
    close: datetime
    is_early_close: bool


class TradingCalendar:
    """The New York Stock Exchange's calendar with its holidays and early closes.

    The library takes most of a second to import, and a fifth to build one year or sixty. Recent and coming years are
    therefore kept in a file, and the library is imported only for other years. Instances share their years.
    """

    def session(self, day: date) -> Session | None:
        """The session of that day; None on a weekend or holiday."""
        return _year(day.year).get(day)

    def sessions(self, start: date, end: date) -> list[Session]:
        """Every session from start to end, both included."""
        years = _years(start.year, end.year)
        return [session for year in years for session in year.values() if start <= session.day <= end]

    def next_session(self, after: datetime) -> Session:
        """The first session that opens later than the given instant."""
        for year in (after.year, after.year + 1):
            for session in _year(year).values():
                if session.open > after:
                    return session
        raise LookupError(f"no session opens after {after.isoformat()}")

    def previous_session(self, before: datetime) -> Session:
        """The last session that closed at or before the given instant."""
        for year in (before.year, before.year - 1):
            for session in reversed(_year(year).values()):
                if session.close <= before:
                    return session
        raise LookupError(f"no session closed by {before.isoformat()}")


def nanoseconds(instant: datetime) -> int:
    """An aware datetime as nanoseconds since the epoch."""
    since = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 1_000


def new_york(day: date, clock: str) -> int:
    """A New York wall time such as "09:35:00.5" on that day as nanoseconds since the epoch."""
    parts = _CLOCK_TIME.fullmatch(clock)
    if parts is None:
        raise ValueError(f"time {clock!r} is not HH:MM, HH:MM:SS or HH:MM:SS.fraction")
    hour, minute, second, fraction = parts.groups(default="0")
    local = datetime.combine(day, time(int(hour), int(minute), int(second)), tzinfo=NEW_YORK)
    return nanoseconds(local) + int(fraction.ljust(9, "0"))


_Year = dict[date, Session]
_known: dict[int, _Year] = {}


def _year(year: int) -> _Year:
    return _years(year, year)[0]


def _years(first: int, last: int) -> list[_Year]:
    # Missing years come from one schedule, as building sixty years takes as long as building one.
    missing = [year for year in range(first, last + 1) if year not in _known]
    if missing:
        _learn(missing[0], missing[-1])
    return [_known[year] for year in range(first, last + 1)]


def _learn(first: int, last: int) -> None:
    years: dict[int, _Year] = {year: {} for year in range(first, last + 1)}
    is_kept = first in closures.YEARS and last in closures.YEARS
    for session in _from_file(first, last) if is_kept else from_library(first, last):
        years[session.day.year][session.day] = session
    # In one update, as a server's thread may be reading.
    _known.update(years)


def _from_file(first: int, last: int) -> Iterator[Session]:
    for year in range(first, last + 1):
        for day, close, is_early_close in closures.hours_of_year(year):
            yield Session(day, _in_utc(day, _OPENS), _in_utc(day, close), is_early_close)


def _in_utc(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, NEW_YORK).astimezone(UTC)


def from_library(first: int, last: int) -> Iterator[Session]:
    """Every session of these years, from the library."""
    # Imported here because the library imports pandas, and most commands never need it.
    from exchange_calendars.exchange_calendar_xnys import XNYSExchangeCalendar  # noqa: PLC0415

    with warnings.catch_warnings():
        # The library uses an API that the pinned pandas deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        calendar = XNYSExchangeCalendar(start=f"{first}-01-01", end=f"{last}-12-31")
    early = {stamp.date() for stamp in calendar.early_closes}
    rows = zip(calendar.schedule.index, calendar.schedule["open"], calendar.schedule["close"], strict=True)
    for day, opens, closes in rows:
        yield Session(day.date(), _utc(opens), _utc(closes), is_early_close=day.date() in early)


def _utc(stamp: datetime) -> datetime:
    return datetime.fromtimestamp(int(stamp.timestamp()), tz=UTC)
