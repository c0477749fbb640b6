"""Known overfills of public programs; here each case ends with at most the target quantity."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain.child_order import ChildState
from repeg.domain.errors import Conflict
from repeg.domain.outcome import Outcome
from repeg.domain.quote import Side
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from repeg_workbench.exchange.units import qty
from tests.contracts.words import an_intent
from tests.functions.books import QUIET, UP, book
from tests.functions.desk import PREFIX, RUN_ID, Desk, OpenDesk


def hundred(open_desk: OpenDesk, *prints: str, **settings: object) -> Desk:
    """A buy of 100 AAPL resting at 189.41; the market moves up at 09:36:10."""
    desk = open_desk({"AAPL": book(QUIET, UP, prints=prints)})
    desk.begin("buy 100 AAPL", **settings)
    desk.place()
    return desk


def ends_with_the_target(desk: Desk, shares: int = 100) -> None:
    """Close the run and check that it bought and reported exactly these shares."""
    desk.close()
    desk.judge()
    assert Decimal(desk.row()["filled_qty"]) == desk.bought() == shares


def test_a_fill_before_the_cancel_completes_the_order(open_desk: OpenDesk) -> None:
    desk = hundred(open_desk)
    desk.exchange.races.arm(Race.CANCEL_LOSES)
    desk.turn_at("09:36:30")
    desk.turn_at("09:37:00")
    assert desk.posts() == 1
    ends_with_the_target(desk)


def test_a_fill_during_the_cancel_reduces_the_next_order(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET, UP, prints=("09:36:31 60 @ 189.41 sold",))})
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=1.5)
    desk.begin("buy 100 AAPL")
    desk.place()
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    ends_with_the_target(desk, 60)


def test_a_failed_status_read_during_the_cancel_sends_no_order(open_desk: OpenDesk) -> None:
    desk = hundred(open_desk, "09:36:31 100 @ 189.41 sold")
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=1.5)
    read = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders:by_client_order_id", status=500)
    desk.exchange.faults.arm(read)
    desk.turn_at("09:36:30")
    assert desk.posts() == 1
    desk.turn_at("09:37:00")
    ends_with_the_target(desk)


def test_an_accepted_order_whose_answer_timed_out_is_adopted(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET, prints=("09:36:40 100 @ 189.41 sold",))})
    desk.begin("buy 100 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_AFTER, method="POST"))
    desk.place()
    desk.turn_at("09:36:30")
    desk.turn_at("09:37:00")
    assert len(desk.at_broker()) == 1
    ends_with_the_target(desk)


def test_a_partial_fill_of_four_leaves_six_after_two_moves(open_desk: OpenDesk) -> None:
    """A new order's filled quantity of zero must not overwrite the old order's four."""
    climbing = book(QUIET, UP, "09:36:40 300 @ 189.90 × 200 @ 189.94", prints=("09:36:05 4 @ 189.41 sold",))
    desk = open_desk({"AAPL": climbing})
    desk.begin("buy 10 AAPL")
    desk.place()
    desk.turn_at("09:36:30")
    desk.turn_at("09:37:00")
    assert [qty(order.quantity or 0) for order in desk.at_broker()] == [10, 6, 6]
    assert desk.open_at_broker() == ["6 AAPL @ 189.91"]
    ends_with_the_target(desk, 4)


def test_an_escalation_after_a_partial_fill_sends_the_remainder(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET, prints=("09:36:05 30 @ 189.41 sold",))})
    desk.begin("buy 100 AAPL", patience_seconds=30, escalation="market")
    desk.place()
    for time in ("09:36:30", "09:37:00", "09:37:30"):
        desk.turn_at(time)
    desk.wait(1)
    assert [qty(order.quantity or 0) for order in desk.at_broker()][1:] == [70] * (len(desk.at_broker()) - 1)
    ends_with_the_target(desk)


def test_a_move_cancels_and_resubmits_the_remainder(open_desk: OpenDesk) -> None:
    """A replaced order's quantity may mean the chain's total or the remainder, so a move cancels and resubmits."""
    desk = hundred(open_desk, "09:36:05 40 @ 189.41 sold")
    desk.turn_at("09:36:30")
    assert "PATCH" not in {method for method, _ in desk.broker.line.sent}
    assert [child.state for child in desk.order().children] == [ChildState.CANCELED, ChildState.LIVE]
    ends_with_the_target(desk, 40)


def test_a_retried_step_sends_its_order_under_the_same_id(open_desk: OpenDesk) -> None:
    """The step is killed after its request and retried from the beginning."""
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 100 AAPL")
    desk.validate()
    desk.broker.line.seconds = 1
    step = desk.scheduler.spawn(desk.place)
    desk.wait(6.5)
    assert len(desk.at_broker()) == 1
    step.kill()
    desk.broker.line.seconds = 0
    desk.place()
    desk.turn_at("09:37:30")
    assert [order.client_order_id for order in desk.at_broker()] == [f"{PREFIX}AAPL.b.1"]
    ends_with_the_target(desk, 0)


def test_a_fill_after_a_reported_cancel_is_booked(open_desk: OpenDesk) -> None:
    desk = hundred(open_desk)

    def canceled(order: dict[str, object]) -> dict[str, object]:
        return {**order, "status": "canceled"}

    by_id = Fault(kind=Kind.REWRITE, method="GET", path="/v2/orders:by_client_order_id", rewrite=canceled)
    desk.exchange.faults.arm(by_id)
    desk.exchange.races.arm(Race.CANCEL_LOSES)
    desk.wait_until("09:36:30")
    child = desk.order().children[-1]
    early = desk.broker.order(child.client_order_id)
    assert early is not None
    seen = child.after(early)
    desk.broker.cancel(desk.at_broker()[0].id)
    desk.wait(1)
    late = desk.broker.order(child.client_order_id)
    assert late is not None
    assert (seen.state, seen.after(late).state) == (ChildState.CANCELED, ChildState.FILLED)
    assert seen.after(late).filled == desk.bought() == 100


def test_an_intent_survives_a_failed_submission(open_desk: OpenDesk) -> None:
    """If an error deleted the intent, the retry and a paused invocation would each send the order again."""
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 100 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_AFTER, method="POST", status=500), When(times=3))
    desk.place()
    for time in ("09:36:30", "09:37:00", "09:37:30"):
        desk.turn_at(time)
    (intent,) = desk.store.intents(RUN_ID)
    assert len(desk.at_broker()) == 1
    again = an_intent(desk.order(), 1, limit="189.50", qty="100").model_copy(update={"side": Side.BUY})
    with pytest.raises(Conflict, match="other contents"):
        desk.store.write_intent(desk.order(), again, 1, [], step=desk.turns + 1)
    assert desk.store.intents(RUN_ID) == [intent]


def test_a_filled_target_ends_the_order_before_any_move(open_desk: OpenDesk) -> None:
    desk = hundred(open_desk, "09:36:05 100 @ 189.41 sold")
    assert desk.turn_at("09:36:30").decision == "close"
    assert desk.order().outcome is Outcome.FILLED
    ends_with_the_target(desk)
