"""The Store port's contract, run on DynamoDB and in memory."""

from __future__ import annotations

from datetime import timedelta

import pytest

from repeg.domain.errors import Conflict, DuplicateRun, RefusedRun
from repeg.domain.limits import BudgetEntry
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import KillSwitch, RunState
from repeg.ports import Store
from tests.builders import a_report_of
from tests.contracts.words import (
    DAY_BUDGET,
    NOON,
    OWNER,
    RUN_ID,
    a_budget,
    a_fill,
    a_run,
    an_intent,
    an_order,
    bring,
    with_intent,
)


@pytest.fixture
def planned(store: Store) -> Store:
    """A store that holds a running run with one order."""
    store.claim_run(a_run())
    store.add_orders(RUN_ID, 1, [an_order()])
    return store


def place(store: Store, n: int = 1, epoch: int = 1, budgets: tuple[BudgetEntry, ...] = ()) -> ParentOrder:
    """Write attempt `n` of the only order as stored."""
    (order,) = store.orders(RUN_ID)
    intent = an_intent(order, n)
    return store.write_intent(with_intent(order, intent), intent, epoch, budgets)


def nothing_was_written(store: Store) -> bool:
    """Whether the order is unchanged and there is no intent."""
    return store.orders(RUN_ID) == [an_order()] and store.intents(RUN_ID) == []


# Runs


def test_an_unclaimed_run_does_not_exist(store: Store) -> None:
    assert store.run(RUN_ID) is None


def test_a_claimed_run_reads_back_as_it_was_claimed(store: Store) -> None:
    assert store.claim_run(a_run()) == a_run()
    assert store.run(RUN_ID) == a_run()


def test_a_repeated_claim_by_the_owner_returns_the_current_run(store: Store) -> None:
    store.claim_run(a_run())
    store.set_run_state(RUN_ID, 1, RunState.CLOSING)
    again = store.claim_run(a_run().model_copy(update={"started_at": NOON + timedelta(minutes=1)}))
    assert again == a_run().model_copy(update={"state": RunState.CLOSING})


def test_a_claim_by_another_owner_is_a_duplicate_naming_the_first(store: Store) -> None:
    store.claim_run(a_run())
    with pytest.raises(DuplicateRun, match="arn:execution:first"):
        store.claim_run(a_run(owner="arn:execution:second"))
    assert store.run(RUN_ID) == a_run()


def test_a_taken_over_run_is_a_duplicate_for_its_first_owner(store: Store) -> None:
    store.claim_run(a_run())
    store.take_over(RUN_ID, 1, "arn:sweeper")
    with pytest.raises(DuplicateRun, match="arn:sweeper"):
        store.claim_run(a_run())


def test_two_runs_do_not_see_each_others_orders(store: Store) -> None:
    store.claim_run(a_run())
    other = store.claim_run(a_run(run_id=f"{RUN_ID}-r2"))
    store.add_orders(other.run_id, 1, [an_order(run_id=other.run_id)])
    assert store.orders(RUN_ID) == []
    assert store.run(RUN_ID) == a_run()


def test_a_takeover_raises_the_epoch_and_changes_the_owner(store: Store) -> None:
    store.claim_run(a_run())
    taken = store.take_over(RUN_ID, 1, "arn:sweeper")
    assert (taken.epoch, taken.owner, taken.state) == (2, "arn:sweeper", RunState.RUNNING)
    assert store.guard(RUN_ID) == taken
    assert store.run(RUN_ID) == a_run().held_by("arn:sweeper", 2)


def test_a_repeated_takeover_by_the_same_owner_changes_nothing(store: Store) -> None:
    store.claim_run(a_run())
    assert store.take_over(RUN_ID, 1, "arn:sweeper") == store.take_over(RUN_ID, 1, "arn:sweeper")


def test_a_takeover_loses_to_an_earlier_one(store: Store) -> None:
    store.claim_run(a_run())
    store.take_over(RUN_ID, 1, "arn:sweeper")
    with pytest.raises(Conflict, match="epoch 2"):
        store.take_over(RUN_ID, 1, "arn:other")


