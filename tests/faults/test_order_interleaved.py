"""One order under random interleavings of turns, crashes, lost answers, late requests, cancels and duplicates.

The steps are the deployed ones, in random order; the judge checks them against the broker's ledger alone.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from repeg import wiring
from repeg_workbench.engine.surroundings import with_variables
from repeg_workbench.faults.fault_plan import PortFault, _fits
from repeg_workbench.faults.judges.record import Execution
from repeg_workbench.faults.judges.verdict import Violation
from repeg_workbench.faults.planted_bugs import PLANTED_BUGS
from repeg_workbench.faults.planting import planted
from repeg_workbench.faults.walker import TaskFailed
from repeg_workbench.faults.world import World
from tests.faults.lively_day import lively_day

CALLS = (
    ("broker", "submit"), ("broker", "cancel"), ("broker", "order"), ("broker", "open_orders"), ("market", "quotes"),
    ("store", "write_intent"), ("store", "save_order"), ("store", "book"),
)  # fmt: skip
STRIKES = [(fault, call) for port, call in CALLS for fault in PortFault if _fits(fault, port, call)]


class OrderInterleaved(RuleBasedStateMachine):
    """The parent order of one run."""

    @initialize(seed=st.integers(0, 99))
    def the_run_opens(self, seed: int) -> None:
        """A run with its first child at the broker, at the opening of its window."""
        self.planned_faults: dict[str, PortFault] = {}
        self.world = World(seed, quiet=True, day=lively_day(seed))
        self.world.fault_plan.draw = self.planned_fault  # type: ignore[assignment]
        wiring.provide(self.world.stack.ports)
        with with_variables(self.world.stack.variables):
            self.state = self.step("OpenRun", {"input": self.world.given, "execution": "run"}) or {}
        self.world.scheduler.run(until=max(self.world.window.opens, self.world.scheduler.now()))
        self.step("PlanOrders", self.state)
        self.orders_are_placed()

    @rule(seconds=st.sampled_from([0.5, 5, 10, 30, 61]))
    def time_passes(self, seconds: float) -> None:
        """The market moves, orders fill, late requests arrive."""
        self.world.scheduler.run(until=self.world.scheduler.now() + timedelta(seconds=seconds))
        self.world.exchange.advance()

    @rule(strike=st.sampled_from(STRIKES))
    def the_next_such_call_fails(self, strike: tuple[PortFault, str]) -> None:
        """A crash, a freeze, a lost or late request, an older answer."""
        fault, call = strike
        self.planned_faults[call] = fault

    @rule()
    def orders_are_placed(self) -> None:
        """The two steps of a placement, even if there is nothing to place."""
        self.step("ValidateQuotes", self.state)
        self.step("PlaceOrders", self.state)

    @rule()
    def a_turn(self) -> None:
        """One turn of the loop."""
        self.step("RepegOrders", self.state)

    @rule()
    def two_turns_at_once(self) -> None:
        """Two concurrent invocations of the same step."""
        other = self.world.scheduler.spawn_apart(lambda: self.step("RepegOrders", self.state))
        self.step("RepegOrders", self.state)
        other.join()

    @rule()
    def a_placement_beside_a_turn(self) -> None:
        """Two concurrent steps."""
        other = self.world.scheduler.spawn_apart(lambda: self.step("PlaceOrders", self.state))
        self.step("RepegOrders", self.state)
        other.join()

    @invariant()
    def the_judge_finds_no_violation(self) -> None:
        """The judge has found no violation."""
        if hasattr(self, "world"):
            found = self.violations()
            assert not found, found[0]

    def teardown(self) -> None:
        """A run that is stopped can always be closed; then no order is open and the records equal the ledger."""
        if not hasattr(self, "world"):
            return
        self.planned_faults.clear()
        record = self.world.record
        stopped = Execution("run", record.runs[0].run_id, 0, self.world.scheduler.now_ns, "ABORTED", is_event_lost=True)
        record.executions.append(stopped)
        closed = None
        for _ in range(12):
            self.time_passes(61)
            closed = closed or self.step("CloseRun", self.state)
        found = self.violations(is_over=True)
        self.world.scheduler.close()
        wiring.provide(None)
        assert closed is not None
        assert not found, found[0]

    def violations(self, *, is_over: bool = False) -> list[Violation]:
        """What the judges find. No state machine invokes the steps: how much time passes between them is drawn."""
        return [each for each in self.world.judged(is_over=is_over) if each.name != "stalled"]

    def planned_fault(self, _port: str, name: str, _now: datetime) -> PortFault | None:
        """The fault planned for this call; it strikes once."""
        return self.planned_faults.pop(name, None)

    def step(self, function: str, payload: dict[str, Any]) -> dict[str, Any] | None:
        """One invocation of a deployed function; None where it failed or died."""
        with suppress(TaskFailed):
            return self.world.stack.invoke_once(function, payload)
        return None


QUICK = settings(
    max_examples=50,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)

TestOrderInterleaved = OrderInterleaved.TestCase
TestOrderInterleaved.settings = QUICK


@pytest.mark.parametrize("bug", ["cancel_is_done", "last_child_counts"])
def test_random_interleavings_detect_a_planted_bug(bug: str) -> None:
    with planted(PLANTED_BUGS[bug]), pytest.raises((AssertionError, BaseExceptionGroup)):
        run_state_machine_as_test(OrderInterleaved, settings=settings(QUICK, phases=[Phase.generate]))
