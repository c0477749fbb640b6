"""The end of an order is announced once it is stored, and once: not what a step only believed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from repeg.domain.broker import CancelAnswer
from repeg.domain.child_order import ChildState
from repeg.domain.errors import BrokerUnavailable, Conflict, StoreUnavailable
from repeg.domain.intent import Intent
from repeg.domain.order_news import OrderFinished
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.workflow import leftovers
from repeg.workflow.in_flight import refresh_children
from repeg.workflow.leftovers import without_leftovers
from repeg.workflow.looking import named_orders, reconcile, work_named
from repeg.workflow.reconciliation import after_rejection
from repeg.workflow.turn import begin_sending_turn, begin_turn
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from repeg_workbench.twins.memory_store import MemoryStore
from tests.functions.books import QUIET, UP, Event, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk
from tests.functions.scenes import resting
from tests.functions.test_cancels_by_hand import REFUSES, cancel_during_the_turn
from tests.functions.test_leftovers import two_open
from tests.functions.test_order_news import all_told

RISING = book(QUIET, "09:36:20 300 @ 189.45 × 200 @ 189.49")
BAD_PRICE = {"code": 42210000, "message": "invalid limit_price 189.41. sub-penny increment"}


def ends(desk: Desk) -> list[tuple[str, int]]:
    """The outcomes of AAPL that were published, each with the shares filled."""
    told = [news for news in all_told(desk) if isinstance(news, OrderFinished) and news.symbol == "AAPL"]
    return [(str(news.outcome), int(news.filled)) for news in told]


def both_known(open_desk: OpenDesk, aapl: list[Event] | None = None) -> Desk:
    """Two orders of 40 AAPL, both live in our books."""
    desk = two_open(open_desk, aapl)
    found = {"state": ChildState.LIVE, "broker_id": desk.at_broker("AAPL")[0].id}
    desk.store.save_order(desk.order().with_child(desk.order().children[0].model_copy(update=found)))
    return desk


def test_a_twin_that_knows_of_no_mark_announces_no_end(open_desk: OpenDesk) -> None:
    """It has read the order before the other step marked it, and the broker after that one's cancel."""
    desk = resting(open_desk, book(QUIET, UP))
    desk.wait_until("09:36:30")
    turn, stale, cancel = begin_turn(RUN_ID, desk.ports), desk.order(), desk.broker.cancel

    def while_a_twin_reads(broker_id: str) -> Any:
        answer = cancel(broker_id)
        desk.runtime.pause(0.3)
        with pytest.raises(Conflict):
            refresh_children(turn, stale, {})
        return answer

    desk.broker.cancel = while_a_twin_reads  # type: ignore[method-assign]
    desk.repeg()
    assert (desk.order().outcome, ends(desk)) == (None, [])
    assert desk.journalled("AAPL", "owner") == []


def test_a_hint_of_our_own_unsaved_cancel_announces_no_end(open_desk: OpenDesk) -> None:
    """The read after the cancel fails, and the step knows the order as it was before its mark."""
    desk = resting(open_desk, RISING, policy="normal", look_seconds=60, follow_after_seconds=20)
    cancel, read = desk.broker.cancel, desk.broker.quotes

    def fails(symbols: Iterable[str]) -> dict[str, Quote]:
        desk.broker.quotes = read  # type: ignore[method-assign]
        raise BrokerUnavailable("timeout")

    def cancelled(broker_id: str) -> Any:
        desk.broker.quotes = fails  # type: ignore[method-assign]
        return cancel(broker_id)

    desk.broker.cancel = cancelled  # type: ignore[method-assign]
    desk.wait_until("09:36:30")
    turn = begin_sending_turn(RUN_ID, 1, desk.ports)
    orders = reconcile(turn)
    work_named(turn, orders, named_orders(orders, {"AAPL"}))
    desk.turn_at("09:37:00")
    desk.place()
    assert (len(desk.open_at_broker()), ends(desk)) == (1, [])