def test_a_takeover_from_an_older_epoch_is_a_conflict(store: Store) -> None:
    store.claim_run(a_run())
    store.take_over(RUN_ID, 1, "arn:sweeper")
    store.take_over(RUN_ID, 2, "arn:sweeper")
    with pytest.raises(Conflict, match="epoch 3"):
        store.take_over(RUN_ID, 1, "arn:sweeper")


def test_a_takeover_of_an_unknown_run_is_a_conflict(store: Store) -> None:
    with pytest.raises(Conflict, match="does not exist"):
        store.take_over(RUN_ID, 1, "arn:sweeper")


def test_a_fenced_execution_cannot_change_the_state(store: Store) -> None:
    store.claim_run(a_run())
    store.take_over(RUN_ID, 1, "arn:sweeper")
    with pytest.raises(Conflict, match="epoch 2"):
        store.set_run_state(RUN_ID, 1, RunState.CLOSED)
    with pytest.raises(Conflict, match="does not exist"):
        store.set_run_state("core-2026-03-06", 1, RunState.CLOSED)


def test_the_last_report_is_stored_with_the_run(store: Store) -> None:
    store.claim_run(a_run())
    store.save_report(RUN_ID, a_report_of(outcome="failed"))
    store.save_report(RUN_ID, a_report_of())
    found = store.run(RUN_ID)
    assert found is not None
    assert found.report == a_report_of()


def test_a_report_and_a_state_change_do_not_overwrite_each_other(store: Store) -> None:
    store.claim_run(a_run())
    store.save_report(RUN_ID, a_report_of(outcome="failed"))
    closed = bring(store, RunState.CLOSED)
    assert (closed.state, closed.report) == (RunState.CLOSED, a_report_of(outcome="failed"))


def test_a_report_of_an_unknown_run_is_a_conflict(store: Store) -> None:
    with pytest.raises(Conflict, match="does not exist"):
        store.save_report(RUN_ID, a_report_of(outcome="failed"))
    assert store.run(RUN_ID) is None


# Orders


def test_a_run_without_orders_has_an_empty_list(store: Store) -> None:
    assert store.orders(RUN_ID) == []


def test_added_orders_are_sorted_by_symbol_and_mark_the_run_planned(store: Store) -> None:
    store.claim_run(a_run())
    planned = store.add_orders(RUN_ID, 1, [an_order("MSFT"), an_order("BRK.B"), an_order("AAPL", target="0.5")])
    assert planned.is_planned
    assert store.orders(RUN_ID) == [an_order("AAPL", target="0.5"), an_order("BRK.B"), an_order("MSFT")]


def test_a_planned_run_ignores_further_orders(planned: Store) -> None:
    saved = planned.save_order(planned.orders(RUN_ID)[0].model_copy(update={"moves": 3}))
    planned.add_orders(RUN_ID, 1, [an_order(target="99"), an_order("MSFT")])
    assert planned.orders(RUN_ID) == [saved]


def test_a_fenced_or_closing_run_cannot_be_planned(store: Store) -> None:
    store.claim_run(a_run())
    store.take_over(RUN_ID, 1, "arn:sweeper")
    with pytest.raises(RefusedRun, match="epoch 2"):
        store.add_orders(RUN_ID, 1, [an_order()])
    store.set_run_state(RUN_ID, 2, RunState.CLOSING)
    with pytest.raises(RefusedRun, match="is closing"):
        store.add_orders(RUN_ID, 2, [an_order()])
    with pytest.raises(RefusedRun, match="does not exist"):
        store.add_orders("core-2026-03-06", 1, [an_order()])
    assert store.orders(RUN_ID) == []


