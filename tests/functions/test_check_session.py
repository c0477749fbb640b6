"""CheckSession: wait before the trading window, trade inside it and stop after it, by the broker's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from functions.check_session.app import check_session
from repeg.domain.errors import BrokerUnavailable, RefusedRun
from repeg.domain.plan import run_id
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.market.scripted import ScriptedMarket
from tests.builders import MONDAY
from tests.functions.books import AAPL
from tests.functions.desk import RUN_ID, Desk, OpenDesk, a_plan

AFTER_THANKSGIVING = date(2026, 11, 27)


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """A run opened at 09:25."""
    desk = open_desk({"AAPL": AAPL}, at="09:25")
    desk.open(a_plan("buy 40 AAPL"))
    return desk


@pytest.mark.parametrize("time", ["09:25", "09:30", "09:34:59.999"])
def test_an_early_run_waits_until_the_window_opens(desk: Desk, time: str) -> None:
    desk.wait_until(time)
    answer = check_session(RUN_ID, desk.ports)
    assert answer.model_dump() == {"decision": "wait", "reason": "before_window", "until": "2026-11-23T14:35:00Z"}


@pytest.mark.parametrize("time", ["09:35", "12:00", "15:54:59.999"])
def test_a_run_inside_the_window_trades(desk: Desk, time: str) -> None:
    desk.wait_until(time)
    assert check_session(RUN_ID, desk.ports).decision == "trade"


@pytest.mark.parametrize("time", ["15:55", "16:00", "18:00"])
def test_a_run_stops_from_the_close_margin_on(desk: Desk, time: str) -> None:
    desk.wait_until(time)
    assert check_session(RUN_ID, desk.ports).decision == "stop"


def test_the_window_follows_the_runs_settings(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, at="09:25")
    desk.open(a_plan("buy 40 AAPL"), market_open_delay_minutes=0, close_margin_minutes=30)
    desk.wait_until("09:30")
    assert check_session(RUN_ID, desk.ports).decision == "trade"
    desk.wait_until("15:30")
    assert check_session(RUN_ID, desk.ports).decision == "stop"


def test_a_half_day_stops_early(open_desk: OpenDesk) -> None:
    market = ScriptedMarket({MONDAY: {"AAPL": AAPL}, AFTER_THANKSGIVING: {"AAPL": AAPL}})
    desk = open_desk({}, market=market)
    desk.scheduler.run(until=datetime(2026, 11, 27, 14, 25, tzinfo=UTC))
    desk.open(a_plan("buy 40 AAPL"))
    run = run_id("core", AFTER_THANKSGIVING)
    desk.scheduler.run(until=datetime(2026, 11, 27, 17, 54, 59, tzinfo=UTC))
    assert check_session(run, desk.ports).decision == "trade"
    desk.scheduler.run(until=datetime(2026, 11, 27, 17, 55, tzinfo=UTC))
    assert check_session(run, desk.ports).decision == "stop"


def test_the_session_is_checked_against_the_brokers_clock(desk: Desk) -> None:
    desk.wait_until("09:34:59")
    desk.exchange.skew_clock(2)
    assert check_session(RUN_ID, desk.ports).decision == "trade"


def test_a_missing_broker_clock_raises_unavailable(desk: Desk) -> None:
    desk.wait_until("12:00")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, path="/v2/clock"))
    with pytest.raises(BrokerUnavailable):
        check_session(RUN_ID, desk.ports)


def test_the_journal_shows_new_york_time(desk: Desk) -> None:
    check_session(RUN_ID, desk.ports)
    assert desk.journalled("session", "wait") == [("until 09:35", "opens 09:30, orders from 5 minutes after")]


def test_an_unknown_run_has_no_session(desk: Desk) -> None:
    with pytest.raises(RefusedRun, match="there is no run"):
        check_session("core-2026-11-24", desk.ports)
