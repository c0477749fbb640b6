"""The Store port's contract for a run's states and its announced mark, run on DynamoDB and in memory."""

from __future__ import annotations

from datetime import date

import pytest

from repeg.domain.errors import Conflict
from repeg.domain.run import TRANSITIONS, RunState
from repeg.ports import Store
from tests.contracts.words import OWNER, RUN_ID, a_run, bring


def test_a_run_changes_state_at_its_current_epoch(store: Store) -> None:
    store.claim_run(a_run())
    assert store.set_run_state(RUN_ID, 1, RunState.CLOSING).state == RunState.CLOSING
    assert store.set_run_state(RUN_ID, 1, RunState.CLOSING).state == RunState.CLOSING
    assert store.run(RUN_ID) == a_run().model_copy(update={"state": RunState.CLOSING})


@pytest.mark.parametrize("after", list(RunState))
@pytest.mark.parametrize("before", list(RunState))
def test_a_run_changes_state_only_along_its_transition_table(store: Store, before: RunState, after: RunState) -> None:
    store.claim_run(a_run())
    held = bring(store, before)
    if after is before or after in TRANSITIONS[before]:
        assert store.set_run_state(RUN_ID, 1, after).state == after
        return
    with pytest.raises(Conflict, match=f"run {RUN_ID} is {before}; it cannot become {after}"):
        store.set_run_state(RUN_ID, 1, after)
    assert store.run(RUN_ID) == held


def test_a_closed_run_stays_closed_after_a_takeover(store: Store) -> None:
    store.claim_run(a_run())
    bring(store, RunState.CLOSED)
    store.take_over(RUN_ID, 1, "arn:late-renewal")
    for state in (RunState.RUNNING, RunState.CLOSING):
        with pytest.raises(Conflict, match="is closed"):
            store.set_run_state(RUN_ID, 2, state)


def test_an_announced_run_stays_announced(store: Store) -> None:
    assert not store.claim_run(a_run()).is_announced
    store.mark_announced(RUN_ID)
    store.mark_announced(RUN_ID)
    found = store.take_over(RUN_ID, 1, "arn:sweeper")
    assert found.is_announced
    assert store.set_run_state(RUN_ID, 2, RunState.CLOSING).is_announced
    with pytest.raises(Conflict, match="does not exist"):
        store.mark_announced("core-2026-03-06")


def test_the_runs_of_a_date_are_sorted_and_current(store: Store) -> None:
    store.claim_run(a_run(run_id=f"{RUN_ID}-r2", owner="arn:execution:second"))
    store.claim_run(a_run())
    bring(store, RunState.CLOSED)
    found = [(guard.run_id, guard.owner, guard.state) for guard in store.guards_on(date(2026, 3, 5))]
    assert found == [(RUN_ID, OWNER, "closed"), (f"{RUN_ID}-r2", "arn:execution:second", "running")]
    assert store.guards_on(date(2026, 3, 6)) == []
    assert [run.run_id for run in store.runs_on(date(2026, 3, 5))] == [RUN_ID, f"{RUN_ID}-r2"]


def test_a_runs_account_is_in_its_guard_row_at_every_epoch(store: Store) -> None:
    store.claim_run(a_run(account_number="PA3ABCDEFGHI"))
    assert [guard.account_number for guard in store.guards_on(date(2026, 3, 5))] == ["PA3ABCDEFGHI"]
    assert store.take_over(RUN_ID, 1, "arn:sweeper").account_number == "PA3ABCDEFGHI"
    found = store.run(RUN_ID)
    assert found is not None
    assert found.account_number == "PA3ABCDEFGHI"
