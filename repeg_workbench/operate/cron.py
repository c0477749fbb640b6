"""Reads AWS cron expressions, such as those of the template's schedules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

CRON = re.compile(r"^cron\((.+)\)$")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


class UnsupportedSchedule(ValueError):
    """The expression is not a cron expression of numbers, names, ranges, lists and steps."""


@dataclass(frozen=True)
class Cron:
    """The six fields of an AWS cron expression, each as its set of values; None stands for every value."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    years: frozenset[int] | None

    @classmethod
    def parse(cls, expression: str) -> Cron:
        """Parse `cron(minutes hours day-of-month month day-of-week year)`; weekdays count from 1, Sunday."""
        match = CRON.match(expression)
        fields = match[1].split() if match else []
        if len(fields) != 6:
            raise UnsupportedSchedule(f"not a cron expression of six fields: {expression}")
        minutes, hours, days, months, weekdays, years = fields
        return cls(
            minutes=_values(minutes, 0, 59),
            hours=_values(hours, 0, 23),
            days=None if days in "*?" else _values(days, 1, 31),
            months=_values(months, 1, 12, MONTHS),
            weekdays=None if weekdays in "*?" else _values(weekdays, 1, 7, WEEKDAYS),
            years=None if years == "*" else _values(years, 1970, 2199),
        )

    def has_day(self, day: date) -> bool:
        """Whether the schedule fires on that day."""
        return (
            day.month in self.months
            and (self.days is None or day.day in self.days)
            and (self.weekdays is None or day.isoweekday() % 7 + 1 in self.weekdays)
            and (self.years is None or day.year in self.years)
        )

    def times(self) -> list[tuple[int, int]]:
        """The hours and minutes at which the schedule fires on such a day, in order."""
        return [(hour, minute) for hour in sorted(self.hours) for minute in sorted(self.minutes)]


def _values(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> frozenset[int]:
    values: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        if first in ("*", "?"):
            start, end = low, high
        else:
            start = _number(first, low, names)
            end = _number(last, low, names) if last else (high if step else start)
        values.update(range(start, end + 1, int(step or 1)))
    if not values or min(values) < low or max(values) > high:
        raise UnsupportedSchedule(f"{field} is not between {low} and {high}")
    return frozenset(values)


def _number(text: str, low: int, names: tuple[str, ...]) -> int:
    if text.upper() in names:
        return names.index(text.upper()) + low
    if not text.isdigit():
        raise UnsupportedSchedule(f"{text} is not understood in a cron expression")
    return int(text)