def test_orders_beyond_one_transaction_are_all_added(store: Store) -> None:
    store.claim_run(a_run())
    symbols = [f"{a}{b}{c}" for a in "ABCDE" for b in "FGHIJ" for c in "KLMNOPQRST"]
    store.add_orders(RUN_ID, 1, [an_order(symbol) for symbol in symbols])
    assert [order.symbol for order in store.orders(RUN_ID)] == symbols


def test_saving_an_order_increments_its_version(planned: Store) -> None:
    (order,) = planned.orders(RUN_ID)
    saved = planned.save_order(order.model_copy(update={"moves": 3}))
    assert (saved.version, saved.moves) == (1, 3)
    assert planned.orders(RUN_ID) == [saved]


def test_saving_an_order_from_a_stale_version_is_a_conflict(planned: Store) -> None:
    (order,) = planned.orders(RUN_ID)
    theirs = planned.save_order(order.model_copy(update={"moves": 1}))
    with pytest.raises(Conflict, match="is at version 1; version 0 was read"):
        planned.save_order(order.model_copy(update={"moves": 2}))
    assert planned.orders(RUN_ID) == [theirs]


def test_saving_an_identical_order_again_is_no_conflict(planned: Store) -> None:
    """The first save succeeded and its answer was lost."""
    moved = planned.orders(RUN_ID)[0].model_copy(update={"moves": 3})
    assert planned.save_order(moved) == planned.save_order(moved)
    assert planned.orders(RUN_ID)[0].version == 1


def test_saving_an_unplanned_order_is_a_conflict(planned: Store) -> None:
    with pytest.raises(Conflict, match="MSFT does not exist"):
        planned.save_order(an_order("MSFT"))
    assert planned.orders(RUN_ID) == [an_order()]


# Intents


def test_an_intent_and_its_order_are_written_together(planned: Store) -> None:
    written = place(planned)
    intent = an_intent(an_order())
    assert planned.intents(RUN_ID) == [intent]
    assert planned.orders(RUN_ID) == [written] == [with_intent(an_order(), intent).model_copy(update={"version": 1})]


def test_an_intent_without_a_limit_reads_back_as_a_market_order(planned: Store) -> None:
    intent = an_intent(an_order()).model_copy(update={"limit": None})
    planned.write_intent(with_intent(an_order(), intent), intent, 1, [])
    assert planned.intents(RUN_ID)[0].limit is None


def test_an_identical_intent_written_again_is_debited_once(planned: Store) -> None:
    intent = an_intent(an_order())
    grown = with_intent(an_order(), intent)
    budget = a_budget(notional="600", max_notional="1000")
    assert planned.write_intent(grown, intent, 1, [budget]) == planned.write_intent(grown, intent, 1, [budget])
    second = an_intent(an_order(), n=2)
    (order,) = planned.orders(RUN_ID)
    planned.write_intent(with_intent(order, second), second, 1, [a_budget(notional="400", max_notional="1000")])
    assert len(planned.intents(RUN_ID)) == 2


def test_an_intent_is_immutable(planned: Store) -> None:
    place(planned)
    (order,) = planned.orders(RUN_ID)
    other = an_intent(order, limit="189.43")
    with pytest.raises(Conflict, match="other contents"):
        planned.write_intent(with_intent(order, other), other, 1, [])
    assert planned.intents(RUN_ID) == [an_intent(an_order())]
    assert planned.orders(RUN_ID) == [order]


def test_an_intent_for_a_stale_order_is_a_conflict(planned: Store) -> None:
    planned.save_order(an_order().model_copy(update={"moves": 1}))
    intent = an_intent(an_order())
    with pytest.raises(Conflict, match="is at version 1; version 0 was read"):
        planned.write_intent(with_intent(an_order(), intent), intent, 1, [])
    assert planned.intents(RUN_ID) == []


def test_an_intent_for_an_unplanned_order_is_a_conflict(planned: Store) -> None:
    order = an_order("MSFT")
    intent = an_intent(order)
    with pytest.raises(Conflict, match="MSFT does not exist"):
        planned.write_intent(with_intent(order, intent), intent, 1, [])
    assert nothing_was_written(planned)


