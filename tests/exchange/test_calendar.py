"""The trading calendar: holidays, early closes and daylight saving."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from repeg_workbench.exchange.time import calendar, closures, write_closures
from repeg_workbench.exchange.time.calendar import Session, TradingCalendar, new_york

CALENDAR = TradingCalendar()


def utc(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def test_an_ordinary_day_runs_from_half_past_nine_to_four_in_new_york() -> None:
    session = CALENDAR.session(date(2025, 6, 3))
    assert session is not None
    assert (session.open, session.close) == (utc(2025, 6, 3, 13, 30), utc(2025, 6, 3, 20))
    assert not session.is_early_close


@pytest.mark.parametrize(
    "closed",
    [date(2025, 6, 7), date(2025, 6, 19), date(2025, 1, 9), date(2024, 3, 29), date(2026, 7, 3), date(2012, 10, 29)],
    ids=["Saturday", "Juneteenth", "a president's funeral", "Good Friday", "the fourth on a Saturday", "a hurricane"],
)
def test_weekends_and_holidays_have_no_session(closed: date) -> None:
    assert CALENDAR.session(closed) is None


@pytest.mark.parametrize("short", [date(2024, 11, 29), date(2024, 12, 24), date(2025, 7, 3)])
def test_an_early_close_is_at_one_in_new_york(short: date) -> None:
    session = CALENDAR.session(short)
    assert session is not None
    assert session.is_early_close
    assert int(session.close.timestamp()) * 10**9 == new_york(short, "13:00")


def test_the_open_in_utc_moves_by_an_hour_with_daylight_saving() -> None:
    opens = [session.open.hour for session in CALENDAR.sessions(date(2025, 3, 7), date(2025, 3, 10))]
    assert opens == [14, 13]


def test_a_range_of_sessions_includes_both_ends_and_crosses_the_year() -> None:
    days = [session.day for session in CALENDAR.sessions(date(2024, 12, 31), date(2025, 1, 2))]
    assert days == [date(2024, 12, 31), date(2025, 1, 2)]


def test_the_next_session_opens_later_than_now() -> None:
    opening = CALENDAR.session(date(2025, 6, 3))
    assert opening is not None
    assert CALENDAR.next_session(utc(2025, 6, 3, 13, 29)) == opening
    assert CALENDAR.next_session(opening.open).day == date(2025, 6, 4)
    assert CALENDAR.next_session(utc(2024, 12, 31, 22)).day == date(2025, 1, 2)


def test_the_previous_session_has_closed() -> None:
    assert CALENDAR.previous_session(utc(2025, 6, 3, 20)).day == date(2025, 6, 3)
    assert CALENDAR.previous_session(utc(2025, 6, 3, 19, 59)).day == date(2025, 6, 2)
    assert CALENDAR.previous_session(utc(2025, 1, 2, 6)).day == date(2024, 12, 31)


def test_a_wall_time_accounts_for_daylight_saving_and_fractions() -> None:
    assert new_york(date(2025, 6, 3), "09:35:00.5") == 1_748_957_700_500_000_000
    assert new_york(date(2025, 1, 2), "09:35") == int(utc(2025, 1, 2, 14, 35).timestamp()) * 10**9


@pytest.mark.parametrize("clock", ["9:35", "09:35:00.", "0935", "25:00", "09:35 "])
def test_a_malformed_wall_time_is_refused(clock: str) -> None:
    with pytest.raises(ValueError, match=r"HH:MM|hour must be"):
        new_york(date(2025, 6, 3), clock)


def test_sixty_years_of_sessions_are_built_at_once_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[tuple[int, int]] = []

    def counted(first: int, last: int) -> Iterator[Session]:
        built.append((first, last))
        return schedule(first, last)

    schedule = calendar.from_library
    monkeypatch.setattr(calendar, "_known", {})
    monkeypatch.setattr(calendar, "from_library", counted)
    everything = CALENDAR.sessions(date(1970, 1, 1), date(2030, 1, 10))
    assert (everything[0].day, everything[-1].day) == (date(1970, 1, 2), date(2030, 1, 10))
    assert len(CALENDAR.sessions(date(1970, 1, 1), date(2029, 12, 31))) == len(everything) - 7
    assert CALENDAR.session(date(2026, 11, 26)) is None
    assert built == [(1970, 2030)]


def test_a_cached_year_is_kept_when_more_years_are_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar, "_known", {})
    known = CALENDAR.session(date(2025, 7, 3))
    stretch = CALENDAR.sessions(date(2024, 1, 1), date(2026, 12, 31))
    assert [session for session in stretch if session.day == date(2025, 7, 3)] == [known]


def test_the_closures_file_agrees_with_the_library() -> None:
    assert closures.FILE.read_text(encoding="utf-8") == write_closures.closures_text()
    years = closures.YEARS
    assert list(calendar._from_file(years[0], years[-1])) == list(calendar.from_library(years[0], years[-1]))


def test_the_library_is_not_loaded_for_a_day_of_the_file() -> None:
    program = (
        "import sys; from datetime import date; from repeg_workbench.exchange.time.calendar import TradingCalendar; "
        "TradingCalendar().session(date(2026, 11, 23)); sys.exit('exchange_calendars' in sys.modules)"
    )
    finished = subprocess.run([sys.executable, "-c", program], check=False)
    assert finished.returncode == 0