def test_an_end_by_refusals_that_cannot_be_stored_is_not_announced(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 40 AAPL")
    refused = Fault(kind=Kind.ANSWER_BEFORE, method="POST", path="/v2/orders", status=422, body=BAD_PRICE)
    desk.exchange.faults.arm(refused, When(times=3))
    for _ in range(2):
        desk.place()
    save = desk.store.save_order

    def unless_rejected(order: ParentOrder, *rest: Any) -> ParentOrder:
        if order.outcome is Outcome.REJECTED:
            raise StoreUnavailable("the table does not answer")
        return save(order, *rest)

    monkeypatch.setattr(desk.store, "save_order", unless_rejected)
    desk.place()
    assert (desk.order().outcome, ends(desk)) == (None, [])


def test_an_owner_who_cancels_two_orders_of_a_line_ends_it_once(open_desk: OpenDesk) -> None:
    desk = both_known(open_desk)
    for order in desk.at_broker("AAPL"):
        desk.broker.line.delete(f"/orders/{order.id}")
    desk.wait(1)
    desk.turn_at("09:37:00")
    assert (ends(desk), len(desk.journalled("AAPL", "finish"))) == ([("ended_by_unknown_hand", 0)], 1)


@pytest.mark.parametrize("shares", [15, 40])
def test_an_end_is_announced_with_all_that_was_read(open_desk: OpenDesk, shares: int) -> None:
    """The owner has cancelled the one, and the other has filled since."""
    filled = book(QUIET, prints=(f"09:36:55 {shares} @ 189.41 sold",))
    desk = both_known(open_desk, filled)
    desk.broker.line.delete(f"/orders/{desk.at_broker('AAPL')[0].id}")
    desk.wait(1)
    desk.turn_at("09:37:00")
    desk.close()
    assert {outcome for outcome, _ in ends(desk)} == {desk.row()["outcome"]}
    assert {done for _, done in ends(desk)} == {shares}


def test_an_order_that_has_ended_keeps_its_outcome(open_desk: OpenDesk) -> None:
    desk = both_known(open_desk)
    desk.store.save_order(desk.order().done(Outcome.REJECTED, "rejected by the broker"))
    for order in desk.at_broker("AAPL"):
        desk.broker.line.delete(f"/orders/{order.id}")
    desk.wait(1)
    desk.turn_at("09:37:00")
    assert (desk.order().outcome, desk.order().open_children) == (Outcome.REJECTED, ())


def test_an_end_that_our_own_cancel_has_found_is_announced(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET, UP)}, quirks=REFUSES)
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.wait_until("09:36:30")
    cancel_during_the_turn(desk, 0.2)
    desk.repeg()
    assert ends(desk) == [("ended_by_unknown_hand", 0)]


def test_an_end_that_the_cancel_of_leftovers_has_found_is_announced(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = resting(open_desk)
    order = desk.order().on_hold(HoldReason.OWNER, desk.runtime.now())
    cancelled = order.with_child(order.children[0].becomes(ChildState.CANCELED))
    monkeypatch.setattr(
        leftovers,
        "cancel_children",
        lambda turn, order: cancelled.done(Outcome.ENDED_BY_UNKNOWN_HAND, "another hand"),
    )
    without_leftovers(begin_turn(RUN_ID, desk.ports), order)
    assert ends(desk) == [("ended_by_unknown_hand", 0)]


def test_leftovers_whose_cancel_is_under_way_are_left_as_they_are(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=100)
    desk.store.save_order(desk.order().done(Outcome.ENDED_BY_UNKNOWN_HAND, "another hand"))
    turn = begin_turn(RUN_ID, desk.ports)
    first = without_leftovers(turn, desk.order())
    assert without_leftovers(turn, first) is first


def test_a_rejection_of_an_order_that_has_ended_is_not_its_end(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    order = desk.order().once_rejected().once_rejected().done(Outcome.ENDED_BY_UNKNOWN_HAND, "another hand")
    after = after_rejection(order, order.children[0], "rejected")
    assert (after.outcome, after.rejections) == (Outcome.ENDED_BY_UNKNOWN_HAND, 3)


def test_an_order_whose_id_is_taken_ends_once_on_the_tape(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET, prints=("09:36:20 40 @ 189.41 sold",), until="16:00")})
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.wait_until("13:00")
    desk.use_store(MemoryStore())
    desk.begin("buy 100 AAPL")
    desk.place()
    desk.journal.entries.clear()
    desk.turn_at("13:00:30")
    assert len(desk.journalled("AAPL", "finish")) == 1


def test_a_resent_order_rejected_for_the_third_time_ends_once_on_the_tape(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 40 AAPL")
    desk.store.save_order(desk.order().once_rejected().once_rejected())
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="POST", path="/v2/orders", seconds=5))
    desk.place()
    desk.wait_until("09:37:10")
    submit = desk.broker.submit

    def rejected(intent: Intent) -> Any:
        answer: Any = submit(intent)
        report = answer.report.model_copy(update={"state": ChildState.REJECTED, "status": "rejected"})
        return answer.model_copy(update={"report": report})

    desk.broker.submit = rejected  # type: ignore[method-assign]
    desk.repeg()
    assert desk.order().outcome is Outcome.REJECTED
    assert len(desk.journalled("AAPL", "finish")) == 1


