"""Arming: live trading needs two switches that agree, the stack's trading mode and a record that expires."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from repeg.domain.errors import InvalidInput, RefusedRun
from repeg.domain.session import NEW_YORK

# A record that lasts longer than this counts as none, so that live trading has to be confirmed every month.
LONGEST = timedelta(days=31)

NOT_ARMED = "live trading is not armed"


def is_armed(until: datetime | None, now: datetime) -> bool:
    """Whether a record that expires at `until` arms live trading now; None is no record."""
    return until is not None and now < until <= now + LONGEST


def require_armed(until: datetime | None, now: datetime) -> None:
    """Refuse a live run that the record does not arm. Raises RefusedRun, which says what is missing."""
    if is_armed(until, now):
        return
    if until is None:
        found = "there is no arming record"
    elif until <= now:
        found = f"its record expired at {until.isoformat(timespec='seconds')}"
    else:
        found = f"its record lasts until {until.isoformat(timespec='seconds')}, more than {LONGEST.days} days ahead"
    raise RefusedRun(f"{NOT_ARMED}: TradingMode is live, but {found}; run `repeg arm --until <date>`")


def expiry(day: date, now: datetime) -> datetime:
    """When a record that lasts through a New York date expires. Raises InvalidInput if it could not arm anything."""
    until = datetime.combine(day + timedelta(days=1), time(), NEW_YORK)
    if not is_armed(until, now):
        last = (now + LONGEST).astimezone(NEW_YORK).date() - timedelta(days=1)
        today = now.astimezone(NEW_YORK).date()
        raise InvalidInput("until", day.isoformat(), f"a date from {today} to {last}")
    return until