def test_a_fenced_execution_writes_no_intent(planned: Store) -> None:
    planned.take_over(RUN_ID, 1, "arn:sweeper")
    with pytest.raises(RefusedRun, match="epoch 2; this execution holds 1"):
        place(planned)
    assert nothing_was_written(planned)


@pytest.mark.parametrize("state", [RunState.CLOSING, RunState.CLOSED, RunState.SWEPT])
def test_a_closing_or_finished_run_writes_no_intent(planned: Store, state: RunState) -> None:
    bring(planned, state)
    with pytest.raises(RefusedRun, match=f"is {state}"):
        place(planned)
    assert nothing_was_written(planned)


def test_an_intent_of_an_unknown_run_is_refused(store: Store) -> None:
    intent = an_intent(an_order())
    with pytest.raises(RefusedRun, match="does not exist"):
        store.write_intent(with_intent(an_order(), intent), intent, 1, [])
    assert store.intents(RUN_ID) == []


@pytest.mark.parametrize("state", [KillSwitch.HALT_NEW, KillSwitch.CANCEL_ALL])
def test_the_kill_switch_blocks_intents_until_it_is_active_again(planned: Store, state: KillSwitch) -> None:
    planned.set_kill_switch(state)
    with pytest.raises(RefusedRun, match=f"kill switch is {state}"):
        place(planned)
    assert nothing_was_written(planned)
    planned.set_kill_switch(KillSwitch.ACTIVE)
    place(planned)
    assert len(planned.intents(RUN_ID)) == 1


def test_the_kill_switch_refuses_a_retried_intent(planned: Store) -> None:
    """Even if the first write succeeded and only its answer was lost."""
    intent = an_intent(an_order())
    planned.write_intent(with_intent(an_order(), intent), intent, 1, [])
    planned.set_kill_switch(KillSwitch.HALT_NEW)
    with pytest.raises(RefusedRun, match="kill switch is halt_new"):
        planned.write_intent(with_intent(an_order(), intent), intent, 1, [a_budget()])


def test_the_most_serious_refusal_is_reported_first(planned: Store) -> None:
    planned.take_over(RUN_ID, 1, "arn:sweeper")
    planned.set_kill_switch(KillSwitch.HALT_NEW)
    with pytest.raises(RefusedRun, match="epoch 2"):
        place(planned, budgets=(a_budget(max_notional="1"),))


# Budgets


def test_a_budget_accepts_amounts_up_to_exactly_its_limit(planned: Store) -> None:
    place(planned, 1, budgets=(a_budget(notional="600.10", max_notional="1000.10"),))
    place(planned, 2, budgets=(a_budget(notional="400.00", max_notional="1000.10"),))
    with pytest.raises(RefusedRun, match=r"budget run:core-2026-03-05: 1000\.1\d* dollars of 1000\.10 .* 0\.01 more"):
        place(planned, 3, budgets=(a_budget(notional="0.01", max_notional="1000.10"),))
    assert len(planned.intents(RUN_ID)) == 2


def test_an_amount_over_the_limit_does_not_fit_an_empty_budget(planned: Store) -> None:
    with pytest.raises(RefusedRun, match=r"0 dollars of 1000 are committed; 1000\.01 more do not fit"):
        place(planned, budgets=(a_budget(notional="1000.01", max_notional="1000"),))
    assert nothing_was_written(planned)


def test_a_budget_limits_the_number_of_orders(planned: Store) -> None:
    for n in (1, 2):
        place(planned, n, budgets=(a_budget(max_orders=2),))
    with pytest.raises(RefusedRun, match="2 orders of 2 are committed; 1 more do not fit"):
        place(planned, 3, budgets=(a_budget(max_orders=2),))
    assert len(planned.intents(RUN_ID)) == 2


def test_a_budget_of_zero_orders_refuses_the_first(planned: Store) -> None:
    with pytest.raises(RefusedRun, match="0 orders of 0"):
        place(planned, budgets=(a_budget(max_orders=0),))
    assert nothing_was_written(planned)