def test_an_end_that_the_closing_step_reads_is_announced(open_desk: OpenDesk) -> None:
    """The order is rejected for the third time while the run closes."""
    desk = resting(open_desk)
    desk.store.save_order(desk.order().once_rejected().once_rejected().released())
    read, cancel = desk.broker.order, desk.broker.cancel
    is_asked = []

    def cancelled(broker_id: str) -> Any:
        is_asked.append(broker_id)
        return cancel(broker_id)

    def rejected(client_order_id: str) -> Any:
        report = read(client_order_id)
        if report is None or not is_asked:
            return report
        return report.model_copy(update={"state": ChildState.REJECTED, "status": "rejected"})

    desk.broker.cancel, desk.broker.order = cancelled, rejected  # type: ignore[method-assign]
    desk.close()
    assert desk.order().outcome is Outcome.REJECTED
    assert ends(desk) == [("rejected", 0)]


def test_an_end_is_announced_though_the_second_of_two_cannot_be_read(open_desk: OpenDesk) -> None:
    desk = both_known(open_desk)
    for order in desk.at_broker("AAPL"):
        desk.broker.line.delete(f"/orders/{order.id}")
    desk.wait(1)
    read = desk.broker.order
    seen: list[str] = []

    def once(client_order_id: str) -> Any:
        if "AAPL" in client_order_id and len(seen) == 1:
            seen.append(client_order_id)
            raise BrokerUnavailable("no answer")
        if "AAPL" in client_order_id:
            seen.append(client_order_id)
        return read(client_order_id)

    desk.broker.order = once  # type: ignore[method-assign]
    desk.turn_at("09:37:00")
    desk.broker.order = read  # type: ignore[method-assign]
    desk.turn_at("09:37:30")
    desk.close()
    assert desk.order().outcome is Outcome.ENDED_BY_UNKNOWN_HAND
    assert ends(desk) == [("ended_by_unknown_hand", 0)]


def test_an_end_is_announced_though_the_cancel_of_the_second_fails(open_desk: OpenDesk) -> None:
    """More is open than is left. The first is found cancelled by another hand, the mark of the second stores that, and
    its request fails."""
    desk = both_known(open_desk)
    first, _ = desk.at_broker("AAPL")
    cancel = desk.broker.cancel

    def hand(broker_id: str) -> Any:
        if broker_id == first.id:
            desk.broker.line.delete(f"/orders/{first.id}")
            desk.runtime.pause(0.5)
            return CancelAnswer.NOT_OPEN
        desk.broker.cancel = cancel  # type: ignore[method-assign]
        raise BrokerUnavailable("no answer")

    desk.broker.cancel = hand  # type: ignore[method-assign]
    desk.turn_at("09:37:00")
    desk.turn_at("09:37:30")
    desk.close()
    assert desk.order().outcome is Outcome.ENDED_BY_UNKNOWN_HAND
    assert ends(desk) == [("ended_by_unknown_hand", 0)]


@pytest.mark.parametrize("shares", [15, 40])
def test_an_end_waits_for_the_cancel_of_what_is_left_over(open_desk: OpenDesk, shares: int) -> None:
    """The owner has cancelled the one, and the other fills between the read and its cancel."""
    desk = both_known(open_desk, book(QUIET, prints=(f"09:37:00.2 {shares} @ 189.41 sold",)))
    _, ours = desk.at_broker("AAPL")
    desk.broker.line.delete(f"/orders/{ours.id}")
    desk.wait(1)
    cancel = desk.broker.cancel

    def late(broker_id: str) -> Any:
        desk.runtime.pause(0.5)
        return cancel(broker_id)

    desk.broker.cancel = late  # type: ignore[method-assign]
    desk.turn_at("09:37:00")
    desk.close()
    assert int(desk.bought("AAPL")) == shares
    assert ends(desk) == [(desk.row()["outcome"], shares)]


def test_the_reason_of_an_end_has_the_shares_that_were_filled(open_desk: OpenDesk) -> None:
    filled = book(QUIET, prints=("09:36:55 15 @ 189.41 sold",))
    desk = both_known(open_desk, filled)
    desk.broker.line.delete(f"/orders/{desk.at_broker('AAPL')[0].id}")
    desk.wait(1)
    desk.turn_at("09:37:00")
    desk.close()
    assert desk.row()["filled_qty"] == "15"
    assert desk.row()["reason"].startswith("15 of 40")
