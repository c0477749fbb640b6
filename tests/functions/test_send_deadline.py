"""The deadline of an order's request: ten seconds after its decision; an order that misses it is decided anew, and so
is one whose quote has become too old."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.broker import Submission, Unknown
from repeg.domain.child_order import ChildState
from repeg.domain.intent import Intent
from repeg.domain.moment import Moment
from repeg.domain.parent_order import ParentState
from repeg.domain.request_quota import Quota, bucket_limit, bucket_of
from repeg.domain.time_limits import ANSWER, SENDS_FOR
from repeg.workflow.turn import begin_turn
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from tests.functions.books import QUIET, UP, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, holding
from tests.functions.scenes import resting
from tests.guards.test_request_budget import rate_limited

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


# The collar is 190.36. The book passes it before patience is spent, and jumps while the cancel waits for the quota.
PAST_COLLAR = "09:36:20 300 @ 190.96 × 200 @ 191.00"
JUMPS = book("09:20 300 @ 189.40 × 200 @ 189.44", PAST_COLLAR, "09:37:04 300 @ 214.96 × 200 @ 215.00")


def moved_to_market(open_desk: OpenDesk, fault: Fault, **settings: Any) -> Desk:
    """40 AAPL rest at the collar; at 09:37 their patience is spent, and they are moved to the market."""
    desk = open_desk({"AAPL": JUMPS}, opening=holding("20000"))
    rate_limited(desk)
    desk.begin("buy 40 AAPL", escalation="market", patience_seconds=60, **settings)
    desk.place()
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 190.36"]
    desk.wait_until("09:37:00")
    desk.exchange.faults.arm(fault)
    desk.repeg()
    return desk


def busy_account(open_desk: OpenDesk, **settings: Any) -> Desk:
    """Other runs use up the quota of this bucket and the next, after the account has been read for the move."""
    made: list[Desk] = []

    def drain(body: Any) -> Any:
        desk = made[0]
        for seconds in (0, 10):
            bucket = bucket_of(desk.runtime.now() + timedelta(seconds=seconds))
            while desk.store.lease_requests(bucket, 1, bucket_limit(200, Quota.RESERVED)):
                pass
        return body

    def opened(*args: Any, **options: Any) -> Desk:
        made.append(open_desk(*args, **options))
        return made[0]

    fault = Fault(kind=Kind.REWRITE, method="GET", path="/v2/account", rewrite=drain)
    return moved_to_market(opened, fault, **settings)


def test_an_order_is_not_sent_on_the_quote_of_before_a_slow_cancel(open_desk: OpenDesk) -> None:
    """It is decided anew on the book of that time, in its old place in the budgets, and no decision is older than its
    deadline when it is sent."""
    desk = busy_account(open_desk, max_run_orders=3)
    assert (desk.open_at_broker(), desk.order().state) == ([], ParentState.WAITING)
    assert desk.order().reserved_orders == 1
    desk.place()
    last = desk.store.intents(desk.run_id)[-1]
    assert (last.limit, last.quote.bid) == (None, Decimal("214.96"))
    desk.wait(1)
    assert (desk.order().reserved_orders, desk.bought()) == (0, Decimal(40))
    for entry in desk.journal.entries:
        if entry.verb == "cross":
            moment = entry.inputs["moment"]
            assert isinstance(moment, Moment)
            assert entry.at - moment.now <= SENDS_FOR
    desk.repeg()
    desk.judge()


def test_a_market_order_costs_no_more_than_max_order_notional(open_desk: OpenDesk) -> None:
    """On the quote of before the cancel it would have cost 7,831 dollars, and 8,600 when it was sent."""
    desk = busy_account(open_desk, max_order_notional="8000")
    desk.place()
    desk.wait(1)
    assert (desk.bought(), desk.open_at_broker()) == (Decimal(0), ["40 AAPL @ 190.36"])
    desk.judge()


def test_a_slow_broker_does_not_have_an_order_sent_on_an_old_quote(open_desk: OpenDesk) -> None:
    """No quota is short: each request takes four seconds. The order goes on once it is decided anew."""
    desk = open_desk({"AAPL": JUMPS}, opening=holding("20000"))
    desk.begin("buy 40 AAPL", escalation="market", patience_seconds=60)
    desk.place()
    desk.turn_at("09:36:30")
    desk.wait_until("09:37:00")
    desk.broker.line.seconds = 4
    desk.repeg()
    desk.place()
    last = desk.store.intents(desk.run_id)[-1]
    assert last.limit is None
    assert last.quote.at is not None
    assert last.decided_at - last.quote.at <= timedelta(seconds=10)
    desk.wait(1)
    assert desk.bought() == Decimal(40)
