"""The weekdays on which New York does not trade or closes early, in the years that are kept in a file.

The library that knows them takes a second to import and to ask. `python -m repeg_workbench.exchange.time.closures`
writes the file from it; a test fails when it is out of date.
"""

from collections.abc import Iterator
from datetime import date, time, timedelta
from functools import cache
from pathlib import Path
from typing import Final

YEARS: Final = range(2016, 2031)
FILE: Final = Path(__file__).with_name("closures.txt")

# What is no date of the file.
_USUAL_CLOSE: Final = time(16)
_SATURDAY: Final = 5


def hours_of_year(year: int) -> Iterator[tuple[date, time, bool]]:
    """Every trading day of a year in the file: when it closes in New York, and whether that is early."""
    closures = _read()
    day = date(year, 1, 1)
    while day.year == year:
        close = closures.get(day, _USUAL_CLOSE)
        if day.weekday() < _SATURDAY and close is not None:
            yield day, close, close != _USUAL_CLOSE
        day += timedelta(days=1)


def text() -> str:
    """The file as it should be: a date without trading, or a date and when it closes."""
    from repeg_workbench.exchange.time.calendar import NEW_YORK, from_library  # noqa: PLC0415 - which imports this one

    sessions = {session.day: session for session in from_library(YEARS[0], YEARS[-1])}
    lines = []
    day = date(YEARS[0], 1, 1)
    while day.year in YEARS:
        session = sessions.get(day)
        if session is None and day.weekday() < _SATURDAY:
            lines.append(f"{day}\n")
        if session is not None and session.is_early_close:
            lines.append(f"{day} {session.close.astimezone(NEW_YORK):%H:%M}\n")
        day += timedelta(days=1)
    return "".join(lines)


@cache
def _read() -> dict[date, time | None]:
    parts = [line.split() for line in FILE.read_text(encoding="utf-8").splitlines()]
    return {date.fromisoformat(day): time.fromisoformat(close[0]) if close else None for day, *close in parts}


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
