"""Live arming: without a record no live run opens, and once it has expired no order is sent and the run closes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.open_run.app import open_run
from repeg.adapters.request_limiter import RequestLimiter
from repeg.domain.errors import RefusedRun
from repeg.domain.outcome import Outcome
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.twins.memory_store import MemoryStore
from tests.builders import MONDAY
from tests.functions.books import AAPL, QUIET, UP, book
from tests.functions.desk import EXECUTION, Desk, OpenDesk, a_plan
from tests.simulation import judge

LIVE = {"TRADING_MODE": "live"}


def live_desk(open_desk: OpenDesk, *, armed_for: float | None, rising: bool = False) -> Desk:
    """The desk of a live stack whose arming lasts for so many seconds from 09:36; None: it has none."""
    desk = open_desk({"AAPL": book(QUIET, UP) if rising else AAPL}, store=MemoryStore(needs_arming=True))
    desk.exchange.account.switches.no_shorting = True
    if armed_for is not None:
        desk.store.set_armed_until(desk.scheduler.now() + timedelta(seconds=armed_for))
    return desk


def start(desk: Desk, **given: object) -> None:
    open_run({"plan": a_plan("buy 40 AAPL"), **given}, EXECUTION, LIVE, desk.ports)


@pytest.mark.parametrize("armed_for", [None, -1, 0, 40 * 86_400], ids=["none", "expired", "expiring", "endless"])
def test_no_live_run_opens_without_a_record_that_arms_it(open_desk: OpenDesk, armed_for: float | None) -> None:
    desk = live_desk(open_desk, armed_for=armed_for)
    with pytest.raises(RefusedRun, match="live trading is not armed"):
        start(desk)
    assert (desk.store.runs_on(MONDAY), desk.posts()) == ([], 0)


def test_a_record_in_a_store_that_needs_none_is_still_asked_for(open_desk: OpenDesk) -> None:
    """The stack's parameter alone decides, so that no wiring can open a live run unarmed."""
    desk = open_desk({"AAPL": AAPL})
    with pytest.raises(RefusedRun, match="live trading is not armed"):
        start(desk)


def test_a_live_run_opens_and_trades_while_it_is_armed(open_desk: OpenDesk) -> None:
    desk = live_desk(open_desk, armed_for=3_600)
    start(desk)
    desk.begin("buy 40 AAPL")
    assert desk.place().placed == 1


def test_a_live_preview_needs_no_arming(open_desk: OpenDesk) -> None:
    desk = live_desk(open_desk, armed_for=None)
    start(desk, preview=True)
    desk.preview("buy 40 AAPL")
    desk.place()
    assert (desk.order().outcome, desk.posts()) == (Outcome.PREVIEW, 0)


def test_no_order_is_placed_once_the_arming_has_expired(open_desk: OpenDesk) -> None:
    desk = live_desk(open_desk, armed_for=10)
    desk.begin("buy 40 AAPL")
    desk.wait(10)
    assert desk.place().placed == 0
    assert (desk.posts(), desk.store.intents(desk.run_id)) == (0, [])
    assert "live trading is not armed" in desk.journalled("AAPL", "error")[0][1]


def test_an_arming_that_expires_during_a_run_stops_moves_and_closes_it(open_desk: OpenDesk) -> None:
    desk = live_desk(open_desk, armed_for=20, rising=True)
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.wait_until("09:36:30")
    assert desk.repeg().decision == "close"
    assert (desk.open_at_broker(), desk.posts()) == (["40 AAPL @ 189.41"], 1)
    assert desk.close().outcome == "settled"
    judge.nothing_of_ours_is_open(desk.exchange)
    assert desk.row()["outcome"] == "killed"
    assert desk.row()["reason"] == "live trading is not armed any more"


def test_an_order_in_flight_is_not_resent_once_the_arming_has_expired(open_desk: OpenDesk) -> None:
    desk = live_desk(open_desk, armed_for=20)
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.RESET_BEFORE, method="POST", path="/v2/orders"))
    desk.place()
    desk.turn_at("09:37:30")
    assert desk.posts() == 1


def test_a_broker_outage_does_not_keep_a_disarmed_run_open(open_desk: OpenDesk) -> None:
    desk = live_desk(open_desk, armed_for=20)
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.wait_until("09:36:30")
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/clock", status=503))
    assert desk.repeg().decision == "close"


def test_an_arming_that_outlasts_the_window_is_not_why_an_order_ended(open_desk: OpenDesk) -> None:
    """The run closes at 15:55; a closing step that runs after the arming's end must not blame it."""
    desk = live_desk(open_desk, armed_for=0)
    desk.store.set_armed_until(desk.scheduler.now() + timedelta(hours=6, minutes=20))  # 15:56
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.wait_until("15:57")
    desk.close()
    assert "armed" not in desk.row()["reason"]


def test_a_request_that_waited_for_its_quota_is_not_sent_unarmed(open_desk: OpenDesk) -> None:
    desk = live_desk(open_desk, armed_for=20)
    limiter = RequestLimiter(desk.store, desk.runtime, 200)
    assert not limiter.is_halted
    desk.wait(20)
    assert limiter.is_halted