def test_a_budget_without_limits_accepts_any_amount(planned: Store) -> None:
    place(planned, 1, budgets=(a_budget(notional="1e9"),))
    place(planned, 2, budgets=(a_budget(notional="1e9"),))
    assert len(planned.intents(RUN_ID)) == 2


def test_a_credited_amount_frees_the_budget(planned: Store) -> None:
    place(planned, 1, budgets=(a_budget(notional="1000", max_notional="1000"),))
    place(planned, 2, budgets=(a_budget(notional="-300.50", max_notional="1000"),))
    place(planned, 3, budgets=(a_budget(notional="300.50", max_notional="1000"),))
    with pytest.raises(RefusedRun, match="do not fit"):
        place(planned, 4, budgets=(a_budget(notional="0.01", max_notional="1000"),))


def test_an_amount_refused_by_a_budget_is_debited_from_no_other(planned: Store) -> None:
    tight = a_budget(DAY_BUDGET, notional="600", max_notional="500")
    wide = a_budget(notional="600", max_notional="1000")
    with pytest.raises(RefusedRun, match="budget day:2026-03-05"):
        place(planned, budgets=(wide, tight))
    place(planned, 1, budgets=(a_budget(notional="1000", max_notional="1000"),))
    assert len(planned.intents(RUN_ID)) == 1


def test_the_day_budget_is_shared_between_runs(planned: Store) -> None:
    place(planned, budgets=(a_budget(DAY_BUDGET, max_orders=1), a_budget(max_orders=1)))
    other = planned.claim_run(a_run(run_id=f"{RUN_ID}-r2"))
    order = an_order(run_id=other.run_id)
    planned.add_orders(other.run_id, 1, [order])
    intent = an_intent(order)
    own = a_budget(f"run:{other.run_id}", max_orders=1)
    with pytest.raises(RefusedRun, match="budget day:2026-03-05: 1 orders of 1"):
        planned.write_intent(with_intent(order, intent), intent, 1, [own, a_budget(DAY_BUDGET, max_orders=1)])
    planned.write_intent(with_intent(order, intent), intent, 1, [own])


# Fills


def test_a_repeated_fill_is_booked_once(planned: Store) -> None:
    assert planned.book(RUN_ID, [a_fill("a"), a_fill("b")]) == [a_fill("a"), a_fill("b")]
    assert planned.book(RUN_ID, [a_fill("b"), a_fill("c"), a_fill("a")]) == [a_fill("c")]
    assert planned.executions(RUN_ID) == [a_fill("a"), a_fill("b"), a_fill("c")]


def test_a_fill_listed_twice_in_one_batch_is_booked_once(planned: Store) -> None:
    assert planned.book(RUN_ID, [a_fill("a"), a_fill("a")]) == [a_fill("a")]
    assert planned.executions(RUN_ID) == [a_fill("a")]


def test_a_booked_fill_is_never_overwritten(planned: Store) -> None:
    planned.book(RUN_ID, [a_fill("a", qty="10")])
    assert planned.book(RUN_ID, [a_fill("a", qty="99")]) == []
    assert planned.executions(RUN_ID) == [a_fill("a", qty="10")]


def test_executions_are_sorted_by_time(planned: Store) -> None:
    planned.book(RUN_ID, [a_fill("a", seconds=9), a_fill("b", seconds=3), a_fill("c", seconds=3)])
    assert [e.activity_id for e in planned.executions(RUN_ID)] == ["b", "c", "a"]


def test_booking_no_fills_changes_nothing(planned: Store) -> None:
    assert planned.book(RUN_ID, []) == []
    assert planned.executions(RUN_ID) == []


# Request leases


def test_a_bucket_grants_exactly_its_quota(store: Store) -> None:
    bucket = "2026-03-05T17:00:10+00:00"
    assert store.lease_requests(bucket, 4, 9)
    assert store.lease_requests(bucket, 4, 9)
    assert not store.lease_requests(bucket, 4, 9)
    assert store.lease_requests(bucket, 1, 9)
    assert not store.lease_requests(bucket, 1, 9)


