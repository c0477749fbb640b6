"""The weekdays on which New York does not trade or closes early, for the years kept in a file.

The library that computes them takes a second to import and query. A test fails when the file is out of date;
`python -m repeg_workbench.exchange.time.write_closures` writes it.
"""

from collections.abc import Iterator
from datetime import date, time, timedelta
from functools import cache
from pathlib import Path
from typing import Final

YEARS: Final = range(2016, 2031)
FILE: Final = Path(__file__).with_name("closures.txt")

# Weekdays that are not in the file close at this time.
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


@cache
def _read() -> dict[date, time | None]:
    parts = [line.split() for line in FILE.read_text(encoding="utf-8").splitlines()]
    return {date.fromisoformat(day): time.fromisoformat(close[0]) if close else None for day, *close in parts}
