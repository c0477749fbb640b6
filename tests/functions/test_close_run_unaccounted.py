"""CloseRun with discrepancies: stray orders, unknown submissions, and fenced executions."""

from __future__ import annotations

from typing import Any

import pytest

from functions.close_run.app import close_run
from repeg.domain.broker import Submission
from repeg.domain.child_order import ChildState
from repeg.domain.errors import BrokerUnavailable, StillOpen, StoreUnavailable
from repeg.domain.intent import Intent
from repeg.domain.outcome import Outcome
from repeg.domain.run import Run
from repeg.domain.steps import RunClosed, StepFailure
from repeg.workflow import closing
from repeg.workflow.closing import close_orders
from repeg.workflow.turn import begin_turn
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from repeg_workbench.twins.memory_store import MemoryStore
from tests.builders import a_child
from tests.functions.books import AAPL, KO, QUIET, book
from tests.functions.desk import PREFIX, RUN_ID, SECOND_PREFIX, OpenDesk, holding
from tests.functions.scenes import NOT_FOUND, half_filled, resting, vanish
from tests.simulation import judge

ID_IS_USED = {"code": 40010001, "message": "client_order_id must be unique"}

# Discrepancies


def test_a_stray_order_of_the_run_is_cancelled_and_journalled(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.submit(f"{PREFIX}AAPL.b.7")
    assert desk.close().outcome == "settled"
    judge.nothing_of_ours_is_open(desk.exchange)
    assert desk.journalled("AAPL", "stray") == [(f"{PREFIX}AAPL.b.7", "at the broker, not in our books")]


@pytest.mark.parametrize("theirs", ["my-own-order", f"{SECOND_PREFIX}AAPL.b.1", "rp-core-2026-11-2.AAPL.b.1"])
def test_orders_of_other_runs_and_clients_are_not_touched(open_desk: OpenDesk, theirs: str) -> None:
    desk = half_filled(open_desk)
    desk.submit(theirs)
    desk.close()
    order = desk.exchange.account.orders.by_client_id[theirs]
    assert order.is_open


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders:by_client_order_id", status=404, body=NOT_FOUND),
        None,
    ],
    ids=["not found", "cancel pending"],
)
def test_a_stray_order_is_open_until_it_is_seen_closed(open_desk: OpenDesk, fault: Fault | None) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    stray = f"{PREFIX}AAPL.b.7"
    desk.submit(stray)
    if fault is not None:
        desk.exchange.faults.arm(fault, When(times=None))
    else:
        desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=1_000)
    with pytest.raises(StillOpen, match=stray):
        desk.close()
    desk.exchange.faults.disarm()
    desk.wait(1_000)
    assert desk.close().outcome == "settled"


def test_a_stray_order_that_is_seen_closed_needs_no_answer_to_its_cancel(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.submit(f"{PREFIX}AAPL.b.7")
    unanswered = Fault(kind=Kind.ANSWER_AFTER, method="DELETE", path="/v2/orders/.+", status=504, body={})
    desk.exchange.faults.arm(unanswered, When(times=None))
    assert desk.close().outcome == "settled"
    judge.nothing_of_ours_is_open(desk.exchange)


def test_a_stray_order_does_not_keep_a_run_open_once_the_books_are_final(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.submit(f"{PREFIX}AAPL.b.7")
    listed = desk.broker.open_orders()
    desk.broker.open_orders = lambda: listed  # type: ignore[method-assign]
    shown = Fault(kind=Kind.REWRITE, method="GET", path="/v2/orders:.+", rewrite=as_pending_cancel)
    desk.exchange.faults.arm(shown, When(times=None))
    for time, is_final in (("16:10", False), ("16:21", True)):
        desk.wait_until(time)
        assert close_orders(begin_turn(RUN_ID, desk.ports)).left == ([] if is_final else [f"{PREFIX}AAPL.b.7"])


def as_pending_cancel(body: Any) -> Any:
    """The order of a lookup as if its cancel never came to its end."""
    return {**body, "status": "pending_cancel"}


def test_an_order_whose_id_is_used_is_not_given_up_while_the_session_lasts(open_desk: OpenDesk) -> None:
    """The broker never finds the order, but refuses its id as used: it may have been filled."""
    desk = open_desk({"AAPL": book(QUIET, until="10:30")})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_AFTER, method="POST", path="/v2/orders"))
    desk.place()
    desk.exchange.account.orders.by_client_id[f"{PREFIX}AAPL.b.1"].is_forgotten = True
    for time in ("09:36:30", "09:37:05", "09:38:30"):
        desk.turn_at(time)
    assert desk.posts() == 2
    assert desk.journalled("AAPL", "hold")[-1] == ("", f"the broker has {PREFIX}AAPL.b.1, and does not find it")
    desk.wait_until("09:42")
    with pytest.raises(StillOpen, match=r"AAPL\.b\.1"):
        desk.close()
    assert desk.order().children[0].state is ChildState.UNKNOWN
    desk.wait_until("16:00:01")
    assert desk.close().outcome == "failed"
    assert (desk.order().outcome, desk.order().children[0].state) == (Outcome.UNKNOWN, ChildState.LOST)