def test_requests_reserved_for_others_are_not_leased(store: Store) -> None:
    bucket = "2026-03-05T17:00:10+00:00"
    assert store.lease_requests(bucket, 4, 7)
    assert not store.lease_requests(bucket, 4, 7)
    assert store.lease_requests(bucket, 4, 9)


def test_a_lease_beyond_the_quota_is_refused_on_an_empty_bucket(store: Store) -> None:
    assert not store.lease_requests("2026-03-05T17:00:10+00:00", 4, 3)


def test_each_bucket_has_its_own_quota(store: Store) -> None:
    assert store.lease_requests("2026-03-05T17:00:10+00:00", 4, 4)
    assert store.lease_requests("2026-03-05T17:00:20+00:00", 4, 4)


# Owners and heartbeats


def test_an_execution_finds_its_claimed_or_taken_over_run(store: Store) -> None:
    store.claim_run(a_run())
    assert store.guard_of("arn:sweeper") is None
    taken = store.take_over(RUN_ID, 1, "arn:sweeper")
    assert store.guard_of("arn:sweeper") == taken
    assert store.guard_of(OWNER) == taken


def test_an_execution_with_a_failed_claim_holds_no_run(store: Store) -> None:
    store.claim_run(a_run())
    with pytest.raises(DuplicateRun):
        store.claim_run(a_run(owner="arn:execution:second"))
    with pytest.raises(Conflict):
        store.take_over(RUN_ID, 7, "arn:sweeper")
    assert store.guard_of("arn:execution:second") is None
    assert store.guard_of("arn:sweeper") is None


def test_the_last_turn_is_the_latest_heartbeat(planned: Store) -> None:
    assert planned.last_turn(RUN_ID) is None
    planned.record_heartbeat(RUN_ID, NOON)
    planned.record_heartbeat(RUN_ID, NOON + timedelta(seconds=30, microseconds=1))
    assert planned.last_turn(RUN_ID) == NOON + timedelta(seconds=30, microseconds=1)
    assert planned.last_turn(f"{RUN_ID}-r2") is None


# The kill switch


def test_the_kill_switch_is_active_by_default(store: Store) -> None:
    assert store.kill_switch() is KillSwitch.ACTIVE


@pytest.mark.parametrize("state", list(KillSwitch))
def test_the_kill_switch_reads_back_as_it_was_set(store: Store, state: KillSwitch) -> None:
    store.set_kill_switch(KillSwitch.CANCEL_ALL)
    store.set_kill_switch(state)
    assert store.kill_switch() is state


# The account's request quota


def test_a_bucket_never_grants_more_than_its_quota(store: Store) -> None:
    assert [store.lease_requests(NOON.isoformat(), 4, 10) for _ in range(4)] == [True, True, False, False]
    assert store.lease_requests(NOON.isoformat(), 2, 10)
    assert not store.lease_requests(NOON.isoformat(), 1, 10)


def test_a_refused_lease_takes_nothing(store: Store) -> None:
    assert not store.lease_requests(NOON.isoformat(), 11, 10)
    assert store.lease_requests(NOON.isoformat(), 10, 10)


def test_an_exhausted_bucket_leaves_the_next_one_full(store: Store) -> None:
    assert store.lease_requests(NOON.isoformat(), 10, 10)
    assert store.lease_requests((NOON + timedelta(seconds=10)).isoformat(), 10, 10)
    assert not store.lease_requests(NOON.isoformat(), 1, 10)


def test_a_higher_cap_can_lease_the_reserved_requests(store: Store) -> None:
    assert store.lease_requests(NOON.isoformat(), 8, 8)
    assert not store.lease_requests(NOON.isoformat(), 1, 8)
    assert store.lease_requests(NOON.isoformat(), 2, 10)
    assert not store.lease_requests(NOON.isoformat(), 1, 10)
