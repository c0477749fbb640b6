"""CloseRun where something is not accounted for: strays, orders nobody heard of, and closers who may not."""

from __future__ import annotations

import pytest

from functions.close_run.app import close_run
from repeg.domain.child_order import ChildState
from repeg.domain.errors import StillOpen, StoreUnavailable
from repeg.domain.run import Run
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from repeg_workbench.twins.memory_store import MemoryStore
from tests.functions.books import AAPL, KO, QUIET, book
from tests.functions.desk import RUN_ID, OpenDesk, holding
from tests.functions.scenes import half_filled
from tests.simulation import judge

# What is not accounted for


def test_an_order_with_our_runs_mark_that_our_books_do_not_hold_is_cancelled_and_told(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.submit(f"rp-{RUN_ID}.AAPL.b.7")
    assert desk.close()["outcome"] == "settled"
    judge.nothing_of_ours_is_open(desk.exchange)
    assert desk.journalled("AAPL", "stray") == [(f"rp-{RUN_ID}.AAPL.b.7", "at the broker, not in our books")]


@pytest.mark.parametrize("theirs", ["my-own-order", f"rp-{RUN_ID}-r2.AAPL.b.1", "rp-core-2026-11-2.AAPL.b.1"])
def test_orders_that_are_not_this_runs_are_not_touched(open_desk: OpenDesk, theirs: str) -> None:
    desk = half_filled(open_desk)
    desk.submit(theirs)
    desk.close()
    order = desk.exchange.account.orders.by_client_id[theirs]
    assert order.is_open


def test_a_position_that_nobody_booked_fails_the_run(open_desk: OpenDesk) -> None:
    """The broker's list of fills loses one for good: what cannot be explained is not called settled."""

    def without_any(rows: list[object]) -> list[object]:
        return []

    desk = half_filled(open_desk)
    fault = Fault(kind=Kind.REWRITE, method="GET", path="/v2/account/activities/FILL", rewrite=without_any)
    desk.exchange.faults.arm(fault, When(times=None))
    answer = desk.close()
    assert (answer["outcome"], answer["error"]) == ("failed", "Unexplained")
    assert answer["reason"] == "AAPL filled 15 but booked 0"
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.run.failed"]


def test_the_failure_that_led_here_is_the_reports_error_in_its_own_words(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    cause = '{"errorMessage": "run core is at epoch 2", "errorType": "RefusedRun", "stackTrace": ["x"]}'
    answer = desk.close({"Error": "RefusedRun", "Cause": cause})
    assert answer == {"outcome": "failed", "error": "RefusedRun", "reason": "run core is at epoch 2"}
    judge.nothing_of_ours_is_open(desk.exchange)


# Orders that nobody heard of


def test_an_intent_that_never_arrived_is_given_up_only_after_its_time(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="POST"))
    desk.place()
    desk.wait_until("09:37:59")
    with pytest.raises(StillOpen):
        desk.close()
    desk.wait_until("09:38:00")
    assert desk.close()["outcome"] == "settled"
    assert desk.order().children[0].state is ChildState.NEVER_ARRIVED
    assert desk.posts() == 1


def test_one_that_was_given_up_and_turns_up_after_all_is_cancelled_and_booked(
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
    assert desk.close()["outcome"] == "settled"
    assert (desk.row()["filled_qty"], desk.row()["outcome"]) == ("15", "partial_deadline")
    judge.nothing_of_ours_is_open(desk.exchange)
    desk.judge()


def test_one_that_arrives_while_the_run_closes_is_cancelled(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="POST", delay=55))
    desk.place()
    desk.wait_until("09:36:30")
    with pytest.raises(StillOpen):
        desk.close()
    desk.wait_until("09:37:00")
    assert desk.close()["outcome"] == "settled"
    assert desk.order().children[0].state is ChildState.CANCELED
    judge.nothing_of_ours_is_open(desk.exchange)


# Who may close


def test_an_execution_that_was_fenced_closes_nothing(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.store.take_over(RUN_ID, 1, "arn:sweeper")
    answer = desk.close()
    assert (answer["outcome"], answer["error"]) == ("failed", "Fenced")
    assert len(desk.open_at_broker()) == 2


def test_a_run_that_does_not_exist_is_nobodys_to_close(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    answer = close_run("core-2026-11-24", 1, 0, None, desk.ports)
    assert answer["error"] == "Fenced"
    assert answer["reason"] == "core-2026-11-24 is not ours to close: there is no such run"


class Blind(MemoryStore):
    """A store that cannot be read for a while."""

    is_blind = False

    def run(self, run_id: str) -> Run | None:
        if self.is_blind:
            raise StoreUnavailable("no answer in time")
        return super().run(run_id)


def test_without_the_table_it_cancels_by_the_runs_mark_alone_and_is_called_again(open_desk: OpenDesk) -> None:
    store = Blind()
    desk = half_filled(open_desk, store=store)
    desk.submit("my-own-order")
    store.is_blind = True
    with pytest.raises(StoreUnavailable):
        desk.close()
    desk.wait(1)
    assert desk.open_at_broker() == []
    assert desk.exchange.account.orders.by_client_id["my-own-order"].is_open
    store.is_blind = False
    assert desk.close()["outcome"] == "settled"
    desk.judge()
