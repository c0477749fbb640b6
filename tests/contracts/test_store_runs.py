"""What every store says of a run's states, and of its end having been told: on the table and in memory alike."""

from __future__ import annotations

import pytest

from repeg.domain.errors import Conflict
from repeg.domain.run import TRANSITIONS, RunState
from repeg.ports import Store
from tests.contracts.words import RUN_ID, a_run, bring


def test_a_run_changes_its_state_at_its_epoch(store: Store) -> None:
    store.claim_run(a_run())
    assert store.set_run_state(RUN_ID, 1, RunState.CLOSING).state is RunState.CLOSING
    assert store.set_run_state(RUN_ID, 1, RunState.CLOSING).state is RunState.CLOSING
    assert store.run(RUN_ID) == a_run().model_copy(update={"state": RunState.CLOSING})


@pytest.mark.parametrize("after", list(RunState))
@pytest.mark.parametrize("before", list(RunState))
def test_a_run_goes_from_state_to_state_as_its_table_says_and_never_back(
    store: Store, before: RunState, after: RunState
) -> None:
    store.claim_run(a_run())
    held = bring(store, before)
    if after is before or after in TRANSITIONS[before]:
        assert store.set_run_state(RUN_ID, 1, after).state is after
        return
    with pytest.raises(Conflict, match=f"run {RUN_ID} is {before}; it cannot become {after}"):
        store.set_run_state(RUN_ID, 1, after)
    assert store.run(RUN_ID) == held


def test_a_run_that_is_over_stays_over_whoever_takes_it(store: Store) -> None:
    store.claim_run(a_run())
    bring(store, RunState.CLOSED)
    store.take_over(RUN_ID, 1, "arn:late-renewal")
    for state in (RunState.RUNNING, RunState.CLOSING):
        with pytest.raises(Conflict, match="is closed"):
            store.set_run_state(RUN_ID, 2, state)


def test_a_run_that_was_announced_says_so_and_stays_so(store: Store) -> None:
    assert not store.claim_run(a_run()).is_announced
    store.mark_announced(RUN_ID)
    store.mark_announced(RUN_ID)
    found = store.take_over(RUN_ID, 1, "arn:sweeper")
    assert found.is_announced
    assert store.set_run_state(RUN_ID, 2, RunState.CLOSING).is_announced
    with pytest.raises(Conflict, match="does not exist"):
        store.mark_announced("core-2026-03-06")
