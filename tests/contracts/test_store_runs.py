"""The Store port's contract for a run's states and its announced mark, run on DynamoDB and in memory."""

from __future__ import annotations

from datetime import date

import pytest

from repeg.domain.errors import Conflict
from repeg.domain.order_ids import LOCAL_TAG, run_prefix
from repeg.domain.run import TRANSITIONS, RunState
from repeg.domain.store_rules import Guard
from repeg.ports import Store
from tests.contracts.words import OWNER, RUN_ID, a_fill, a_run, an_intent, an_order, bring, with_intent


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


def test_a_reconciled_run_stays_reconciled(store: Store) -> None:
    store.claim_run(a_run())
    assert not guard_of(store).is_reconciled
    store.mark_reconciled(RUN_ID)
    store.take_over(RUN_ID, 1, "arn:sweeper")
    assert guard_of(store).is_reconciled
    with pytest.raises(Conflict, match="does not exist"):
        store.mark_reconciled("core-2026-03-06")


def test_a_guard_row_names_the_run_its_owner_and_its_order_ids(store: Store) -> None:
    prefix = run_prefix(LOCAL_TAG, RUN_ID)
    store.claim_run(a_run().model_copy(update={"id_prefix": prefix}))
    guard = guard_of(store)
    assert (guard.run_id, guard.owner, guard.epoch, guard.state, guard.is_over) == (RUN_ID, OWNER, 1, "running", False)
    assert guard.order_prefix == prefix
    run = store.run(RUN_ID)
    assert run is not None
    assert run.order_prefix == prefix
    assert store.guard("core-2026-03-06") is None


def test_a_run_without_a_stored_prefix_has_ids_of_the_previous_release(store: Store) -> None:
    assert store.claim_run(a_run()).order_prefix == guard_of(store).order_prefix == f"rp-{RUN_ID}."


def test_the_books_of_a_run_hold_all_that_is_stored(store: Store) -> None:
    store.claim_run(a_run())
    store.add_orders(RUN_ID, 1, [an_order("MSFT"), an_order("AAPL")])
    order = store.orders(RUN_ID)[0]
    store.write_intent(with_intent(order, an_intent(order)), an_intent(order), 1, [])
    store.book(RUN_ID, [a_fill("late", 9), a_fill("early", 1)])
    books = store.books(RUN_ID)
    assert books.orders == tuple(store.orders(RUN_ID))
    assert books.intents == tuple(store.intents(RUN_ID))
    assert [execution.activity_id for execution in books.executions] == ["early", "late"]
    assert books.unreadable == ()


def guard_of(store: Store) -> Guard:
    """The guard row of the run."""
    guard = store.guard(RUN_ID)
    assert guard is not None
    return guard
