"""Known failures with clocks: naive times, fixed offsets, wrong holidays, starts on another day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from functions.check_session.app import check_session
from functions.open_run.app import open_run
from repeg.domain.errors import BrokerUnavailable, DuplicateRun, MarketClosed, RefusedRun
from repeg.domain.plan import run_id
from repeg_workbench.deployment_variables import variables
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.market.scripted import ScriptedMarket
from repeg_workbench.exchange.triggers import When
from tests.builders import worked_by
from tests.functions.books import AAPL
from tests.functions.desk import EXECUTION, RUN_ID, Desk, OpenDesk, a_plan
from tests.functions.scenes import resting
from tests.template.stack import of_type, written

BUY = a_plan("buy 40 AAPL")


def on(open_desk: OpenDesk, day: date, hour: int, minute: int, **settings: Any) -> tuple[Desk, str]:
    """A run opened at that UTC time of another day, and its id."""
    desk = open_desk({}, market=ScriptedMarket({day: {"AAPL": AAPL}}), at="00:00")
    desk.scheduler.now_ns = int(datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC).timestamp()) * 10**9
    desk.exchange.advance()
    desk.open(BUY, **settings)
    return desk, run_id("core", day)


def test_the_opening_delay_uses_the_brokers_aware_clock(open_desk: OpenDesk) -> None:
    """A naive UTC clock read as New York time says 14:34, so the delay after the open would never apply."""
    desk = open_desk({"AAPL": AAPL}, at="09:34")
    desk.begin("buy 40 AAPL")
    assert check_session(RUN_ID, desk.ports).decision == "wait"
    desk.place()
    assert desk.posts() == 0


@pytest.mark.parametrize(
    ("day", "opens"), [(date(2026, 11, 30), "2026-11-30T14:35:00Z"), (date(2026, 12, 1), "2026-12-01T14:35:00Z")]
)
def test_new_york_is_five_hours_behind_in_winter(open_desk: OpenDesk, day: date, opens: str) -> None:
    desk, run = on(open_desk, day, 14, 25)
    assert check_session(run, desk.ports).until == opens


@pytest.mark.parametrize("day", [date(2027, 3, 15), date(2027, 6, 1)])
def test_new_york_is_four_hours_behind_in_summer(open_desk: OpenDesk, day: date) -> None:
    desk, run = on(open_desk, day, 13, 25)
    assert check_session(run, desk.ports).until == f"{day}T13:35:00Z"


def test_the_trading_window_includes_its_start_but_not_its_end(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, at="09:25")
    desk.open(BUY)
    decisions = []
    for time in ("09:34:59.999", "09:35", "15:54:59.999", "15:55"):
        desk.wait_until(time)
        decisions.append(check_session(RUN_ID, desk.ports).decision)
    assert decisions == ["wait", "trade", "trade", "stop"]


@pytest.mark.parametrize(("delay", "opens"), [(30, "15:00"), (45, "15:15"), (150, "17:00")])
def test_an_opening_delay_may_exceed_half_an_hour(open_desk: OpenDesk, delay: int, opens: str) -> None:
    desk = open_desk({"AAPL": AAPL}, at="09:25")
    desk.open(BUY, market_open_delay_minutes=delay)
    assert check_session(RUN_ID, desk.ports).until == f"2026-11-23T{opens}:00Z"


def test_holidays_and_half_days_follow_the_brokers_calendar(open_desk: OpenDesk) -> None:
    desk, run = on(open_desk, date(2026, 11, 27), 14, 25)
    desk.scheduler.run(until=datetime(2026, 11, 27, 17, 55, tzinfo=UTC))
    assert check_session(run, desk.ports).decision == "stop"
    with pytest.raises(MarketClosed):
        on(open_desk, date(2026, 12, 25), 14, 25)


@pytest.mark.parametrize("path", ["/v2/clock", "/v2/calendar"])
def test_a_failed_clock_read_opens_no_run(open_desk: OpenDesk, path: str) -> None:
    desk = open_desk({"AAPL": AAPL}, at="12:00")
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, path=path, status=500), When(times=None))
    with pytest.raises(BrokerUnavailable):
        desk.open(BUY)
    assert desk.posts() == 0


def test_a_fallback_schedule_five_minutes_later_is_a_duplicate(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    desk.wait_until("09:41")
    with pytest.raises(DuplicateRun):
        open_run({"plan": BUY}, EXECUTION.replace("first", "fallback"), variables(worked_by({})), desk.ports)
    assert len(desk.at_broker()) == 1


def test_an_execution_redriven_a_week_later_places_no_order(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.scheduler.run(until=datetime(2026, 11, 30, 14, 36, tzinfo=UTC))
    for step in (desk.validate, desk.place, desk.repeg):
        with pytest.raises(RefusedRun, match="is for 2026-11-23; today is 2026-11-30"):
            step()
    given = {"plan": BUY, "scheduled_time": "2026-11-23T14:25:00Z"}
    with pytest.raises(MarketClosed, match="a time of today, 2026-11-30"):
        open_run(given, EXECUTION, {}, desk.ports)
    assert desk.posts() == 0


def test_the_schedules_are_exact_and_in_new_york_time() -> None:
    schedules = of_type(written(), "AWS::Scheduler::Schedule")
    for schedule in schedules.values():
        properties = schedule["Properties"]
        assert properties["ScheduleExpressionTimezone"] == "America/New_York"
        assert properties["FlexibleTimeWindow"]["Mode"] == "OFF"
    assert schedules