def test_a_market_order_whose_id_is_used_has_no_second_one_sent(open_desk: OpenDesk) -> None:
    """Without a limit an order is not resent; here a second delivery of its step has sent it again."""
    desk = open_desk({"AAPL": book(QUIET, until="10:30")})
    desk.begin("buy 40 AAPL", policy="market")
    used = Fault(kind=Kind.ANSWER_AFTER, method="POST", path="/v2/orders", status=422, body=ID_IS_USED)
    desk.exchange.faults.arm(used)
    desk.place()
    desk.exchange.account.orders.by_client_id[f"{PREFIX}AAPL.b.1"].is_forgotten = True
    for time in ("09:40", "09:52", "09:53"):
        desk.turn_at(time)
        desk.place()
    assert desk.posts() == 1
    assert [child.state for child in desk.order().children] == [ChildState.UNKNOWN]


def test_the_books_are_final_twenty_minutes_after_the_close(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    for time, is_final in (("16:19:59", False), ("16:20:00", True)):
        desk.wait_until(time)
        assert closing._is_final(begin_turn(RUN_ID, desk.ports)) is is_final


def test_an_unbooked_fill_fails_the_run(open_desk: OpenDesk) -> None:
    """The broker's list of fills permanently lacks one, so the run must not be reported as settled."""

    def without_any(rows: list[object]) -> list[object]:
        return []

    desk = half_filled(open_desk)
    fault = Fault(kind=Kind.REWRITE, method="GET", path="/v2/account/activities/FILL", rewrite=without_any)
    desk.exchange.faults.arm(fault, When(times=None))
    answer = desk.close()
    assert (answer.outcome, answer.error) == ("failed", "Unexplained")
    assert answer.reason == "AAPL filled 15 but booked 0"
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.run.failed"]


def test_a_steps_failure_becomes_the_reports_error(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    cause = '{"errorMessage": "run core is at epoch 2", "errorType": "RefusedRun", "stackTrace": ["x"]}'
    answer = desk.close(StepFailure(Error="RefusedRun", Cause=cause))
    assert answer == RunClosed(outcome="failed", error="RefusedRun", reason="run core is at epoch 2")
    judge.nothing_of_ours_is_open(desk.exchange)


# Unknown submissions


def test_a_lost_order_is_abandoned_only_after_its_timeout(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="POST"))
    desk.place()
    desk.wait_until("09:37:59")
    with pytest.raises(StillOpen):
        desk.close()
    desk.wait_until("09:38:00")
    assert desk.close().outcome == "settled"
    assert desk.order().children[0].state is ChildState.NEVER_ARRIVED
    assert desk.posts() == 1


def test_an_order_that_arrives_between_the_last_two_lookups_is_not_given_up(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="POST", delay=120.5))
    desk.place()
    desk.wait_until("09:38:00")
    with pytest.raises(StillOpen):
        desk.close()
    assert desk.order().children[0].state is ChildState.UNKNOWN
    assert desk.close().outcome == "settled"
    assert desk.order().children[0].state is ChildState.CANCELED


def test_the_latest_of_two_children_is_the_one_given_up(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    for n, state in enumerate((ChildState.EXPIRED, ChildState.UNKNOWN), start=1):
        child = a_child("189.41", qty="40", n=n, state=state)
        sent = child.model_copy(update={"broker_id": None, "decided_at": desk.runtime.now()})
        desk.store.save_order(desk.order().with_child(sent))
    desk.wait_until("09:39")
    assert desk.close().outcome == "settled"
    assert [child.state for child in desk.order().children] == [ChildState.EXPIRED, ChildState.NEVER_ARRIVED]


def test_a_refused_order_is_not_looked_for_at_the_close(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    refusal = {"code": 40310000, "message": "insufficient buying power"}
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="POST", status=403, body=refusal))
    desk.place()
    desk.wait_until("09:39")
    assert desk.close().outcome == "settled"
    assert desk.order().children[0].state is ChildState.REFUSED


