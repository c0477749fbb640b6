"""When we may trade: the broker's clock and calendar, half-open intervals, never earlier than the opening delay."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict

NEW_YORK = ZoneInfo("America/New_York")


class TradingDay(BaseModel):
    """A core session as the broker's calendar gives it, in UTC; an early close is simply an earlier `close`."""

    model_config = ConfigDict(frozen=True)

    day: date
    open: AwareDatetime
    close: AwareDatetime


class SessionDecision(StrEnum):
    """Trade now, wait until a time, or stop for the day."""

    TRADE = "trade"
    WAIT = "wait"
    STOP = "stop"


class SessionAnswer(BaseModel):
    """What to do now, why, and until when to wait."""

    model_config = ConfigDict(frozen=True)

    decision: SessionDecision
    reason: str
    until: AwareDatetime


class TradingWindow(BaseModel):
    """The half-open interval `[opens, closes)` in which an order of ours may be accepted."""

    model_config = ConfigDict(frozen=True)

    opens: AwareDatetime
    closes: AwareDatetime

    def contains(self, now: datetime) -> bool:
        """Whether an order may be sent at `now`."""
        return self.opens <= now < self.closes


def trading_date(now: datetime) -> date:
    """The New York calendar date of an instant."""
    return now.astimezone(NEW_YORK).date()


def trading_day(day: date, opens: time, closes: time) -> TradingDay:
    """A session from the calendar's New York wall times; daylight saving is the zone's business, not ours."""
    return TradingDay(
        day=day,
        open=datetime.combine(day, opens, NEW_YORK).astimezone(ZoneInfo("UTC")),
        close=datetime.combine(day, closes, NEW_YORK).astimezone(ZoneInfo("UTC")),
    )


def trading_window(day: TradingDay, open_delay_minutes: int, close_margin_minutes: int) -> TradingWindow:
    """The session without its first and its last minutes."""
    return TradingWindow(
        opens=day.open + timedelta(minutes=open_delay_minutes),
        closes=day.close - timedelta(minutes=close_margin_minutes),
    )


def check(now: datetime, window: TradingWindow) -> SessionAnswer:
    """Wait when it is early, stop when it is late, trade in between; being early is never a refusal."""
    if now < window.opens:
        return SessionAnswer(decision=SessionDecision.WAIT, reason="before_window", until=whole_second(window.opens))
    if now >= window.closes:
        return SessionAnswer(decision=SessionDecision.STOP, reason="after_window", until=window.closes)
    return SessionAnswer(decision=SessionDecision.TRADE, reason="in_window", until=window.closes)


def next_turn(now: datetime, window: TradingWindow, period_seconds: int) -> datetime:
    """When the next turn is due: on the grid of periods since the window opened, at least half a period from now.

    A grid keeps the period from drifting by the time that each turn takes. The last turn is at the window's close.
    """
    earliest = now + timedelta(seconds=period_seconds / 2)
    elapsed = (earliest - window.opens).total_seconds()
    steps = max(1, -int(-elapsed // period_seconds))
    return min(window.opens + timedelta(seconds=steps * period_seconds), max(window.closes, whole_second(now)))


def whole_second(instant: datetime) -> datetime:
    """Rounded up to a whole second: the workflow's Wait drops milliseconds, and would wake early."""
    floor = instant.replace(microsecond=0)
    return floor if floor == instant else floor + timedelta(seconds=1)


def wire(instant: datetime) -> str:
    """An instant as the workflow's Wait reads it: UTC, whole seconds, upper-case T and Z."""
    return whole_second(instant.astimezone(ZoneInfo("UTC"))).strftime("%Y-%m-%dT%H:%M:%SZ")
