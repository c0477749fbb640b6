"""RepegOrders: read, compare, act once per order. What is done with an order that rests, fills, or is left behind."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.errors import RefusedRun
from repeg.order import ChildState, Outcome, ParentState
from repeg.pace import TURNS_PER_EXECUTION
from repeg.run import KillSwitch
from tests.functions.books import KO, QUIET, UP, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, holding
from workbench.exchange.arming import When
from workbench.exchange.faults import Fault, Kind
from workbench.exchange.knobs import Knobs
from workbench.exchange.races import Race

RISEN = book(QUIET, UP)


def placed(open_desk: OpenDesk, *books: object, prints: tuple[str, ...] = (), **settings: object) -> Desk:
    """40 AAPL to buy, resting at 189.41 since 09:36."""
    desk = open_desk({"AAPL": books[0] if books else book(QUIET, prints=prints)})
    desk.begin("buy 40 AAPL", **settings)
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    return desk


def turn_at(desk: Desk, time: str) -> dict[str, object]:
    desk.wait_until(time)
    return desk.repeg()


# Hold, fill, finish


def test_an_order_on_top_of_the_book_is_left_alone(open_desk: OpenDesk) -> None:
    desk = placed(open_desk)
    answer = turn_at(desk, "09:36:30")
    assert answer == {"decision": "wait", "turns": 1, "turn_at": "2026-11-23T14:37:00Z", "working": 1}
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    assert desk.told("AAPL", "hold") == [("189.41", "bid 189.41, we are on top")]


def test_a_filled_order_is_finished_and_its_executions_are_booked(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, prints=("09:36:10 30 @ 189.41 sold", "09:36:20 10 @ 189.41 sold"))
    assert turn_at(desk, "09:36:30")["decision"] == "close"
    assert (desk.order().outcome, desk.order().average_price) == (Outcome.FILLED, Decimal("189.41"))
    assert [execution.qty for execution in desk.store.executions(RUN_ID)] == [30, 10]
    assert desk.told("AAPL", "finish") == [("40 of 40 @ 189.41", "filled")]
    desk.judge()


def test_a_part_that_is_filled_is_booked_and_the_rest_goes_on_resting(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, prints=("09:36:10 15 @ 189.41 sold",))
    assert turn_at(desk, "09:36:30")["decision"] == "wait"
    assert (desk.order().filled, desk.open_at_broker()) == (Decimal(15), ["25 AAPL @ 189.41"])
    assert desk.told("AAPL", "fill") == [("15 @ 189.41", "15 of 40")]
    assert [execution.qty for execution in desk.store.executions(RUN_ID)] == [15]
    desk.repeg()
    assert len(desk.store.executions(RUN_ID)) == 1


def test_an_order_that_somebody_cancelled_is_terminal_but_not_complete(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, prints=("09:36:10 15 @ 189.41 sold",))
    desk.wait_until("09:36:20")
    desk.broker.cancel(desk.at_broker()[0].id)
    assert turn_at(desk, "09:36:30")["decision"] == "validate"
    assert (desk.order().state, desk.order().remaining) == (ParentState.WAITING, Decimal(25))
    desk.place()
    assert desk.open_at_broker() == ["25 AAPL @ 189.41"]
    desk.judge()


# Move


def test_a_move_cancels_confirms_and_only_then_sends_the_rest_under_the_next_id(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, RISEN)
    before = len(desk.broker.line.sent)
    turn_at(desk, "09:36:30")
    methods = [method for method, _ in desk.broker.line.sent[before:]]
    cancel, post = methods.index("DELETE"), methods.index("POST")
    assert set(methods[cancel + 1 : post]) == {"GET"}
    assert [child.state for child in desk.order().children] == [ChildState.CANCELED, ChildState.LIVE]
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    assert desk.told("AAPL", "move") == [("189.41 → 189.66", "bid rose to 189.65, move 1 of 10")]
    assert desk.order().moves == 1
    desk.judge()


def test_a_bid_that_rose_by_less_than_the_threshold_is_not_followed(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, book(QUIET, "09:36:10 300 @ 189.59 × 200 @ 189.63"))
    turn_at(desk, "09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    assert desk.posts() == 1


def test_a_sell_follows_the_ask_down(open_desk: OpenDesk) -> None:
    falling = book(QUIET, "09:36:10 300 @ 189.15 × 200 @ 189.19")
    desk = open_desk({"AAPL": falling}, opening=holding(AAPL="40"))
    desk.begin("sell all AAPL")
    desk.place()
    turn_at(desk, "09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.18"]
    desk.judge()


def test_no_move_goes_past_the_collar(open_desk: OpenDesk) -> None:
    """The collar is 189.60, ten basis points above the arrival mid; the market runs away to 190."""
    away = book(QUIET, "09:36:10 300 @ 190.00 × 200 @ 190.04")
    desk = placed(open_desk, away, max_slippage_bps="10")
    turn_at(desk, "09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.60"]
    turn_at(desk, "09:37:00")
    assert desk.posts() == 2
    assert desk.told("AAPL", "hold")[-1] == ("189.60", "bid 190.00 is past the collar 189.60")


def test_moves_are_counted_and_when_they_are_spent_the_next_step_is_the_mid(open_desk: OpenDesk) -> None:
    climbing = book(
        "09:20 300 @ 189.40 × 200 @ 189.50",
        "09:36:10 300 @ 189.65 × 200 @ 189.75",
        "09:36:40 300 @ 189.90 × 200 @ 190.00",
    )
    desk = placed(open_desk, climbing, max_repegs=1)
    turn_at(desk, "09:36:30")
    assert (desk.order().moves, desk.open_at_broker()) == (1, ["40 AAPL @ 189.66"])
    turn_at(desk, "09:37:00")
    assert desk.open_at_broker() == ["40 AAPL @ 189.95"]
    assert desk.told("AAPL", "move")[-1][1] == "bid 189.90 × ask 190.00, moves spent"
    desk.judge()


def test_patience_that_is_spent_goes_to_the_mid_and_then_to_the_far_side(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, patience_seconds=60)
    turn_at(desk, "09:36:30")
    assert desk.posts() == 1
    turn_at(desk, "09:37:00")
    assert desk.open_at_broker() == ["40 AAPL @ 189.42"]
    turn_at(desk, "09:37:30")
    desk.wait(1)
    assert desk.bought() == 40
    assert desk.repeg()["decision"] == "close"
    desk.judge()


def test_only_the_rest_is_sent_after_a_part_was_filled(open_desk: OpenDesk) -> None:
    risen = book(QUIET, UP, prints=("09:36:05 16 @ 189.41 sold",))
    desk = placed(open_desk, risen)
    turn_at(desk, "09:36:30")
    assert desk.open_at_broker() == ["24 AAPL @ 189.66"]
    assert desk.order().filled == 16
    desk.judge()


# Races between a cancel and a fill


def test_a_fill_that_beats_the_cancel_ends_the_order_and_nothing_more_is_sent(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, RISEN)
    desk.exchange.races.arm(Race.CANCEL_LOSES)
    assert turn_at(desk, "09:36:30")["decision"] == "close"
    assert (desk.bought(), desk.posts(), desk.order().filled) == (Decimal(40), 1, Decimal(40))
    assert desk.told("AAPL", "finish") == [("40 of 40 @ 189.41", "filled before the cancel")]
    desk.judge()


def test_a_part_that_fills_while_the_cancel_is_on_its_way_is_counted(open_desk: OpenDesk) -> None:
    slow = Knobs(ack_delay=(0, 0), cancel_delay=(1_500, 1_500), release_delay=(0, 0), requests_per_minute=None)
    down = book(QUIET, UP, prints=("09:36:31 16 @ 189.41 sold",))
    desk = open_desk({"AAPL": down}, knobs=slow)
    desk.begin("buy 40 AAPL")
    desk.place()
    turn_at(desk, "09:36:30")
    assert (desk.order().filled, desk.open_at_broker()) == (Decimal(16), ["24 AAPL @ 189.66"])
    desk.judge()


def test_a_cancel_that_is_not_confirmed_in_time_has_no_successor_until_it_is(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, RISEN)
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=20)
    turn_at(desk, "09:36:30")
    assert (desk.order().children[-1].state, desk.posts()) == (ChildState.CANCELLING, 1)
    assert turn_at(desk, "09:37:00")["decision"] == "validate"
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    desk.judge()


def test_a_cancel_that_was_asked_for_is_asked_for_again_until_it_is_confirmed(open_desk: OpenDesk) -> None:
    """What the cancel was meant for may be gone by the next turn; half cancelled is no state to stay in."""
    back = book(QUIET, UP, QUIET.replace("09:20", "09:36:40"))
    desk = placed(open_desk, back)
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=45)
    turn_at(desk, "09:36:30")
    turn_at(desk, "09:37:00")
    assert sum(method == "DELETE" for method, _ in desk.broker.line.sent) == 2
    assert desk.posts() == 1
    turn_at(desk, "09:37:30")
    assert desk.open_at_broker() == []
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
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
def test_what_became_of_a_cancel_is_read_and_not_concluded(open_desk: OpenDesk, fault: Fault) -> None:
    desk = placed(open_desk, RISEN)
    desk.exchange.faults.arm(fault)
    turn_at(desk, "09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    desk.judge()


def test_a_cancel_that_never_arrived_leaves_the_old_order_and_sends_no_new_one(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, RISEN)
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="DELETE"))
    turn_at(desk, "09:36:30")
    assert (desk.open_at_broker(), desk.posts()) == (["40 AAPL @ 189.41"], 1)
    turn_at(desk, "09:37:00")
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    desk.judge()


def test_a_read_that_fails_while_a_cancel_is_confirmed_sends_nothing(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, RISEN)
    fault = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders:by_client_order_id", status=500)
    desk.exchange.faults.arm(fault)
    turn_at(desk, "09:36:30")
    assert desk.posts() == 1
    assert desk.told("AAPL", "error") == [("BrokerUnavailable", desk.told("AAPL", "error")[0][1])]
    turn_at(desk, "09:37:00")
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    desk.judge()


# Twice, late, from the past


def test_two_turns_at_once_move_an_order_once(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, RISEN)
    desk.wait_until("09:36:30")
    desk.broker.line.seconds = 0.05
    twins = [desk.scheduler.spawn(desk.repeg) for _ in range(2)]
    desk.wait(10)
    for twin in twins:
        twin.result()
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    assert len(desk.at_broker()) == 2
    desk.judge()


def test_a_turn_of_a_fenced_execution_does_nothing(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, RISEN)
    desk.wait_until("09:36:30")
    desk.store.take_over(RUN_ID, 1, "arn:sweeper")
    with pytest.raises(RefusedRun, match="epoch 2"):
        desk.repeg()
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]


def test_turns_stay_on_their_grid_however_long_one_takes(open_desk: OpenDesk) -> None:
    desk = placed(open_desk)
    assert turn_at(desk, "09:36:37")["turn_at"] == "2026-11-23T14:37:00Z"
    assert turn_at(desk, "09:36:46")["turn_at"] == "2026-11-23T14:37:30Z"


def test_a_long_run_moves_to_a_new_execution_before_its_history_is_full(open_desk: OpenDesk) -> None:
    desk = placed(open_desk)
    desk.turns = TURNS_PER_EXECUTION - 2
    assert turn_at(desk, "09:36:30")["decision"] == "wait"
    assert turn_at(desk, "09:37:00")["decision"] == "renew"


# The brake, and a broker that is silent


def test_halted_what_rests_keeps_resting_and_is_not_moved(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, RISEN)
    desk.store.set_kill_switch(KillSwitch.HALT_NEW)
    assert turn_at(desk, "09:36:30")["decision"] == "wait"
    assert (desk.open_at_broker(), desk.posts()) == (["40 AAPL @ 189.41"], 1)


def test_halted_fills_are_still_booked(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, prints=("09:36:10 40 @ 189.41 sold",))
    desk.store.set_kill_switch(KillSwitch.HALT_NEW)
    assert turn_at(desk, "09:36:30")["decision"] == "close"
    desk.judge()


def test_cancel_all_goes_straight_to_the_close(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, RISEN)
    desk.store.set_kill_switch(KillSwitch.CANCEL_ALL)
    assert turn_at(desk, "09:36:30")["decision"] == "close"
    assert desk.posts() == 1


def test_once_the_brake_is_released_the_order_moves_again(open_desk: OpenDesk) -> None:
    desk = placed(open_desk, RISEN)
    desk.store.set_kill_switch(KillSwitch.HALT_NEW)
    turn_at(desk, "09:36:30")
    desk.store.set_kill_switch(KillSwitch.ACTIVE)
    turn_at(desk, "09:37:00")
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]


@pytest.mark.parametrize("path", ["/v2/clock", "/v2/orders", "/v2/stocks/quotes/latest"])
def test_a_silent_broker_costs_a_turn_and_what_rests_keeps_resting(open_desk: OpenDesk, path: str) -> None:
    desk = placed(open_desk, RISEN)
    desk.wait_until("09:36:30")
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="GET", path=path, status=502))
    answer = desk.repeg()
    assert (answer["decision"], answer["turns"], answer["turn_at"]) == ("wait", 1, "2026-11-23T14:37:00Z")
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    turn_at(desk, "09:37:00")
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]


def test_a_broker_that_is_silent_to_the_end_does_not_keep_a_run_from_closing(open_desk: OpenDesk) -> None:
    desk = placed(open_desk)
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, path="/v2/clock", status=503), When(times=None))
    assert turn_at(desk, "15:54:59")["decision"] == "wait"
    assert turn_at(desk, "15:55:00")["decision"] == "close"


def test_one_orders_trouble_is_not_the_others(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": RISEN, "KO": KO})
    desk.begin("buy 40 AAPL", "buy 10 KO")
    desk.place()
    desk.broker.cancel(desk.at_broker("KO")[0].id)
    desk.wait(1)
    fault = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders:by_client_order_id", status=500)
    desk.exchange.faults.arm(fault)  # KO is asked for by its id, for the list no longer has it
    turn_at(desk, "09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    assert [subject for subject in ("AAPL", "KO") if desk.told(subject, "error")] == ["KO"]
