"""Whose cancel it was: the run's own by its stored mark, any other by an unknown hand; and cancels never sent."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from repeg.domain.broker import BrokerClock, CancelAnswer
from repeg.domain.child_order import ChildState, OrderReport
from repeg.domain.errors import StoreUnavailable
from repeg.domain.limits import BudgetEntry
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.domain.run import RunState
from repeg.workflow.cancellation import cancel_children
from repeg.workflow.turn import begin_turn
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.twins.memory_store import MemoryStore
from tests.functions.books import QUIET, UP, book
from tests.functions.desk import EXECUTION, PROMPT, RUN_ID, Desk, OpenDesk
from tests.functions.scenes import resting
from tests.functions.test_pieces import a_resting_piece

WIDE = "09:36:40 300 @ 189.65 × 200 @ 191.69"
NARROW = "09:37:10 300 @ 189.65 × 200 @ 189.69"


class Died(Exception):
    """The step has ended."""


class BrittleStore(MemoryStore):
    """A store whose order rows cannot be written once it is broken."""

    is_broken = False

    def save_order(self, order: ParentOrder, budgets: Sequence[BudgetEntry] = ()) -> ParentOrder:
        """As MemoryStore, until it is broken."""
        if self.is_broken:
            raise StoreUnavailable("the table does not answer")
        return super().save_order(order, budgets)


def resting_on_a_broken_store(open_desk: OpenDesk) -> tuple[Desk, BrittleStore]:
    """40 AAPL to buy, resting, and a store that has broken since."""
    store = BrittleStore()
    desk = open_desk({"AAPL": book(QUIET)}, store=store)
    desk.begin("buy 40 AAPL")
    desk.place()
    store.is_broken = True
    return desk, store


def cancels(desk: Desk) -> int:
    """Cancel requests sent."""
    return sum(method == "DELETE" for method, _ in desk.broker.line.sent)


def die_before_the_cancel(desk: Desk, time: str) -> None:
    """A turn that reserves the successor, and dies before it requests the cancel."""

    def die(broker_id: str) -> CancelAnswer:
        raise Died(broker_id)

    cancel, desk.broker.cancel = desk.broker.cancel, die  # type: ignore[method-assign]
    with pytest.raises(Died):
        desk.turn_at(time)
    desk.broker.cancel = cancel  # type: ignore[method-assign]


def test_an_order_whose_cancel_was_never_sent_rests_on_in_a_wide_book(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, UP, WIDE, NARROW))
    die_before_the_cancel(desk, "09:36:30")
    desk.turn_at("09:37:00")
    desk.place()
    assert (desk.open_at_broker(), cancels(desk)) == (["40 AAPL @ 189.41"], 0)
    desk.turn_at("09:37:30")
    assert (desk.open_at_broker(), desk.posts()) == (["40 AAPL @ 189.66"], 2)
    desk.judge()


def test_an_order_rests_as_before_once_its_cancel_cannot_come_any_more(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, UP, WIDE))
    die_before_the_cancel(desk, "09:36:30")
    desk.turn_at("09:38:00")
    assert desk.order().children[0].state is ChildState.CANCELLING
    desk.turn_at("09:39:00")
    assert (desk.order().children[0].state, desk.open_at_broker()) == (ChildState.LIVE, ["40 AAPL @ 189.41"])
    desk.broker.cancel(desk.at_broker()[0].id)
    desk.turn_at("09:39:30")
    assert desk.order().outcome is Outcome.ENDED_BY_UNKNOWN_HAND


def test_a_cancel_that_lands_after_its_reason_has_gone_is_our_own(open_desk: OpenDesk) -> None:
    """The cancel is pending for 45 seconds, and the market comes back meanwhile: it is not sent again."""
    desk = resting(open_desk, book(QUIET, UP, QUIET.replace("09:20", "09:36:40")))
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=45)
    for time in ("09:36:30", "09:37:00", "09:37:30"):
        desk.turn_at(time)
    desk.place()
    assert (cancels(desk), desk.open_at_broker()) == (1, ["40 AAPL @ 189.41"])
    desk.judge()


@pytest.mark.parametrize(("status", "is_there"), [(None, True), (504, False)])
def test_an_order_keeps_whether_the_broker_has_taken_its_cancel(
    open_desk: OpenDesk, status: int | None, is_there: bool
) -> None:
    desk = resting(open_desk, book(QUIET, UP))
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=45)
    if status is not None:
        lost = Fault(kind=Kind.ANSWER_BEFORE, method="DELETE", path="/v2/orders/.+", status=status, body={})
        desk.exchange.faults.arm(lost)
    desk.turn_at("09:36:30")
    (child,) = desk.order().children
    assert (child.state, child.is_cancel_at_broker) == (ChildState.CANCELLING, is_there)


def test_a_cancel_by_another_hand_is_not_taken_for_ours_while_it_is_pending(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, UP))
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=45)
    desk.wait_until("09:36:20")
    desk.broker.line.delete(f"/orders/{desk.at_broker()[0].id}")
    desk.turn_at("09:36:30")
    assert desk.order().children[0].state is ChildState.CANCELLING
    desk.turn_at("09:37:30")
    desk.place()
    assert (desk.order().outcome, desk.posts()) == (Outcome.ENDED_BY_UNKNOWN_HAND, 1)


def test_a_cancel_that_came_before_our_request_ends_the_order(open_desk: OpenDesk) -> None:
    """The owner cancels between our read of the order and our own cancel, five seconds before that."""
    desk = resting(open_desk, book(QUIET, UP))
    listed = desk.broker.open_orders

    def cancelled_after_the_read() -> list[OrderReport]:
        found = listed()
        desk.broker.line.delete(f"/orders/{desk.at_broker()[0].id}")
        desk.wait(5)
        return found

    desk.broker.open_orders = cancelled_after_the_read  # type: ignore[method-assign]
    desk.turn_at("09:36:30")
    desk.broker.open_orders = listed  # type: ignore[method-assign]
    desk.place()
    assert (desk.order().outcome, desk.posts()) == (Outcome.ENDED_BY_UNKNOWN_HAND, 1)
    desk.judge()


def test_a_cancel_by_hand_after_ours_was_never_sent_ends_the_order(open_desk: OpenDesk) -> None:
    """The step that marked the order died before its request, and the next turn comes five minutes later."""
    desk = resting(open_desk, book(QUIET, UP), order_monitoring_seconds=300)
    die_before_the_cancel(desk, "09:36:30")
    desk.wait_until("09:40:00")
    desk.broker.line.delete(f"/orders/{desk.at_broker()[0].id}")
    desk.turn_at("09:41:30")
    desk.place()
    assert (desk.order().outcome, desk.posts()) == (Outcome.ENDED_BY_UNKNOWN_HAND, 1)


def test_a_cancel_of_ours_that_the_broker_delays_for_minutes_is_ours(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, UP), order_monitoring_seconds=300)
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=200)
    desk.turn_at("09:36:30")
    desk.turn_at("09:41:30")
    desk.place()
    assert (desk.order().outcome, desk.open_at_broker()) == (None, ["40 AAPL @ 189.67"])
    desk.judge()


def test_a_slow_answer_of_the_brokers_clock_does_not_disown_our_cancel(open_desk: OpenDesk) -> None:
    """The broker reads it at the end of a request of six seconds: the turn's time is six seconds ahead."""
    desk = resting(open_desk, book(QUIET, UP))
    clock = desk.broker.clock

    def slowly() -> BrokerClock:
        desk.wait(6)
        return clock()

    desk.broker.clock = slowly  # type: ignore[method-assign]
    desk.turn_at("09:36:30")
    desk.place()
    assert (desk.order().outcome, desk.open_at_broker()) == (None, ["40 AAPL @ 189.66"])


