"""SweepOrders where a table fails it: the run's row cannot be read, or the run cannot be taken over."""

from __future__ import annotations

import pytest

from repeg.domain.errors import StillOpen, StoreUnavailable, UnreadableRow
from repeg.domain.run import Run, RunState
from repeg.domain.run_health import Finding
from repeg.domain.store_rules import Guard
from repeg.workflow.sweeping import _look_until_empty
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.twins.memory_store import MemoryStore
from tests.functions.books import AAPL
from tests.functions.desk import PREFIX, RUN_ID, Desk, OpenDesk
from tests.functions.scenes import half_filled


class FailingStore(MemoryStore):
    """A store whose runs cannot be read, or not be taken over, once that is said."""

    is_unreadable = False
    is_read_only = False

    def run(self, run_id: str) -> Run | None:
        if self.is_unreadable:
            raise UnreadableRow(f"run {run_id}: settings.policy is missing")
        return super().run(run_id)

    def take_over(self, run_id: str, epoch: int, owner: str) -> Guard:
        if self.is_read_only:
            raise StoreUnavailable("no answer in time")
        return super().take_over(run_id, epoch, owner)


def unreadable(open_desk: OpenDesk) -> Desk:
    """Two orders at the broker, and a run's row that a later release has written."""
    store = FailingStore()
    desk = half_filled(open_desk, store=store)
    store.is_unreadable = True
    return desk


def state_of(desk: Desk) -> str:
    guard = desk.store.guard(RUN_ID)
    assert guard is not None
    return guard.state


def test_an_unreadable_run_is_cancelled_reported_and_ended(open_desk: OpenDesk) -> None:
    desk = unreadable(open_desk)
    answer = desk.sweep()
    assert (answer.outcome, answer.cancelled) == ("swept", 2)
    (alert,) = answer.alerts
    assert (alert.finding, alert.run_id) == (Finding.UNREADABLE_ROW, RUN_ID)
    assert alert.reason == f"its execution ended ABORTED; run {RUN_ID}: settings.policy is missing"
    assert (desk.open_at_broker(), state_of(desk)) == ([], RunState.SWEPT)
    assert [kind for kind, _ in desk.notifier.published] == ["repeg.watch.unreadable_row", "repeg.run.failed"]


def test_an_unreadable_run_is_not_ended_while_an_order_of_it_is_open(open_desk: OpenDesk) -> None:
    desk = unreadable(open_desk)
    desk.exchange.races.arm(Race.CANCEL_STUCK, symbol="AAPL", seconds=1_000)
    with pytest.raises(StillOpen, match=f"{PREFIX}AAPL.b.1"):
        desk.sweep()
    assert (state_of(desk), desk.notifier.published) == (RunState.CLOSING, [])
    desk.wait(1_000)
    assert desk.sweep().outcome == "swept"


def test_the_orders_of_a_run_that_cannot_be_taken_over_are_cancelled(open_desk: OpenDesk) -> None:
    store = FailingStore()
    desk = half_filled(open_desk, store=store)
    store.is_read_only = True
    with pytest.raises(StoreUnavailable):
        desk.sweep()
    desk.wait(1)
    assert (desk.open_at_broker(), state_of(desk)) == ([], RunState.RUNNING)


def test_a_sweep_goes_on_where_its_first_list_is_not_answered(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders", status=502))
    answer = desk.sweep()
    assert (answer.outcome, answer.cancelled, desk.open_at_broker()) == ("swept", 0, [])


@pytest.mark.parametrize(
    ("looks", "left", "number"),
    [
        ([[], []], [], 2),
        ([["a"], [], []], [], 3),
        ([[], ["a"], [], []], [], 4),
        ([["a"], ["a"], ["a"], [], ["b"]], ["b"], 5),
    ],
)
def test_a_run_is_empty_after_two_empty_looks_in_a_row(
    open_desk: OpenDesk, looks: list[list[str]], left: list[str], number: int
) -> None:
    desk = open_desk({"AAPL": AAPL})
    started, times, coming = desk.scheduler.now(), [], iter(looks)

    def look() -> list[str]:
        times.append((desk.scheduler.now() - started).total_seconds())
        return next(coming)

    assert _look_until_empty(look, desk.ports) == left
    assert times == [60 * n for n in range(number)]
