"""RepegOrders: each turn reads every order and holds, moves or finishes it at most once."""

from __future__ import annotations

from decimal import Decimal

from repeg.domain.child_order import ChildState
from repeg.domain.outcome import Outcome
from tests.functions.books import QUIET, UP, book
from tests.functions.desk import RUN_ID, OpenDesk, holding
from tests.functions.scenes import resting

RISEN = book(QUIET, UP)


# Hold, fill, finish


def test_an_order_at_the_top_of_the_book_is_held(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    answer = desk.turn_at("09:36:30")
    assert answer.model_dump() == {
        "decision": "wait",
        "turns": 1,
        "turn_at": "2026-11-23T14:37:00Z",
        "working": 1,
        "unknown": 0,
    }
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    assert desk.journalled("AAPL", "hold") == [("189.41", "bid 189.41, we are on top")]


def test_a_filled_order_is_finished_and_its_fills_are_booked(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, prints=("09:36:10 30 @ 189.41 sold", "09:36:20 10 @ 189.41 sold")))
    assert desk.turn_at("09:36:30").decision == "close"
    assert (desk.order().outcome, desk.order().average_price) == (Outcome.FILLED, Decimal("189.41"))
    assert [execution.qty for execution in desk.store.executions(RUN_ID)] == [30, 10]
    assert desk.journalled("AAPL", "finish") == [("40 of 40 @ 189.41", "filled")]
    desk.judge()


def test_a_partial_fill_is_booked_and_the_remainder_keeps_resting(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, prints=("09:36:10 15 @ 189.41 sold",)))
    assert desk.turn_at("09:36:30").decision == "wait"
    assert (desk.order().filled, desk.open_at_broker()) == (Decimal(15), ["25 AAPL @ 189.41"])
    assert desk.journalled("AAPL", "fill") == [("15 @ 189.41", "15 of 40")]
    assert [execution.qty for execution in desk.store.executions(RUN_ID)] == [15]
    desk.repeg()
    assert len(desk.store.executions(RUN_ID)) == 1


def test_an_order_cancelled_by_another_hand_ends_and_is_not_sent_again(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, prints=("09:36:10 15 @ 189.41 sold",)))
    desk.wait_until("09:36:20")
    desk.broker.cancel(desk.at_broker()[0].id)
    assert desk.turn_at("09:36:30").decision == "close"
    reason = "15 of 40: cancelled at the broker by an unknown hand (its owner, another program, or the broker)"
    assert (desk.order().outcome, desk.order().reason) == (Outcome.ENDED_BY_UNKNOWN_HAND, reason)
    desk.close()
    assert (desk.row()["outcome"], desk.row()["filled_qty"], desk.posts()) == ("ended_by_unknown_hand", "15", 1)
    desk.judge()


# Move


def test_a_move_confirms_the_cancel_before_sending_the_next_id(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, RISEN)
    before = len(desk.broker.line.sent)
    desk.turn_at("09:36:30")
    methods = [method for method, _ in desk.broker.line.sent[before:]]
    cancel, post = methods.index("DELETE"), methods.index("POST")
    assert set(methods[cancel + 1 : post]) == {"GET"}
    assert [child.state for child in desk.order().children] == [ChildState.CANCELED, ChildState.LIVE]
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    assert desk.journalled("AAPL", "move") == [("189.41 → 189.66", "bid rose to 189.65, move 1 of 10")]
    assert desk.order().moves == 1
    desk.judge()


def test_a_rise_of_the_bid_below_the_threshold_is_not_followed(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, "09:36:10 300 @ 189.59 × 200 @ 189.63"))
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    assert desk.posts() == 1


def test_a_sell_follows_the_ask_down(open_desk: OpenDesk) -> None:
    falling = book(QUIET, "09:36:10 300 @ 189.15 × 200 @ 189.19")
    desk = open_desk({"AAPL": falling}, opening=holding(AAPL="40"))
    desk.begin("sell all AAPL")
    desk.place()
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.18"]
    desk.judge()


def test_no_move_exceeds_the_collar(open_desk: OpenDesk) -> None:
    """The collar is 189.60, ten basis points above the arrival mid; the market moves to 190."""
    away = book(QUIET, "09:36:10 300 @ 190.00 × 200 @ 190.04")
    desk = resting(open_desk, away, max_slippage_bps="10")
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.60"]
    desk.turn_at("09:37:00")
    assert desk.posts() == 2
    assert desk.journalled("AAPL", "hold")[-1] == ("189.60", "bid 190.00 is past the collar 189.60")


def test_an_order_out_of_moves_goes_to_the_mid(open_desk: OpenDesk) -> None:
    climbing = book(
        "09:20 300 @ 189.40 × 200 @ 189.50",
        "09:36:10 300 @ 189.65 × 200 @ 189.75",
        "09:36:40 300 @ 189.90 × 200 @ 190.00",
    )
    desk = resting(open_desk, climbing, max_repegs=1)
    desk.turn_at("09:36:30")
    assert (desk.order().moves, desk.open_at_broker()) == (1, ["40 AAPL @ 189.66"])
    desk.turn_at("09:37:00")
    assert desk.open_at_broker() == ["40 AAPL @ 189.95"]
    assert desk.journalled("AAPL", "move")[-1][1] == "bid 189.90 × ask 190.00, moves spent"
    desk.judge()


def test_exhausted_patience_moves_to_the_mid_then_the_far_side(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, patience_seconds=60)
    desk.turn_at("09:36:30")
    assert desk.posts() == 1
    desk.turn_at("09:37:00")
    assert desk.open_at_broker() == ["40 AAPL @ 189.42"]
    desk.turn_at("09:37:30")
    desk.wait(1)
    assert desk.bought() == 40
    assert desk.repeg().decision == "close"
    desk.judge()


def test_a_move_after_a_partial_fill_sends_the_remainder(open_desk: OpenDesk) -> None:
    risen = book(QUIET, UP, prints=("09:36:05 16 @ 189.41 sold",))
    desk = resting(open_desk, risen)
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == ["24 AAPL @ 189.66"]
    assert desk.order().filled == 16
    desk.judge()
