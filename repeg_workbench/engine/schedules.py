"""The stack's schedules, read back from the scheduler: when each fires next, and what it then starts."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

CRON = re.compile(r"^cron\((.+)\)$")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
SCHEDULED_TIME = "<aws.scheduler.scheduled-time>"
DAYS_AHEAD = 366 * 4 + 1


class UnsupportedSchedule(ValueError):
    """An expression that is not a cron of numbers, names, ranges, lists and steps."""


@dataclass(frozen=True)
class Schedule:
    """One schedule of the stack."""

    name: str
    expression: str
    zone: ZoneInfo
    enabled: bool
    target_arn: str
    input: str

    def next_after(self, moment: datetime) -> datetime | None:
        """The next instant at which it fires, in UTC; None where it never does again.

        A local time that the clocks skip does not exist and does not fire; one that comes twice fires the first time.
        """
        cron = Cron.parse(self.expression)
        local = moment.astimezone(self.zone)
        for day in (local.date() + timedelta(days=ahead) for ahead in range(DAYS_AHEAD)):
            if not cron.has_day(day):
                continue
            for hour, minute in cron.times():
                fires = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone).astimezone(UTC)
                exists = fires.astimezone(self.zone).hour == hour
                if exists and fires > moment:
                    return fires
        return None

    def input_at(self, moment: datetime) -> dict[str, Any]:
        """The input that it starts its target with, at that instant."""
        text = self.input.replace(SCHEDULED_TIME, moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        parsed: dict[str, Any] = json.loads(text or "{}")
        return parsed


@dataclass(frozen=True)
class Cron:
    """The six fields of an AWS cron expression, each as the values that it admits; None admits all."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    years: frozenset[int] | None

    @classmethod
    def parse(cls, expression: str) -> Cron:
        """Read `cron(minutes hours day-of-month month day-of-week year)`; weekdays count from 1, Sunday."""
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
        """Whether it fires on that day."""
        return (
            day.month in self.months
            and (self.days is None or day.day in self.days)
            and (self.weekdays is None or day.isoweekday() % 7 + 1 in self.weekdays)
            and (self.years is None or day.year in self.years)
        )

    def times(self) -> list[tuple[int, int]]:
        """The hours and minutes at which it fires on such a day, in order."""
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
