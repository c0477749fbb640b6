"""RepegOrders under the kill switch, and during broker errors."""

from __future__ import annotations

import pytest

from repeg.domain.run import KillSwitch
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import KO, QUIET, UP, book
from tests.functions.desk import OpenDesk
from tests.functions.scenes import resting

RISEN = book(QUIET, UP)


def test_a_halt_leaves_resting_orders_unmoved(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, RISEN)
    desk.store.set_kill_switch(KillSwitch.HALT_NEW)
    assert desk.turn_at("09:36:30").decision == "wait"
    assert (desk.open_at_broker(), desk.posts()) == (["40 AAPL @ 189.41"], 1)


def test_fills_are_booked_during_a_halt(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, prints=("09:36:10 40 @ 189.41 sold",)))
    desk.store.set_kill_switch(KillSwitch.HALT_NEW)
    assert desk.turn_at("09:36:30").decision == "close"
    desk.judge()


def test_cancel_all_closes_the_run(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, RISEN)
    desk.store.set_kill_switch(KillSwitch.CANCEL_ALL)
    assert desk.turn_at("09:36:30").decision == "close"
    assert desk.posts() == 1


def test_orders_move_again_once_the_kill_switch_is_active(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, RISEN)
    desk.store.set_kill_switch(KillSwitch.HALT_NEW)
    desk.turn_at("09:36:30")
    desk.store.set_kill_switch(KillSwitch.ACTIVE)
    desk.turn_at("09:37:00")
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]


@pytest.mark.parametrize("path", ["/v2/clock", "/v2/orders", "/v2/stocks/quotes/latest"])
def test_a_broker_error_skips_the_turn_and_leaves_orders_resting(open_desk: OpenDesk, path: str) -> None:
    desk = resting(open_desk, RISEN)
    desk.wait_until("09:36:30")
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="GET", path=path, status=502))
    answer = desk.repeg()
    assert (answer.decision, answer.turns, answer.turn_at) == ("wait", 1, "2026-11-23T14:37:00Z")
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    desk.turn_at("09:37:00")
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]


def test_a_run_closes_on_time_during_a_broker_outage(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, path="/v2/clock", status=503), When(times=None))
    assert desk.turn_at("15:54:59").decision == "wait"
    assert desk.turn_at("15:55:00").decision == "close"


def test_a_failed_order_does_not_affect_other_symbols(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": RISEN, "KO": KO})
    desk.begin("buy 40 AAPL", "buy 10 KO")
    desk.place()
    desk.broker.cancel(desk.at_broker("KO")[0].id)
    desk.wait(1)
    fault = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders:by_client_order_id", status=500)
    desk.exchange.faults.arm(fault)  # KO is read by its id because the list no longer has it
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    assert [subject for subject in ("AAPL", "KO") if desk.journalled(subject, "error")] == ["KO"]
