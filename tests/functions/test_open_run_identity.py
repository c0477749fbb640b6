"""OpenRun: a second start is a duplicate only of the same content, and a preview takes no run's place."""

from __future__ import annotations

from typing import Any

import pytest

from functions.open_run.app import open_run
from functions.place_orders.app import place_orders
from functions.plan_orders.app import plan_orders
from functions.validate_quotes.app import validate_quotes
from repeg.domain.errors import DuplicateRun, InvalidPlan, RefusedRun
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import Run, RunState
from repeg.domain.steps import StepFailure
from repeg_workbench.deployment_variables import variables
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.twins.memory_store import MemoryStore
from tests.builders import MONDAY, worked_by
from tests.contracts.words import bring
from tests.functions.books import AAPL, KO, QUIET, book
from tests.functions.desk import EXECUTION, PREFIX, RUN_ID, Desk, OpenDesk, a_plan, holding

BUY = a_plan("buy 40 AAPL")
OTHER = a_plan("buy 50 AAPL")
SECOND = EXECUTION.replace("first", "second")
THIRD = EXECUTION.replace("first", "third")
FAILURE = StepFailure(Error="InvalidPlan", Cause="plan.orders[0].qty")


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    return open_desk({"AAPL": AAPL, "KO": KO}, opening=holding())


def again(desk: Desk, plan: dict[str, Any] = BUY, execution: str = SECOND, **given: Any) -> str:
    return open_run({"plan": plan, **given}, execution, variables(worked_by({})), desk.ports).run_id


def traded(desk: Desk) -> None:
    """A run that has sent its order."""
    desk.begin("buy 40 AAPL")
    desk.place()


def test_the_same_plan_of_an_active_run_is_a_duplicate(desk: Desk) -> None:
    desk.open(BUY)
    with pytest.raises(DuplicateRun, match=EXECUTION):
        again(desk)


def test_the_same_plan_of_a_settled_run_is_a_duplicate(desk: Desk) -> None:
    traded(desk)
    assert desk.close().outcome == "settled"
    with pytest.raises(DuplicateRun, match=EXECUTION):
        again(desk)


@pytest.mark.parametrize("state", [RunState.RUNNING, RunState.CLOSING, RunState.CLOSED])
def test_another_plan_of_the_same_name_and_day_fails(desk: Desk, state: RunState) -> None:
    """A duplicate ends as a success, and nothing would be traded."""
    desk.open(BUY)
    bring(desk.store, state, RUN_ID)
    with pytest.raises(InvalidPlan, match=f"run_number 2 for a further run of the day: {RUN_ID} has another plan"):
        again(desk, OTHER)


def test_the_same_plan_from_another_file_is_a_duplicate(desk: Desk) -> None:
    """Its notes say how the file was read, and are no part of what is traded."""
    desk.open(BUY)
    with pytest.raises(DuplicateRun, match=EXECUTION):
        again(desk, {**BUY, "notes": ["symbols as the broker writes them: aapl as AAPL"]})


def test_other_settings_of_the_same_plan_and_day_fail(desk: Desk) -> None:
    desk.open(BUY)
    with pytest.raises(InvalidPlan, match=f"run_number 2 .*: {RUN_ID} has other settings"):
        again(desk, settings={"max_slippage_bps": 20})
    with pytest.raises(DuplicateRun):
        again(desk, settings={"max_slippage_bps": "50.0"})


def test_a_deployment_with_other_settings_does_not_pass_for_the_same(desk: Desk) -> None:
    desk.open(BUY, patience_seconds=60)
    with pytest.raises(InvalidPlan, match="has other settings"):
        again(desk)
    with pytest.raises(DuplicateRun):
        open_run({"plan": BUY}, SECOND, variables(worked_by({"patience_seconds": 60})), desk.ports)


def test_a_run_that_failed_before_its_first_order_is_no_duplicate(desk: Desk) -> None:
    desk.begin("buy 40 AAPL")
    desk.close(FAILURE)
    with pytest.raises(InvalidPlan, match=f"run_number 2 .*: {RUN_ID} failed and sent no order"):
        again(desk)
    assert again(desk, run_number=2) == f"{RUN_ID}-r2"


def test_a_run_that_failed_after_an_order_is_no_duplicate(desk: Desk) -> None:
    traded(desk)
    desk.close(FAILURE)
    with pytest.raises(InvalidPlan, match=f"{RUN_ID} failed after it had sent orders, and is closed"):
        again(desk)


def test_a_swept_run_is_no_duplicate(desk: Desk) -> None:
    desk.begin("buy 40 AAPL")
    desk.sweep()
    with pytest.raises(InvalidPlan, match=f"run_number 2 .*: {RUN_ID} failed and sent no order"):
        again(desk)


def test_the_error_names_the_next_free_run_number(desk: Desk) -> None:
    for number in (1, 2):
        run_id = again(desk, execution=f"{EXECUTION}-{number}", run_number=number)
        bring(desk.store, RunState.CLOSED, run_id)
    with pytest.raises(InvalidPlan, match="run_number 3"):
        again(desk, OTHER, run_number=2)


