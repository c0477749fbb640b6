"""The record of a day says for how long a step was frozen, and for which of its deliveries nothing waits."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from repeg.domain.child_order import ChildState
from repeg.domain.quote import Side
from repeg_workbench.faults.campaign import quietly
from repeg_workbench.faults.fault_plan import PortFault, WorkflowFault
from repeg_workbench.faults.function_service import FUNCTION_TIMEOUTS
from repeg_workbench.faults.judges.record import ALL_THREADS, SECOND
from repeg_workbench.faults.table_writes import marked_orders, was_carried_out
from repeg_workbench.faults.walker import Execution as WalkedExecution
from repeg_workbench.faults.walker import TaskFailed
from repeg_workbench.faults.world import World
from tests.builders import a_child, an_order
from tests.faults.lively_day import lively_day


@pytest.mark.parametrize(("asleep", "frozen"), [(10, 10), (300, FUNCTION_TIMEOUTS["OpenRun"])])
def test_a_step_is_recorded_as_frozen_until_it_goes_on_or_is_ended(asleep: int, frozen: int) -> None:
    """The function service ends one that sleeps longer than its timeout."""
    world = World(0, quiet=True, day=lively_day(0))
    strikes = iter([PortFault.FREEZE_BEFORE])
    world.fault_plan.draw = lambda *_call: next(strikes, None)  # type: ignore[method-assign]
    world.fault_plan.freeze = (asleep, asleep)
    with quietly(), world.variables.kept():
        with suppress(TaskFailed):
            world.stack.invoke_once("OpenRun", {"input": world.given, "execution": "run"})
        world.scheduler.run(until=world.scheduler.now())
    spans = [held.until - held.since for held in world.record.held_up if held.thread == ALL_THREADS]
    assert [round(span / SECOND) for span in spans] == [frozen]
    assert world.record.invoked[0].answered is (asleep == frozen)


def test_the_second_delivery_of_an_event_is_recorded_as_such() -> None:
    world = World(0, quiet=True, day=lively_day(0))
    world.fault_plan.workflow_faults = frozenset({WorkflowFault.DUPLICATE_INVOCATION})
    with quietly():
        world.run()
    duplicates = [step for step in world.record.invoked if step.is_duplicate]
    first = [step for step in world.record.invoked if not step.is_duplicate and step.function != "WatchRuns"]
    assert 0 < len(duplicates) < len(first)
    assert {step.function for step in duplicates} <= {step.function for step in first}


def test_an_opening_is_recorded_with_its_execution() -> None:
    world = World(0, quiet=True, day=lively_day(0))
    with quietly():
        world.run()
    named = {step.execution for step in world.record.invoked if step.function == "OpenRun"}
    assert named == {execution.name for execution in world.record.executions}
    assert {step.execution for step in world.record.invoked if step.function == "PlaceOrders"} == {""}


def test_every_cancel_of_a_turn_is_recorded_after_its_mark() -> None:
    world = World(0, quiet=True, day=lively_day(0))
    with quietly():
        world.run()
    cancels = world.record.cancels
    first = {mark.broker_id: mark.at for mark in reversed(cancels.marks)}
    assert len(cancels) > 5
    assert all(first[sent.broker_id] < sent.at for sent in cancels)


@pytest.mark.parametrize(("name", "newer", "carried_out"), [
    ("save_order", 1, True), ("reserve", 1, True), ("save_order", 0, False), ("save_report", 1, False),
])  # fmt: skip
def test_a_failed_save_was_carried_out_if_the_table_has_a_later_version(
    name: str, newer: int, carried_out: bool
) -> None:
    order = an_order(Side.BUY, "100", a_child())
    stored = order.model_copy(update={"version": order.version + newer})
    others = order.model_copy(update={"symbol": "KO", "version": order.version + 1})
    store = SimpleNamespace(orders=lambda run_id: [others, stored])
    assert was_carried_out(store, name, (order,)) is carried_out


def test_a_mark_is_of_what_is_being_cancelled_at_the_broker() -> None:
    marked, resting = a_child(n=2, state=ChildState.CANCELLING), a_child()
    unseen = a_child(n=3, state=ChildState.CANCELLING).model_copy(update={"broker_id": None})
    assert marked_orders(an_order(Side.BUY, "100", resting, marked, unseen)) == [marked.broker_id]


def test_an_execution_lasts_until_the_end_of_its_last_microsecond() -> None:
    """The platform's times are cut to microseconds, and a step may begin within the last one."""
    world = World(0, quiet=True, day=lively_day(0))
    walked = WalkedExecution("again", {}, datetime(2026, 3, 2, 15, tzinfo=UTC), "FAILED")
    walked.ended_at = walked.started_at
    world.recorder.executed(walked, "run")
    (execution,) = world.record.executions
    assert execution.ended - execution.began == 999
