"""The trading session: the broker's calendar, the run's window as a half-open interval, and the grid of turns."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from repeg.domain.frozen import Frozen

NEW_YORK = ZoneInfo("America/New_York")


class TradingDay(Frozen):
    """A core session from the broker's calendar, in UTC; on a half day `close` is earlier."""

    day: date
    open: AwareDatetime
    close: AwareDatetime


class SessionDecision(StrEnum):
    """Trade now, wait until a time, or stop for the day."""

    TRADE = "trade"
    WAIT = "wait"
    STOP = "stop"


class SessionAnswer(Frozen):
    """The decision, why, and until when it holds."""

    decision: SessionDecision
    reason: str
    until: AwareDatetime


class TradingWindow(Frozen):
    """The half-open interval `[opens, closes)` in which an order of ours may be accepted."""

    opens: AwareDatetime
    closes: AwareDatetime


def trading_date(now: datetime) -> date:
    """The New York calendar date of an instant."""
    return now.astimezone(NEW_YORK).date()


def trading_day(day: date, opens: time, closes: time) -> TradingDay:
    """A session from the calendar's New York wall-clock times; the time zone handles daylight saving."""
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
    """Wait before the window, stop after it, trade inside it. Starting early is never refused."""
    if now < window.opens:
        return SessionAnswer(decision=SessionDecision.WAIT, reason="before_window", until=whole_second(window.opens))
    if now >= window.closes:
        return SessionAnswer(decision=SessionDecision.STOP, reason="after_window", until=window.closes)
    return SessionAnswer(decision=SessionDecision.TRADE, reason="in_window", until=window.closes)


def next_turn(now: datetime, window: TradingWindow, period_seconds: int) -> datetime:
    """When the next turn is due: on the grid of periods since the window opened, at least half a period from now.

    The grid keeps turns from drifting by the time that each takes. The last turn is at the window's close.
    """
    earliest = now + timedelta(seconds=period_seconds / 2)
    elapsed = (earliest - window.opens).total_seconds()
    steps = max(1, -int(-elapsed // period_seconds))
    return min(window.opens + timedelta(seconds=steps * period_seconds), max(window.closes, whole_second(now)))


def whole_second(instant: datetime) -> datetime:
    """Rounded up to a whole second: a Wait state ignores milliseconds and would wake early."""
    floor = instant.replace(microsecond=0)
    return floor if floor == instant else floor + timedelta(seconds=1)


def wire(instant: datetime) -> str:
    """An instant in the form that a Wait state reads: UTC, whole seconds, upper-case T and Z."""
    return whole_second(instant.astimezone(ZoneInfo("UTC"))).strftime("%Y-%m-%dT%H:%M:%SZ")