def test_a_cancel_without_our_mark_is_reported_as_of_an_unknown_hand(open_desk: OpenDesk) -> None:
    """The broker's record does not say whether it was the owner, another program, or the broker itself."""
    desk = resting(open_desk)
    desk.broker.line.delete(f"/orders/{desk.at_broker()[0].id}")
    desk.turn_at("09:36:30")
    desk.close()
    assert desk.row()["outcome"] == "ended_by_unknown_hand"
    assert desk.row()["reason"] == (
        "0 of 40: cancelled at the broker by an unknown hand (its owner, another program, or the broker)"
    )


def test_a_running_step_does_not_blame_another_hand_for_a_sweeps_cancel(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    listed = desk.broker.open_orders

    def swept_meanwhile() -> list[OrderReport]:
        desk.store.take_over(RUN_ID, 1, f"{EXECUTION}#sweep")
        desk.store.set_run_state(RUN_ID, 2, RunState.CLOSING)
        desk.broker.cancel(desk.at_broker()[0].id)
        desk.runtime.pause(1)
        return listed()

    desk.broker.open_orders = swept_meanwhile  # type: ignore[method-assign]
    desk.turn_at("09:36:30")
    assert (desk.order().outcome, desk.open_at_broker()) == (None, [])


def test_a_working_order_is_not_cancelled_without_a_stored_mark(open_desk: OpenDesk) -> None:
    """Its row would go on counting as open, and the cash it no longer reserves would be spent twice."""
    desk, _ = resting_on_a_broken_store(open_desk)
    with pytest.raises(StoreUnavailable):
        cancel_children(begin_turn(RUN_ID, desk.ports), desk.order())
    assert (cancels(desk), desk.open_at_broker()) == (0, ["40 AAPL @ 189.41"])


@pytest.mark.parametrize(("target", "is_cancelled"), [("0", True), ("1", False)])
def test_an_order_with_nothing_left_is_cancelled_without_a_stored_mark(
    open_desk: OpenDesk, target: str, is_cancelled: bool
) -> None:
    """It would trade past its target; an order that has a share left goes on working."""
    desk, _ = resting_on_a_broken_store(open_desk)
    order = desk.order().model_copy(update={"target": Decimal(target)})
    if is_cancelled:
        cancel_children(begin_turn(RUN_ID, desk.ports), order)
    else:
        with pytest.raises(StoreUnavailable):
            cancel_children(begin_turn(RUN_ID, desk.ports), order)
    assert cancels(desk) == is_cancelled


@pytest.mark.parametrize(("seconds", "is_marked_again"), [(9, False), (10, True)])
def test_a_cancel_requested_again_soon_is_not_marked_again(
    open_desk: OpenDesk, seconds: int, is_marked_again: bool
) -> None:
    desk = resting(open_desk)
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=300)
    first = cancel_children(begin_turn(RUN_ID, desk.ports), desk.order())
    desk.wait_until(f"09:36:{seconds:02}")
    again = cancel_children(begin_turn(RUN_ID, desk.ports), first)
    assert (again.children[0].last_marked_at != first.children[0].last_marked_at) is is_marked_again
    assert again.children[0].cancelling_since == first.children[0].cancelling_since


