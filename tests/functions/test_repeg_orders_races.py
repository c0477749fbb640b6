"""RepegOrders in races: a fill against a cancel, two concurrent turns; the target is never exceeded."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain.child_order import ChildState
from repeg.domain.errors import RefusedRun
from repeg.domain.next_step import TURNS_PER_EXECUTION
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from tests.functions.books import QUIET, UP, book
from tests.functions.desk import RUN_ID, OpenDesk
from tests.functions.scenes import resting

RISEN = book(QUIET, UP)


# Races between a cancel and a fill


def test_a_fill_before_the_cancel_finishes_the_order(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, RISEN)
    desk.exchange.races.arm(Race.CANCEL_LOSES)
    assert desk.turn_at("09:36:30").decision == "close"
    assert (desk.bought(), desk.posts(), desk.order().filled) == (Decimal(40), 1, Decimal(40))
    assert desk.journalled("AAPL", "finish") == [("40 of 40 @ 189.41", "filled before the cancel")]
    desk.judge()


def test_a_partial_fill_during_the_cancel_is_counted(open_desk: OpenDesk) -> None:
    slow = BrokerQuirks(ack_delay=(0, 0), cancel_delay=(1_500, 1_500), release_delay=(0, 0), requests_per_minute=None)
    down = book(QUIET, UP, prints=("09:36:31 16 @ 189.41 sold",))
    desk = open_desk({"AAPL": down}, quirks=slow)
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.turn_at("09:36:30")
    assert (desk.order().filled, desk.open_at_broker()) == (Decimal(16), ["24 AAPL @ 189.66"])
    desk.judge()


def test_no_order_is_sent_until_the_cancel_is_confirmed(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, RISEN)
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=20)
    desk.turn_at("09:36:30")
    assert (desk.order().children[-1].state, desk.posts()) == (ChildState.CANCELLING, 1)
    assert desk.turn_at("09:37:00").decision == "validate"
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    desk.judge()


def test_an_unconfirmed_cancel_is_repeated_each_turn(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, RISEN)
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=45)
    desk.turn_at("09:36:30")
    desk.turn_at("09:37:00")
    assert sum(method == "DELETE" for method, _ in desk.broker.line.sent) == 2
    assert desk.posts() == 1
    desk.turn_at("09:37:30")
    assert desk.open_at_broker() == []
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    desk.judge()


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=Kind.HANG_AFTER, method="DELETE"),
        Fault(kind=Kind.ANSWER_AFTER, method="DELETE", status=504),
        Fault(kind=Kind.ANSWER_AFTER, method="DELETE", status=422, body={"message": "not cancelable"}),
        Fault(kind=Kind.ANSWER_AFTER, method="DELETE", status=404, body={"message": "order not found"}),
    ],
    ids=["timed out", "504", "not cancelable", "not found"],
)
def test_a_failed_cancels_outcome_is_read_from_the_order(open_desk: OpenDesk, fault: Fault) -> None:
    desk = resting(open_desk, RISEN)
    desk.exchange.faults.arm(fault)
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    desk.judge()


def test_a_lost_cancel_keeps_the_old_order_and_sends_no_new_one(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, RISEN)
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="DELETE"))
    desk.turn_at("09:36:30")
    assert (desk.open_at_broker(), desk.posts()) == (["40 AAPL @ 189.41"], 1)
    desk.turn_at("09:37:00")
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    desk.judge()


def test_a_failed_read_during_a_cancel_sends_no_order(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, RISEN)
    fault = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders:by_client_order_id", status=500)
    desk.exchange.faults.arm(fault)
    desk.turn_at("09:36:30")
    assert desk.posts() == 1
    assert desk.journalled("AAPL", "error") == [("BrokerUnavailable", desk.journalled("AAPL", "error")[0][1])]
    desk.turn_at("09:37:00")
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    desk.judge()


# Concurrent, late and fenced turns


def test_concurrent_turns_move_an_order_once(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, RISEN)
    desk.wait_until("09:36:30")
    desk.broker.line.seconds = 0.05
    twins = [desk.scheduler.spawn(desk.repeg) for _ in range(2)]
    desk.wait(10)
    for twin in twins:
        twin.result()
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    assert len(desk.at_broker()) == 2
    desk.judge()


def test_a_fenced_execution_moves_no_order(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, RISEN)
    desk.wait_until("09:36:30")
    desk.store.take_over(RUN_ID, 1, "arn:sweeper")
    with pytest.raises(RefusedRun, match="epoch 2"):
        desk.repeg()
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]


def test_turns_stay_on_their_grid_after_a_late_turn(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    assert desk.turn_at("09:36:37").turn_at == "2026-11-23T14:37:00Z"
    assert desk.turn_at("09:36:46").turn_at == "2026-11-23T14:37:30Z"


def test_a_long_run_renews_before_its_history_is_full(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    desk.turns = TURNS_PER_EXECUTION - 2
    assert desk.turn_at("09:36:30").decision == "wait"
    assert desk.turn_at("09:37:00").decision == "renew"
