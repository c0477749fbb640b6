"""The steps of a run, which fence each other: the contract of the store, run on DynamoDB and in memory."""

from __future__ import annotations

from datetime import timedelta

import pytest

from repeg.domain.errors import Conflict, RefusedRun
from repeg.domain.run import KillSwitch, RunState
from repeg.ports import Store
from tests.contracts.words import NOON, RUN_ID, a_budget, a_run, an_intent, an_order, with_intent

LATER = NOON + timedelta(seconds=30, microseconds=1)


@pytest.fixture
def planned(store: Store) -> Store:
    """A store that holds a running run with one order."""
    store.claim_run(a_run())
    store.add_orders(RUN_ID, 1, [an_order()])
    return store


def test_the_steps_of_a_run_are_numbered(planned: Store) -> None:
    assert [planned.take_step(RUN_ID, 1, NOON) for _ in range(3)] == [1, 2, 3]
    guard = planned.guard(RUN_ID)
    assert guard is not None
    assert guard.step == 3


@pytest.mark.parametrize("step", [0, 1, 3])
def test_only_the_latest_step_writes_intents(planned: Store, step: int) -> None:
    for _ in range(2):
        planned.take_step(RUN_ID, 1, NOON)
    intent = an_intent(an_order())
    with pytest.raises(Conflict, match=f"has gone on with step 2; this is step {step}"):
        planned.write_intent(with_intent(an_order(), intent), intent, 1, [a_budget()], "", step)
    assert (planned.orders(RUN_ID), planned.intents(RUN_ID)) == ([an_order()], [])
    assert planned.write_intent(with_intent(an_order(), intent), intent, 1, [a_budget()], "", 2).version == 1


def test_only_the_latest_step_reserves_a_successor(planned: Store) -> None:
    for _ in range(2):
        planned.take_step(RUN_ID, 1, NOON)
    with pytest.raises(Conflict, match="has gone on with step 2"):
        planned.reserve(an_order(), 1, [a_budget()], 1)
    assert planned.orders(RUN_ID) == [an_order()]
    assert planned.reserve(an_order(), 1, [a_budget()], 2).version == 1


def test_an_overtaken_step_is_refused_although_its_write_had_arrived(planned: Store) -> None:
    """The answer was lost, and a twin has begun since: that one finds the intent, and this one must not send it."""
    step = planned.take_step(RUN_ID, 1, NOON)
    intent = an_intent(an_order())
    planned.write_intent(with_intent(an_order(), intent), intent, 1, [], "", step)
    planned.take_step(RUN_ID, 1, NOON)
    with pytest.raises(Conflict, match="has gone on with step 2"):
        planned.write_intent(with_intent(an_order(), intent), intent, 1, [], "", step)


def test_only_the_latest_step_goes_on(planned: Store) -> None:
    first = planned.take_step(RUN_ID, 1, NOON)
    planned.keep_step(RUN_ID, 1, first, LATER)
    assert planned.last_turn(RUN_ID) == LATER
    planned.take_step(RUN_ID, 1, NOON)
    with pytest.raises(Conflict, match="has gone on with step 2; this is step 1"):
        planned.keep_step(RUN_ID, 1, first, LATER)
    assert planned.last_turn(RUN_ID) == NOON


def test_a_former_execution_begins_no_step_and_goes_on_with_none(planned: Store) -> None:
    step = planned.take_step(RUN_ID, 1, NOON)
    planned.take_over(RUN_ID, 1, "arn:sweeper")
    with pytest.raises(RefusedRun, match="epoch 2; this execution holds 1"):
        planned.take_step(RUN_ID, 1, LATER)
    with pytest.raises(RefusedRun, match="epoch 2; this execution holds 1"):
        planned.keep_step(RUN_ID, 1, step, LATER)
    assert planned.last_turn(RUN_ID) == NOON


def test_a_run_that_closes_begins_no_step_and_goes_on_with_none(planned: Store) -> None:
    step = planned.take_step(RUN_ID, 1, NOON)
    planned.set_run_state(RUN_ID, 1, RunState.CLOSING)
    with pytest.raises(RefusedRun, match="is closing"):
        planned.take_step(RUN_ID, 1, LATER)
    with pytest.raises(RefusedRun, match="is closing"):
        planned.keep_step(RUN_ID, 1, step, LATER)


def test_an_unknown_run_has_no_steps(store: Store) -> None:
    with pytest.raises(RefusedRun, match="does not exist"):
        store.take_step(RUN_ID, 1, NOON)
    with pytest.raises(RefusedRun, match="does not exist"):
        store.keep_step(RUN_ID, 1, 1, NOON)


def test_a_halted_run_goes_on_with_its_steps(planned: Store) -> None:
    planned.set_kill_switch(KillSwitch.HALT_NEW)
    planned.keep_step(RUN_ID, 1, planned.take_step(RUN_ID, 1, NOON), LATER)


def test_the_last_turn_is_the_latest_of_steps_and_outages(planned: Store) -> None:
    planned.take_step(RUN_ID, 1, LATER)
    planned.record_heartbeat(RUN_ID, NOON)
    assert planned.last_turn(RUN_ID) in {NOON, LATER}
    planned.record_heartbeat(RUN_ID, LATER + timedelta(seconds=1))
    assert planned.last_turn(RUN_ID) == LATER + timedelta(seconds=1)
