"""Nanoseconds as the broker's timestamps: RFC 3339 with up to nine digits, in UTC or New York time."""

from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

NEW_YORK: Final = ZoneInfo("America/New_York")
SECOND: Final = 1_000_000_000
MILLISECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=65_536)
def utc(at: int) -> str:
    """2026-11-20T19:15:22.123456789Z, trailing zeros trimmed."""
    seconds, part = divmod(at, SECOND)
    return f"{_utc_second(seconds)}{_fraction(part)}Z"


def new_york(at: int) -> str:
    """2026-11-20T14:15:22.123456789-05:00; the offset depends on daylight saving."""
    seconds, part = divmod(at, SECOND)
    local = datetime.fromtimestamp(seconds, NEW_YORK).isoformat()
    return f"{local[:19]}{_fraction(part)}{local[19:]}"


def nanoseconds(moment: datetime) -> int:
    """An aware datetime as exact nanoseconds since the epoch."""
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds * 1_000


def local_day(at: int) -> date:
    """The date in New York."""
    return datetime.fromtimestamp(at // SECOND, NEW_YORK).date()


def local_clock(at: int) -> time:
    """The time of day in New York, to the second."""
    return datetime.fromtimestamp(at // SECOND, NEW_YORK).time()


def at_local(day: date, clock: time) -> int:
    """A day and time of day in New York as nanoseconds."""
    return nanoseconds(datetime.combine(day, clock, NEW_YORK).astimezone(UTC))


def parsed(value: str) -> int | None:
    """An RFC 3339 timestamp or a date as nanoseconds; None for anything else. Without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(value)
        return nanoseconds((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def nanoseconds_of(stamp: str) -> int:
    """A timestamp written by `utc` as exact nanoseconds."""
    whole, _, part = stamp.removesuffix("Z").partition(".")
    return nanoseconds(datetime.fromisoformat(whole).replace(tzinfo=UTC)) + int(part.ljust(9, "0") or 0)


@lru_cache(maxsize=4096)
def _utc_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _fraction(part: int) -> str:
    return f".{part:09d}".rstrip("0") if part else ""