def test_an_order_in_flight_at_the_sessions_close_is_waited_for(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.wait_until("15:59:30")
    child = a_child("189.41", qty="40", state=ChildState.UNKNOWN)
    sent = child.model_copy(update={"broker_id": None, "decided_at": desk.runtime.now()})
    desk.store.save_order(desk.order().with_child(sent))
    desk.wait_until("16:00:10")
    with pytest.raises(StillOpen):
        desk.close()
    assert desk.order().children[0].state is ChildState.UNKNOWN


def test_an_order_that_is_not_found_at_the_instant_of_the_close_is_given_up(open_desk: OpenDesk) -> None:
    """Its cancel is looked for during two seconds."""
    desk = resting(open_desk)
    desk.wait_until("15:59:58")
    vanish(desk)
    assert desk.close().error == "Unexplained"
    assert desk.order().children[0].state is ChildState.LOST


def test_an_order_of_its_owners_is_not_given_up_after_the_session(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    (child,) = desk.order().children
    desk.store.save_order(desk.order().with_child(child.model_copy(update={"is_owners": True})))
    vanish(desk)
    desk.wait_until("16:30")
    desk.close()
    assert desk.order().children[0].state is ChildState.LIVE


def test_a_resent_order_is_abandoned_two_minutes_after_its_resend(open_desk: OpenDesk) -> None:
    """The step dies while it resends: only what it has stored before says that a second request is in flight."""
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="POST"))
    desk.place()

    def dies(intent: Intent) -> Submission:
        raise BrokerUnavailable("the step was ended")

    desk.broker.submit = dies  # type: ignore[method-assign]
    desk.turn_at("09:37:00")
    desk.wait_until("09:38:59")
    with pytest.raises(StillOpen):
        desk.close()
    desk.wait_until("09:39:01")
    assert desk.close().outcome == "settled"


def test_an_abandoned_order_that_arrives_is_cancelled_and_booked(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk({"AAPL": book(QUIET, prints=("09:38:20 15 @ 189.41 sold",)), "KO": KO}, opening=holding(KO="9"))
    desk.begin("buy 40 AAPL", "sell all KO")
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="POST", delay=130), When(skip=1))
    desk.place()
    desk.wait_until("09:38:00")
    desk.exchange.races.arm(Race.CANCEL_STUCK, symbol="KO", seconds=60)
    with pytest.raises(StillOpen, match="KO"):
        desk.close()
    assert desk.order().children[0].state is ChildState.NEVER_ARRIVED
    desk.wait_until("09:39:10")
    assert desk.close().outcome == "settled"
    assert (desk.row()["filled_qty"], desk.row()["outcome"]) == ("15", "partial_deadline")
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()


def test_an_order_that_arrives_during_closing_is_cancelled(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="POST", delay=55))
    desk.place()
    desk.wait_until("09:36:30")
    with pytest.raises(StillOpen):
        desk.close()
    desk.wait_until("09:37:00")
    assert desk.close().outcome == "settled"
    assert desk.order().children[0].state is ChildState.CANCELED
    judge.nothing_of_ours_is_open(desk.exchange)


# Fencing


def test_a_fenced_execution_cancels_no_order_at_the_close(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.store.take_over(RUN_ID, 1, "arn:sweeper")
    answer = desk.close()
    assert (answer.outcome, answer.error) == ("failed", "Fenced")
    assert len(desk.open_at_broker()) == 2


def test_closing_an_unknown_run_fails_as_fenced(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    answer = close_run("core-2026-11-24", 1, 0, None, desk.ports)
    assert answer.error == "Fenced"
    assert answer.reason == "core-2026-11-24 is held by another execution: there is no such run"


class UnavailableStore(MemoryStore):
    """A store that can be switched to fail."""

    is_down = False

    def run(self, run_id: str) -> Run | None:
        if self.is_down:
            raise StoreUnavailable("no answer in time")
        return super().run(run_id)


def test_closing_cancels_by_order_id_while_the_table_is_down(open_desk: OpenDesk) -> None:
    store = UnavailableStore()
    desk = half_filled(open_desk, store=store)
    desk.submit("my-own-order")
    store.is_down = True
    with pytest.raises(StoreUnavailable):
        desk.close()
    desk.wait(1)
    assert desk.open_at_broker() == []
    assert desk.exchange.account.orders.by_client_id["my-own-order"].is_open
    store.is_down = False
    assert desk.close().outcome == "settled"
    desk.judge()