def test_a_closing_run_cancels_without_a_stored_mark(open_desk: OpenDesk) -> None:
    desk, store = resting_on_a_broken_store(open_desk)
    store.set_run_state(RUN_ID, 1, RunState.CLOSING)
    assert cancel_children(begin_turn(RUN_ID, desk.ports), desk.order()).filled == Decimal(0)
    assert (cancels(desk), desk.open_at_broker()) == (1, [])


# The answer "not open" to the run's own request

REFUSES = replace(PROMPT, cancel_of_canceled="422")
"""The cancel of an order that is cancelled already is answered with: not open."""


def cancel_during_the_turn(desk: Desk, before: float) -> None:
    """Let the owner cancel our first order once the next turn has read it, that many seconds before it goes on."""
    read = desk.broker.quotes

    def meanwhile_cancelled(symbols: Iterable[str]) -> dict[str, Quote]:
        desk.broker.line.delete(f"/orders/{desk.at_broker()[0].id}")
        desk.runtime.pause(before)
        desk.broker.quotes = read  # type: ignore[method-assign]
        return read(symbols)

    desk.broker.quotes = meanwhile_cancelled  # type: ignore[method-assign]


@pytest.mark.parametrize("before", [0.2, 1.9])
def test_an_order_that_our_first_cancel_finds_cancelled_ends(open_desk: OpenDesk, before: float) -> None:
    """Its owner was faster by less than the clocks' error, after the turn had read it as open."""
    desk = open_desk({"AAPL": book(QUIET, UP)}, quirks=REFUSES)
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.wait_until("09:36:30")
    cancel_during_the_turn(desk, before)
    desk.repeg()
    assert (desk.order().outcome, desk.open_at_broker(), desk.posts()) == (Outcome.ENDED_BY_UNKNOWN_HAND, [], 1)
    desk.judge()


