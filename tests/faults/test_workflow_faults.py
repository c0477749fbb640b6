"""Workflow faults and faults of the table begin where they can matter, and last as long as they are said to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from moto import mock_aws

from repeg.domain.run import KillSwitch
from repeg_workbench.engine.scheduler import nanoseconds
from repeg_workbench.faults.campaign import quietly
from repeg_workbench.faults.fault_plan import KILL_LIFTED, WorkflowFault
from repeg_workbench.faults.judges.record import SECOND, DayRecord
from repeg_workbench.faults.table_service import FaultyCalls, TableFault
from repeg_workbench.faults.workflow_faults import SOON, WorkflowFaults
from repeg_workbench.faults.world import World
from tests.faults.lively_day import lively_day


class Timely:
    """Dice for a fault that begins where it can matter, as soon as it can, and is short."""

    def random(self) -> float:
        """The lowest number."""
        return 0.0

    def uniform(self, low: float, high: float) -> float:
        """The lower bound."""
        return min(low, high)

    def choice(self, values: Sequence[Any]) -> Any:
        """The first value."""
        return values[0]


def day_with(fault: WorkflowFault) -> World:
    """A day with this fault alone, begun where it can matter."""
    world = World(0, quiet=True, day=lively_day(0))
    world.fault_plan.workflow_faults = frozenset({fault})
    world.fault_plan._dice[fault] = Timely()  # type: ignore[assignment]
    with quietly():
        world.run()
    return world


def begins_of(record: DayRecord, fault: WorkflowFault) -> list[int]:
    """When the switch was set, or the outages began."""
    if fault is WorkflowFault.KILL_CANCEL:
        return [switched.at for switched in record.switched]
    return [outage.since for outage in record.outages]


@pytest.mark.parametrize("fault", [WorkflowFault.KILL_CANCEL, WorkflowFault.BROKER_OUTAGE, WorkflowFault.KEYS_ROTATED])
def test_a_fault_may_begin_with_the_first_orders(fault: WorkflowFault) -> None:
    world = day_with(fault)
    opens = max(world.window.opens, world.day.start) + SOON[0]
    assert begins_of(world.record, fault) == [nanoseconds(opens)]


def test_an_outage_of_the_bus_may_begin_with_the_closing_step() -> None:
    record = day_with(WorkflowFault.BUS_OUTAGE).record
    closing = next(step for step in record.invoked if step.function == "CloseRun")
    assert begins_of(record, WorkflowFault.BUS_OUTAGE) == [closing.began]
    assert [each.at - closing.began > 0 for each in record.published] == [True]


def test_a_table_is_busy_until_its_time_is_over() -> None:
    """A conflict is one of writes; throttled are reads as well."""
    world = World(0, day=lively_day(0))
    calls = FaultyCalls(None, 0, world.scheduler, world.fault_plan)
    calls._rate, now = 0.0, world.day.start
    calls._busy = {TableFault.CONFLICT: now + timedelta(seconds=2), TableFault.THROTTLED: now + timedelta(seconds=1)}

    def drawn(name: str, seconds: float) -> TableFault | None:
        return calls._draw(name, now + timedelta(seconds=seconds))

    asked = [("get_item", 0.9), ("get_item", 1.0), ("put_item", 0.9), ("put_item", 1.9), ("put_item", 2.0)]
    found = world.scheduler.spawn(lambda: [drawn(*each) for each in asked]).result
    world.scheduler.run(until=now)
    assert found() == [TableFault.THROTTLED, None, TableFault.CONFLICT, TableFault.CONFLICT, None]


def test_the_harness_reaches_a_table_that_is_busy_for_the_program() -> None:
    """It sets the kill switch, and reads what a run has planned, between the program's own calls."""
    world = World(7, day=lively_day(7))
    calls: Any = world.stack.store._table._client  # type: ignore[union-attr]
    calls._busy = {TableFault.THROTTLED: world.day.start + timedelta(days=1)}
    faults = WorkflowFaults(world)
    switching = world.scheduler.spawn(lambda: faults._kill(KillSwitch.HALT_NEW))
    reading = world.scheduler.spawn(lambda: [listener(world.run_id) for listener in world.recorder.on_planned])
    world.scheduler.run(until=world.day.start)
    switching.result()
    assert reading.result() == [None]
    assert [switched.state for switched in world.record.switched] == [KillSwitch.HALT_NEW]


def test_a_day_begins_with_an_empty_table_after_moto_has_forgotten_the_last() -> None:
    """Other tests of the same process leave nothing of what moto knew."""
    World(7, day=lively_day(7))
    with mock_aws():
        pass
    assert World(7, day=lively_day(7)).stack.store.run("core-2026-07-06") is None


@pytest.mark.parametrize("state", [WorkflowFault.KILL_HALT, WorkflowFault.KILL_CANCEL])
def test_a_kill_switch_may_be_set_to_active_again(state: WorkflowFault) -> None:
    world = World(0, quiet=True, day=lively_day(0))
    world.fault_plan.workflow_faults = frozenset({state})
    world.fault_plan._dice |= {state: Timely(), KILL_LIFTED: Timely()}  # type: ignore[dict-item]
    with quietly():
        world.run()
    first, second = world.record.switched
    assert (second.state, second.at - first.at) == ("active", 10 * SECOND)
    assert world.fault_plan.injected[KILL_LIFTED] == 1


def test_a_kill_switch_stays_set_on_a_day_without_the_lifting() -> None:
    world = World(0, quiet=True, day=lively_day(0), without=frozenset({KILL_LIFTED}))
    world.fault_plan.workflow_faults = frozenset({WorkflowFault.KILL_HALT})
    world.fault_plan._dice |= {WorkflowFault.KILL_HALT: Timely(), KILL_LIFTED: Timely()}  # type: ignore[dict-item]
    with quietly():
        world.run()
    assert [switched.state for switched in world.record.switched] == ["halt_new"]