class RacedStore(MemoryStore):
    """A store in which another execution claims the run just before this one does."""

    def __init__(self) -> None:
        super().__init__()
        self.winners: list[Run] = []

    def claim_run(self, run: Run) -> Run:
        """As MemoryStore, after the other execution's claim."""
        for winner in self.winners:
            super().claim_run(winner)
        return super().claim_run(run)


@pytest.mark.parametrize(("plan", "kind"), [(BUY, DuplicateRun), (OTHER, InvalidPlan)])
def test_a_claim_that_loses_the_race_compares_the_content(
    open_desk: OpenDesk, plan: dict[str, Any], kind: type[Exception]
) -> None:
    first = open_desk({"AAPL": AAPL})
    first.open(plan)
    store = RacedStore()
    desk = open_desk({"AAPL": AAPL}, store=store)
    store.winners = [first.run]
    with pytest.raises(kind, match=r"belongs to|has another plan"):
        again(desk)


# Previews


def preview(desk: Desk, execution: str = EXECUTION, plan: dict[str, Any] = BUY, **given: Any) -> str:
    return again(desk, plan, execution, preview=True, **given)


def test_a_preview_has_an_id_of_its_own_for_each_execution(desk: Desk) -> None:
    first, second = preview(desk), preview(desk, SECOND)
    assert len({RUN_ID, first, second}) == 3
    assert first.startswith(f"{RUN_ID}-p")
    assert preview(desk) == first
    assert len(desk.store.runs_on(MONDAY)) == 2


def test_the_real_run_follows_its_preview(desk: Desk) -> None:
    run_id = preview(desk)
    plan_orders(run_id, 1, desk.ports)
    validate_quotes(run_id, 1, desk.ports)
    place_orders(run_id, 1, 0, desk.ports)
    assert [str(order.outcome) for order in desk.store.orders(run_id)] == ["preview"]
    assert again(desk) == RUN_ID
    plan_orders(RUN_ID, 1, desk.ports)
    assert desk.place().placed == 1


def test_a_preview_may_look_while_the_real_run_is_active(desk: Desk) -> None:
    desk.open(BUY)
    assert preview(desk, SECOND, run_number=2).startswith(f"{RUN_ID}-p")
    assert desk.run.owner == EXECUTION


def test_an_active_preview_does_not_block_a_further_run(desk: Desk) -> None:
    desk.open(BUY)
    bring(desk.store, RunState.CLOSED, RUN_ID)
    preview(desk, SECOND)
    assert again(desk, execution=THIRD, run_number=2) == f"{RUN_ID}-r2"
    with pytest.raises(RefusedRun, match=f"{RUN_ID}-r2 is running"):
        again(desk, execution=f"{THIRD}-4", run_number=3)


def test_a_preview_is_not_the_run_that_the_watchdog_expects(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, at="09:25")
    preview(desk)
    desk.wait_until("09:41")
    assert [str(alert.finding) for alert in desk.watch()][:1] == ["missed_run"]


# A further run after one that gave up an order

WEIGHTS = {"name": "core", "targets": {"AAPL": "0.10"}}


def given_up_unseen(open_desk: OpenDesk) -> Desk:
    """A run whose order of 52 AAPL, a tenth of the account, is given up; it arrives at 09:43 and is filled at 09:45."""
    desk = open_desk({"AAPL": book(QUIET, prints=("09:45:00 500 @ 189.41 sold",))})
    desk.open(WEIGHTS)
    plan_orders(RUN_ID, 1, desk.ports)
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="POST", delay=400))
    desk.place()
    desk.wait_until("09:39")
    assert (desk.close().outcome, desk.row()["filled_qty"]) == ("settled", "0")
    return desk


def planned_again(desk: Desk) -> ParentOrder:
    """The order of a further run of the same plan."""
    desk.run_id = again(desk, WEIGHTS, run_number=2)
    plan_orders(desk.run_id, 1, desk.ports)
    return desk.order()


def test_a_further_run_counts_an_order_that_was_given_up_unseen(open_desk: OpenDesk) -> None:
    order = planned_again(given_up_unseen(open_desk))
    assert (str(order.target), order.outcome) == ("0", Outcome.NO_TRADE)
    assert order.reason == f"already covered by open orders: buy 52 ({PREFIX}AAPL.b.1, given up unseen)"


@pytest.mark.parametrize("at", ["09:44", "09:46"])
def test_a_further_run_counts_an_order_that_has_arrived_late_once(open_desk: OpenDesk, at: str) -> None:
    """It rests at first, and is filled then."""
    desk = given_up_unseen(open_desk)
    desk.wait_until(at)
    assert planned_again(desk).target == 0


def test_a_further_run_does_not_count_a_late_order_that_has_closed(open_desk: OpenDesk) -> None:
    desk = given_up_unseen(open_desk)
    desk.wait_until("09:44")
    desk.watch()
    assert planned_again(desk).target == 52
