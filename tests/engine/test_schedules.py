"""When the stack's schedules fire, in New York and through both changes of the clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from repeg_workbench.engine.schedules import Schedule, UnsupportedSchedule

NEW_YORK = ZoneInfo("America/New_York")


def schedule(expression: str) -> Schedule:
    return Schedule("start", expression, NEW_YORK, True, "arn:aws:states:::machine", "")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("after", "fires"),
    [
        ("2025-01-02 00:00", "2025-01-02 14:25"),  # Thursday, winter
        ("2025-01-02 14:25", "2025-01-03 14:25"),  # strictly after
        ("2025-01-03 15:00", "2025-01-06 14:25"),  # over the weekend
        ("2025-03-07 15:00", "2025-03-10 13:25"),  # the clocks went forward on Sunday
        ("2025-10-31 15:00", "2025-11-03 14:25"),  # and back
    ],
)
def test_a_weekday_schedule_keeps_new_york_time(after: str, fires: str) -> None:
    assert schedule("cron(25 9 ? * MON-FRI *)").next_after(utc(after)) == utc(fires)


def test_a_time_that_the_clocks_skip_does_not_fire() -> None:
    found = schedule("cron(30 2 * * ? *)").next_after(utc("2025-03-09 05:00"))
    assert found == utc("2025-03-10 06:30")


def test_steps_and_ranges_of_minutes_and_hours() -> None:
    every_ten = schedule("cron(0/10 9-16 ? * MON-FRI *)")
    assert every_ten.next_after(utc("2025-01-02 14:01")) == utc("2025-01-02 14:10")
    assert every_ten.next_after(utc("2025-01-02 21:50")) == utc("2025-01-03 14:00")


def test_a_schedule_of_a_past_year_never_fires_again() -> None:
    assert schedule("cron(0 9 1 1 ? 2024)").next_after(utc("2025-01-02 00:00")) is None


@pytest.mark.parametrize("expression", ["rate(5 minutes)", "cron(0 9 * *)", "cron(0 9 L * ? *)", "cron(0 25 * * ? *)"])
def test_an_expression_that_is_not_understood_is_refused(expression: str) -> None:
    with pytest.raises(UnsupportedSchedule):
        schedule(expression).next_after(utc("2025-01-02 00:00"))


def test_the_input_tells_the_scheduled_time() -> None:
    start = Schedule("start", "cron(25 9 ? * * *)", NEW_YORK, True, "arn", '{"at": "<aws.scheduler.scheduled-time>"}')
    assert start.input_at(utc("2025-01-02 14:25")) == {"at": "2025-01-02T14:25:00Z"}
