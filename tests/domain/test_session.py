"""The trading window: half-open, by the broker's calendar, in New York time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from repeg.domain import session
from repeg.domain.session import SessionDecision, TradingDay, trading_date, trading_window, whole_second, wire
from tests.builders import MONDAY, a_day

WINDOW = trading_window(a_day(), 5, 5)
SECOND = timedelta(seconds=1)
INSTANT = timedelta(microseconds=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        (date(2026, 3, 6), "14:30", "21:00"),  # Friday before the clocks go forward
        (date(2026, 3, 9), "13:30", "20:00"),
        (date(2026, 10, 30), "13:30", "20:00"),  # Friday before they go back
        (date(2026, 11, 2), "14:30", "21:00"),
    ],
)
def test_session_hours_follow_daylight_saving_time(day: date, opens: str, closes: str) -> None:
    assert a_day(day).open == utc(f"{day}T{opens}")
    assert a_day(day).close == utc(f"{day}T{closes}")


def test_an_early_close_ends_the_window_early() -> None:
    window = trading_window(a_day(date(2026, 11, 27), closes=time(13, 0)), 5, 5)
    assert window.closes == utc("2026-11-27T17:55")
    assert session.check(utc("2026-11-27T17:55"), window).decision is SessionDecision.STOP


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        TradingDay(day=MONDAY, open=datetime(2026, 11, 23, 9, 30), close=WINDOW.closes)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("now", "decision", "reason"),
    [
        (WINDOW.opens - INSTANT, SessionDecision.WAIT, "before_window"),
        (WINDOW.opens, SessionDecision.TRADE, "in_window"),
        (WINDOW.closes - INSTANT, SessionDecision.TRADE, "in_window"),
        (WINDOW.closes, SessionDecision.STOP, "after_window"),
    ],
)
def test_the_window_includes_its_start_and_excludes_its_end(
    now: datetime, decision: SessionDecision, reason: str
) -> None:
    answer = session.check(now, WINDOW)
    assert (answer.decision, answer.reason) == (decision, reason)


def test_the_window_excludes_the_first_and_last_five_minutes() -> None:
    assert (WINDOW.opens, WINDOW.closes) == (utc("2026-11-23T14:35"), utc("2026-11-23T20:55"))


def test_an_early_check_waits_until_the_window_opens() -> None:
    answer = session.check(utc("2026-11-23T09:00"), WINDOW)
    assert (answer.decision, answer.until) == (SessionDecision.WAIT, WINDOW.opens)


@pytest.mark.parametrize("minutes", [29, 30, 45, 180])
def test_an_opening_delay_may_cross_the_hour(minutes: int) -> None:
    assert trading_window(a_day(), minutes, 5).opens == a_day().open + timedelta(minutes=minutes)


def test_a_window_without_delay_and_margin_is_the_whole_session() -> None:
    window = trading_window(a_day(), 0, 0)
    assert (window.opens, window.closes) == (a_day().open, a_day().close)


def test_the_trading_date_changes_at_midnight_in_new_york() -> None:
    assert trading_date(utc("2026-11-24T01:30")) == MONDAY
    assert trading_date(utc("2026-11-24T05:00")) == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("seconds_in", "due_in"),
    [(0, 30), (2, 30), (15, 30), (15.001, 60), (29, 60), (31, 60), (44.9, 60), (45.1, 90), (120, 150)],
)
def test_the_next_turn_is_on_the_grid_at_least_half_a_period_away(seconds_in: float, due_in: int) -> None:
    due = session.next_turn(WINDOW.opens + timedelta(seconds=seconds_in), WINDOW, 30)
    assert due == WINDOW.opens + timedelta(seconds=due_in)


def test_the_first_turn_is_one_period_after_the_window_opens() -> None:
    due = session.next_turn(WINDOW.opens - timedelta(minutes=10), WINDOW, 30)
    assert due == WINDOW.opens + timedelta(seconds=30)


def test_the_last_turn_is_at_the_end_of_the_window() -> None:
    assert session.next_turn(WINDOW.closes - timedelta(seconds=20), WINDOW, 30) == WINDOW.closes


def test_the_next_turn_after_the_window_is_immediate() -> None:
    assert session.next_turn(WINDOW.closes + timedelta(seconds=7), WINDOW, 30) == WINDOW.closes + timedelta(seconds=7)


@given(st.integers(0, 22_800_000), st.integers(1, 23_400))
def test_a_turn_is_never_past_the_close_or_off_the_grid(milliseconds: int, period: int) -> None:
    now = WINDOW.opens + timedelta(milliseconds=milliseconds)
    due = session.next_turn(now, WINDOW, period)
    assert now <= due <= WINDOW.closes
    assert due == WINDOW.closes or (due - WINDOW.opens) % timedelta(seconds=period) == timedelta(0)
    assert due == WINDOW.closes or due - now >= timedelta(seconds=period) / 2


def test_a_wait_time_is_rounded_up_to_a_whole_second() -> None:
    assert whole_second(WINDOW.opens) == WINDOW.opens
    assert whole_second(WINDOW.opens + INSTANT) == WINDOW.opens + SECOND
    assert wire(WINDOW.opens + timedelta(milliseconds=1)) == "2026-11-23T14:35:01Z"


def test_wait_times_are_written_in_utc() -> None:
    in_berlin = datetime(2026, 11, 23, 15, 35, tzinfo=timezone(timedelta(hours=1)))
    assert wire(in_berlin) == "2026-11-23T14:35:00Z"
