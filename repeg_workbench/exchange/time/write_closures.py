"""Writes closures.txt from the exchange_calendars library: `python -m repeg_workbench.exchange.time.write_closures`."""

from datetime import date, timedelta
from typing import Final

from repeg_workbench.exchange.time.calendar import NEW_YORK, from_library
from repeg_workbench.exchange.time.closures import FILE, YEARS

_SATURDAY: Final = 5


def closures_text() -> str:
    """The file's content: one line per closure, a date alone or, for an early close, a date and the closing time."""
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


if __name__ == "__main__":
    FILE.write_text(closures_text(), encoding="utf-8")