def test_a_piece_that_makes_way_and_is_found_cancelled_ends_its_order(open_desk: OpenDesk) -> None:
    """Its owner was faster, and the whole rest is not sent."""
    desk = a_resting_piece(open_desk, quirks=REFUSES)
    desk.wait_until("15:44")
    cancel_during_the_turn(desk, 0.2)
    desk.repeg()
    desk.place()
    assert (desk.order().outcome, desk.open_at_broker(), desk.posts()) == (Outcome.ENDED_BY_UNKNOWN_HAND, [], 1)
    desk.judge()


def test_an_order_without_a_successor_that_is_found_cancelled_ends(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)}, quirks=REFUSES)
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.broker.line.delete(f"/orders/{desk.at_broker()[0].id}")
    desk.wait(1)
    after = cancel_children(begin_turn(RUN_ID, desk.ports), desk.order())
    assert after.outcome is Outcome.ENDED_BY_UNKNOWN_HAND


def test_an_order_that_our_second_cancel_finds_cancelled_was_cancelled_by_us(open_desk: OpenDesk) -> None:
    """The first request had no answer, and lands between the read of the order and the second request."""
    desk = open_desk({"AAPL": book(QUIET, UP)}, quirks=REFUSES)
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=33.5)
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_AFTER, method="DELETE", path="/v2/orders/.+"))
    desk.turn_at("09:36:30")
    assert desk.order().children[0].state is ChildState.CANCELLING
    desk.wait_until("09:37:00")
    desk.broker.line.seconds = 1
    desk.repeg()
    desk.broker.line.seconds = 0
    desk.wait(1)
    assert (cancels(desk), desk.order().outcome, desk.open_at_broker()) == (2, None, ["40 AAPL @ 189.66"])
    desk.judge()


@pytest.mark.parametrize("answer", [CancelAnswer.UNSENT, CancelAnswer.NOT_FOUND])
def test_a_cancel_that_did_nothing_leaves_no_mark(open_desk: OpenDesk, answer: CancelAnswer) -> None:
    """The quota had no request for it, or the broker did not find the order; then its owner cancels it."""
    desk = resting(open_desk, book(QUIET, UP))
    cancel = desk.broker.cancel
    desk.broker.cancel = lambda broker_id: answer  # type: ignore[method-assign]
    desk.turn_at("09:36:30")
    desk.broker.cancel = cancel  # type: ignore[method-assign]
    assert desk.order().children[0].last_marked_at is None
    desk.wait_until("09:36:45")
    desk.broker.line.delete(f"/orders/{desk.at_broker()[0].id}")
    desk.turn_at("09:37:00")
    desk.place()
    assert (desk.order().outcome, desk.posts()) == (Outcome.ENDED_BY_UNKNOWN_HAND, 1)


def test_a_cancel_that_was_not_sent_is_not_waited_for(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    desk.broker.cancel = lambda broker_id: CancelAnswer.UNSENT  # type: ignore[method-assign]
    turn, began = begin_turn(RUN_ID, desk.ports), desk.runtime.now()
    cancel_children(turn, desk.order())
    assert (desk.runtime.now(), desk.journalled("AAPL", "hold")) == (began, [("189.41", "no request for its cancel")])
