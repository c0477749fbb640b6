"""A step of closing asks about orders for a while; what it has left decides whether another step follows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from repeg.domain.broker import CancelAnswer
from repeg.domain.child_order import ChildState
from repeg.domain.run import RunState
from repeg.workflow import closing
from repeg.workflow.closing import Closed, cancel_strays, close_orders
from repeg.workflow.turn import begin_turn
from repeg_workbench.exchange.broker.races import Race
from tests.builders import a_report
from tests.functions.books import AAPL, KO
from tests.functions.desk import PREFIX, RUN_ID, Desk, OpenDesk, holding
from tests.functions.scenes import resting

BUY, SELL = f"{PREFIX}AAPL.b.1", f"{PREFIX}KO.s.1"


@pytest.fixture
def closes_for(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets for how many seconds a step of closing asks about open orders."""
    return lambda seconds: monkeypatch.setattr(closing, "CLOSES_FOR", timedelta(seconds=seconds))


def two_resting(open_desk: OpenDesk) -> Desk:
    """40 AAPL to buy and 100 KO to sell, both resting, in a run that is closing and asks one after the other."""
    desk = open_desk({"AAPL": AAPL, "KO": KO}, opening=holding(KO="100"))
    desk.begin("buy 40 AAPL", "sell all KO", use_async_execution=False)
    desk.place()
    desk.store.set_run_state(RUN_ID, 1, RunState.CLOSING)
    return desk


def test_the_run_is_marked_as_closing_before_its_first_cancel(open_desk: OpenDesk) -> None:
    """A step that is still under way can then send nothing behind the cancels."""
    desk, states = resting(open_desk), []
    cancel = desk.broker.cancel

    def at_state(broker_id: str) -> CancelAnswer:
        states.append(desk.run.state)
        return cancel(broker_id)

    desk.broker.cancel = at_state  # type: ignore[method-assign]
    desk.close()
    assert states == [RunState.CLOSING]


def test_an_order_taken_for_closed_is_read_however_late_the_step(
    open_desk: OpenDesk, closes_for: Callable[[float], None]
) -> None:
    """Our books say that it was refused, and the broker has it open. Without that read the run would end beside it."""
    closes_for(-1)
    desk = resting(open_desk)
    refused = desk.order().children[0].model_copy(update={"state": ChildState.REFUSED})
    desk.store.save_order(desk.order().with_child(refused))
    assert close_orders(begin_turn(RUN_ID, desk.ports)).left == []
    assert (desk.open_at_broker(), desk.order().children[0].state) == ([], ChildState.CANCELED)


def test_a_step_without_time_waits_for_no_cancel_and_asks_for_no_other_step(
    open_desk: OpenDesk, closes_for: Callable[[float], None]
) -> None:
    """One order had closed before. Another step would have no more time for the open one."""
    closes_for(-1)
    desk = two_resting(open_desk)
    desk.broker.cancel(desk.at_broker("KO")[0].id)
    desk.store.save_order(desk.order("KO").with_child(desk.order("KO").children[0].becomes(ChildState.CANCELED)))
    desk.wait(1)
    began = desk.runtime.now()
    assert close_orders(begin_turn(RUN_ID, desk.ports)) == Closed([BUY], 0)
    assert desk.runtime.now() == began


@pytest.mark.parametrize(("is_stuck", "closed"), [(False, Closed([SELL], 1)), (True, Closed([BUY, SELL], 0))])
def test_another_step_follows_only_one_that_has_closed_an_order(
    open_desk: OpenDesk, closes_for: Callable[[float], None], *, is_stuck: bool, closed: Closed
) -> None:
    """There is time for one of two."""
    closes_for(2.5)
    desk = two_resting(open_desk)
    if is_stuck:
        desk.exchange.races.arm(Race.CANCEL_STUCK, symbol="AAPL", seconds=1_000)
    desk.broker.line.seconds = 1
    assert close_orders(begin_turn(RUN_ID, desk.ports)) == closed


def test_a_stray_order_that_is_closed_is_left_alone(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    stray = a_report("canceled", client_order_id=f"{PREFIX}AAPL.b.7")
    desk.broker.line.sent.clear()
    assert cancel_strays(begin_turn(RUN_ID, desk.ports), {stray.client_order_id: stray}, [desk.order()]) == []
    assert not [method for method, _ in desk.broker.line.sent if method == "DELETE"]
    assert desk.journalled("AAPL", "stray") == []
