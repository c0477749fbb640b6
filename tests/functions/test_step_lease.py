"""The step lease: of two invocations of one step, only the later one can send orders."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from repeg.domain.child_order import ChildState
from repeg.domain.errors import Conflict
from repeg.domain.outcome import Outcome
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from tests.functions.books import AAPL, QUIET, UP, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, holding
from tests.functions.scenes import resting


def overtaken(desk: Desk, step: Callable[[], object], *, when: Callable[[Desk], bool]) -> None:
    """Run a step whose requests take a second each, and let a twin of it begin once `when` holds."""
    desk.broker.line.seconds = 1
    desk.broker.line.sent.clear()
    running = desk.scheduler.spawn(step)
    while not when(desk):
        desk.wait(0.1)
    desk.store.take_step(RUN_ID, 1, desk.runtime.now())
    running.result()


def has_sent(method: str, path: str) -> Callable[[Desk], bool]:
    """Whether a desk has sent such a request."""
    return lambda desk: (method, path) in desk.broker.line.sent


def is_refused(desk: Desk) -> bool:
    """Whether the order's write was refused because the run has gone on with another step."""
    return any("has gone on with step" in reason for _, reason in desk.journalled("AAPL", "error"))


def test_a_placing_step_that_was_overtaken_sends_nothing(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.validate()
    overtaken(desk, desk.place, when=has_sent("GET", "/account"))
    assert (desk.posts(), desk.store.intents(RUN_ID)) == (0, [])
    assert is_refused(desk)


def test_a_placing_step_that_was_overtaken_gives_no_buy_up(open_desk: OpenDesk) -> None:
    """It has read no cash for a share; the step that follows may read some."""
    desk = open_desk({"AAPL": AAPL}, opening=holding("100"))
    desk.begin("buy 40 AAPL")
    desk.validate()
    with pytest.raises(Conflict, match="has gone on with step"):
        overtaken(desk, desk.place, when=has_sent("GET", "/account"))
    assert desk.order("AAPL").outcome is None
    desk.place()
    assert desk.order("AAPL").outcome is Outcome.UNFUNDED


def test_a_turn_that_was_overtaken_neither_cancels_nor_sends(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, UP))
    desk.wait_until("09:36:30")
    overtaken(desk, desk.repeg, when=has_sent("GET", "/stocks/quotes/latest"))
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    assert {method for method, _ in desk.broker.line.sent} == {"GET"}
    assert is_refused(desk)


def test_a_turn_that_is_overtaken_after_its_cancel_sends_no_successor(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, UP))
    desk.wait_until("09:36:30")
    overtaken(desk, desk.repeg, when=lambda desk: any(method == "DELETE" for method, _ in desk.broker.line.sent))
    assert (desk.open_at_broker(), desk.posts()) == ([], 0)
    assert is_refused(desk)


def test_a_turn_that_was_overtaken_resends_nothing(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="POST", path="/v2/orders"))
    desk.place()
    desk.wait_until("09:37:05")
    overtaken(desk, desk.repeg, when=has_sent("GET", "/orders:by_client_order_id"))
    assert (desk.at_broker(), desk.posts()) == ([], 0)
    assert desk.order().children[-1].state is ChildState.UNKNOWN
    assert is_refused(desk)


@pytest.mark.parametrize("is_placing", [True, False])
def test_each_step_that_may_send_is_the_runs_latest(open_desk: OpenDesk, *, is_placing: bool) -> None:
    desk = resting(open_desk)
    before = desk.store.guard(RUN_ID)
    desk.place() if is_placing else desk.repeg()
    after = desk.store.guard(RUN_ID)
    assert before is not None
    assert after is not None
    assert (before.step, after.step) == (1, 2)
    assert desk.store.last_turn(RUN_ID) == desk.runtime.now()
