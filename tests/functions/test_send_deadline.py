"""The deadline of an order's request: ten seconds after its decision; an order that misses it is decided anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from repeg.domain.broker import Submission, Unknown
from repeg.domain.child_order import ChildState
from repeg.domain.intent import Intent
from repeg.domain.parent_order import ParentState
from repeg.domain.time_limits import ANSWER, SENDS_FOR
from repeg.workflow.turn import begin_turn
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from tests.functions.books import QUIET, UP, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk
from tests.functions.scenes import resting

FAR_UP = book(QUIET, "09:36:02 300 @ 189.80 × 300 @ 189.84")


def without_requests(desk: Desk, *, times: int = 1) -> list[Intent]:
    """Let the next submissions or replacements not leave the program; returns those that were meant, as they come."""
    submit, replace_order = desk.broker.submit, desk.broker.replace
    meant: list[Intent] = []

    def unless_unsent(intent: Intent, send: Callable[[], Submission]) -> Submission:
        meant.append(intent)
        return Unknown(reason="not sent: no requests are left", was_sent=False) if len(meant) <= times else send()

    desk.broker.submit = lambda intent: unless_unsent(intent, lambda: submit(intent))  # type: ignore[method-assign]
    desk.broker.replace = lambda broker_id, intent: unless_unsent(  # type: ignore[method-assign]
        intent, lambda: replace_order(broker_id, intent)
    )
    return meant


def test_an_order_may_be_sent_for_ten_seconds_after_its_decision(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    (intent,) = desk.store.intents(desk.run_id)
    assert intent.not_after == intent.decided_at + SENDS_FOR
    assert timedelta(seconds=10) == SENDS_FOR


@pytest.mark.parametrize("ahead", [0, 3])
def test_no_order_may_be_sent_too_late_for_an_answer_inside_the_window(open_desk: OpenDesk, ahead: int) -> None:
    """The deadline is a time of our own clock, which the sender reads, whatever the broker's shows."""
    desk = resting(open_desk)
    desk.wait_until("15:54:48")
    turn = begin_turn(RUN_ID, desk.ports)
    moment = turn.moment.at(turn.moment.now - timedelta(seconds=ahead))
    last = desk.run.window.closes - ANSWER + timedelta(seconds=ahead)
    assert replace(turn, moment=moment).sends_until == min(last, desk.runtime.now() + SENDS_FOR)
    assert timedelta(seconds=5) == ANSWER


def test_an_order_that_never_left_is_decided_anew_on_the_next_book(open_desk: OpenDesk) -> None:
    """It is due at once, not at the next place of the grid, and takes no second order from the run's budget."""
    desk = open_desk({"AAPL": FAR_UP})
    desk.begin("buy 40 AAPL", max_run_orders=1)
    without_requests(desk)
    answer = desk.place()
    assert (desk.order().state, desk.posts()) == (ParentState.WAITING, 0)
    assert answer.turn_at == "2026-11-23T14:36:02Z"
    assert desk.turn_at("09:36:04").decision == "validate"
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.81"]
    assert [child.state for child in desk.order().children] == [ChildState.REFUSED, ChildState.LIVE]
    assert (desk.order().reserved_orders, desk.order().attempts) == (0, 1)
    desk.judge()


def test_a_move_that_never_left_is_decided_anew_after_its_cancel(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, UP))
    without_requests(desk)
    assert desk.turn_at("09:36:30").decision == "validate"
    assert desk.open_at_broker() == []
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    desk.judge()


def test_a_replacement_that_never_left_leaves_its_order_where_it_is(open_desk: OpenDesk) -> None:
    """It does not wait for two minutes to be given up: the next turn moves the order by cancel and new."""
    desk = resting(open_desk, book(QUIET, UP), use_replace=True)
    without_requests(desk)
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    assert (desk.order().moves, [c.state for c in desk.order().open_children]) == (0, [ChildState.LIVE])
    desk.turn_at("09:37:00")
    assert (desk.open_at_broker(), desk.order().moves) == (["40 AAPL @ 189.66"], 1)
    desk.judge()


def lost(open_desk: OpenDesk) -> Desk:
    """A buy of 40 AAPL whose request was lost at 09:36."""
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="POST", path="/v2/orders"))
    desk.place()
    assert desk.order().children[-1].state is ChildState.UNKNOWN
    return desk


def test_a_resend_has_a_deadline_of_its_own(open_desk: OpenDesk) -> None:
    desk = lost(open_desk)
    meant = without_requests(desk, times=0)
    desk.turn_at("09:37:05")
    assert [intent.not_after for intent in meant] == [desk.order().children[-1].sent_at + SENDS_FOR]
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]


def test_a_resend_that_never_left_is_tried_again_in_the_next_turn(open_desk: OpenDesk) -> None:
    """The first request may still be on its way, so the order stays unknown under its id."""
    desk = lost(open_desk)
    without_requests(desk)
    desk.turn_at("09:37:05")
    (child,) = desk.order().children
    assert (child.state, child.resent_at, desk.at_broker()) == (ChildState.UNKNOWN, None, [])
    desk.turn_at("09:37:10")
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    assert desk.order().children[-1].n == 1
    desk.judge()


def test_an_order_that_never_left_gives_its_budget_back_when_the_run_ends(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 40 AAPL", max_run_orders=1, max_run_notional="10000")
    without_requests(desk, times=9)
    desk.place()
    desk.close()
    assert (desk.order().committed, desk.order().reserved_orders) == (Decimal(0), 0)
    desk.judge()
