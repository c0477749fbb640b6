"""Arming: a record arms live trading until it expires, and never for longer than a month."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from repeg.domain.arming import LONGEST, expiry, is_armed, require_armed
from repeg.domain.errors import InvalidInput, RefusedRun

NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("until", "armed"),
    [
        (None, False),
        (NOON - SECOND, False),
        (NOON, False),
        (NOON + SECOND, True),
        (NOON + LONGEST, True),
        (NOON + LONGEST + SECOND, False),
    ],
)
def test_a_record_arms_until_it_expires_and_at_most_a_month_ahead(until: datetime | None, armed: bool) -> None:
    assert is_armed(until, NOON) is armed


@pytest.mark.parametrize(
    ("until", "words"),
    [
        (None, "there is no arming record"),
        (NOON, "its record expired at 2026-11-23T17:00:00"),
        (NOON + timedelta(days=400), "until 2027-12-28T17:00:00[+]00:00, more than 31 days ahead"),
    ],
)
def test_a_refusal_says_what_is_missing_and_what_to_do(until: datetime | None, words: str) -> None:
    with pytest.raises(RefusedRun, match=f"live trading is not armed: .*{words}.*repeg arm --until") as refused:
        require_armed(until, NOON)
    assert "TradingMode is live" in str(refused.value)


def test_a_date_arms_through_its_new_york_day() -> None:
    assert expiry(date(2026, 11, 23), NOON) == datetime(2026, 11, 24, 5, tzinfo=UTC)


@pytest.mark.parametrize("day", [date(2026, 11, 22), date(2026, 12, 25), date(2062, 11, 23)])
def test_a_date_that_arms_nothing_is_refused_with_the_dates_that_do(day: date) -> None:
    with pytest.raises(
        InvalidInput, match=f"until: '{day}' is not valid; expected a date from 2026-11-23 to 2026-12-23"
    ):
        expiry(day, NOON)


@pytest.mark.parametrize("day", [date(2026, 11, 23), date(2026, 12, 23)])
def test_the_dates_that_a_refusal_names_are_accepted(day: date) -> None:
    assert is_armed(expiry(day, NOON), NOON)
