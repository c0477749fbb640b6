"""Reservations and the funding lease, on DynamoDB and in memory."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from repeg.domain.errors import BudgetSpent, Conflict, RefusedRun
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import KillSwitch, RunState
from repeg.domain.time_limits import FUNDING_LEASE
from repeg.ports import Store
from tests.contracts.words import DAY_BUDGET, NOON, RUN_ID, a_budget, a_run, an_intent, an_order, with_intent


@pytest.fixture
def planned(store: Store) -> Store:
    """A store that holds a running run with one order."""
    store.claim_run(a_run())
    store.add_orders(RUN_ID, 1, [an_order()])
    return store


def reserving(order: ParentOrder) -> ParentOrder:
    """The order with a hundred dollars more committed, as a reservation writes it."""
    return order.reserving(order.committed + 100)


def test_a_reservation_stores_the_order_and_debits_the_budgets(planned: Store) -> None:
    reserved = planned.reserve(reserving(an_order()), 1, [a_budget(notional="100", max_notional="150")])
    assert planned.orders(RUN_ID) == [reserved]
    assert (reserved.committed, reserved.reserved_orders) == (Decimal(100), 1)
    with pytest.raises(BudgetSpent, match="100 dollars of 150"):
        planned.reserve(reserving(reserved), 1, [a_budget(notional="100", max_notional="150")])


def test_a_repeated_reservation_changes_nothing(planned: Store) -> None:
    budget = a_budget(notional="100", max_notional="150")
    assert planned.reserve(reserving(an_order()), 1, [budget]) == planned.reserve(reserving(an_order()), 1, [budget])


def test_a_reservation_is_refused_under_the_kill_switch(planned: Store) -> None:
    planned.set_kill_switch(KillSwitch.HALT_NEW)
    with pytest.raises(RefusedRun, match="kill switch is halt_new"):
        planned.reserve(reserving(an_order()), 1, [])


def test_a_reservation_of_a_changed_order_is_a_conflict(planned: Store) -> None:
    planned.save_order(an_order())
    with pytest.raises(Conflict, match="version 0 was read"):
        planned.reserve(reserving(an_order()), 1, [])


def test_the_funding_lease_has_one_holder_until_it_expires(store: Store) -> None:
    later = NOON + timedelta(seconds=60)
    assert store.acquire_funding("first@1", NOON, later)
    assert not store.acquire_funding("second@1", NOON + timedelta(seconds=59), later)
    assert not store.acquire_funding("second@1", later, later)
    assert store.acquire_funding("first@1", NOON + timedelta(seconds=30), later)
    assert store.acquire_funding("second@1", later + timedelta(seconds=1), later + timedelta(seconds=61))


def test_a_released_funding_lease_is_free_at_once(store: Store) -> None:
    later = NOON + timedelta(seconds=60)
    assert store.acquire_funding("first@1", NOON, later)
    store.release_funding("second@1")
    assert not store.acquire_funding("second@1", NOON, later)
    store.release_funding("first@1")
    assert store.acquire_funding("second@1", NOON, later)


def test_an_intent_written_again_once_its_order_has_changed_is_a_conflict(planned: Store) -> None:
    intent = an_intent(an_order())
    grown = with_intent(an_order(), intent)
    planned.save_order(planned.write_intent(grown, intent, 1, []))
    with pytest.raises(Conflict):
        planned.write_intent(grown, intent, 1, [])


def test_an_intent_is_refused_once_its_funding_lease_has_passed_on(planned: Store) -> None:
    later = NOON + timedelta(seconds=60)
    planned.acquire_funding("first@1", NOON, later)
    intent = an_intent(an_order())
    grown = with_intent(an_order(), intent)
    planned.release_funding("first@1")
    planned.acquire_funding("second@1", NOON, later)
    with pytest.raises(RefusedRun, match="held by second@1, not by first@1"):
        planned.write_intent(grown, intent, 1, [], "first@1")
    assert planned.intents(RUN_ID) == []
    assert planned.write_intent(grown, intent, 1, [], "second@1").version == 1


def test_an_intent_is_refused_if_no_run_has_ever_held_the_funding_lease(planned: Store) -> None:
    intent = an_intent(an_order())
    with pytest.raises(RefusedRun, match="held by no run, not by first@1"):
        planned.write_intent(with_intent(an_order(), intent), intent, 1, [], "first@1")


def test_a_saved_order_gives_back_its_credits_once(planned: Store) -> None:
    full = a_budget(notional="100", max_notional="100", max_orders=1)
    ended = planned.reserve(reserving(an_order()), 1, [full]).keeping(Decimal(0))
    credit = a_budget(notional="-100", orders=-1)
    assert planned.save_order(ended, [credit]) == planned.save_order(ended, [credit])
    planned.reserve(reserving(planned.orders(RUN_ID)[0]), 1, [full])
    with pytest.raises(BudgetSpent):
        planned.reserve(reserving(planned.orders(RUN_ID)[0]), 1, [full])


def test_a_late_fill_is_debited_whatever_the_budgets_limits(planned: Store) -> None:
    spent = a_budget(notional="100", orders=1, max_notional="50", max_orders=0)
    planned.save_order(an_order().keeping(Decimal(100)), [spent])
    with pytest.raises(BudgetSpent, match="100 dollars of 100"):
        planned.reserve(reserving(planned.orders(RUN_ID)[0]), 1, [a_budget(notional="1", max_notional="100")])


def test_a_changed_order_gives_back_nothing(planned: Store) -> None:
    full = a_budget(notional="100", max_notional="100")
    planned.reserve(reserving(an_order()), 1, [full])
    with pytest.raises(Conflict, match="version 0 was read"):
        planned.save_order(an_order(), [a_budget(notional="-100")])
    with pytest.raises(BudgetSpent, match="100 dollars of 100"):
        planned.reserve(reserving(planned.orders(RUN_ID)[0]), 1, [full])


@pytest.mark.parametrize("state", [RunState.CLOSING, RunState.SWEPT])
def test_an_order_gives_back_its_credits_while_its_run_ends(planned: Store, state: RunState) -> None:
    day = a_budget(DAY_BUDGET, notional="100", max_notional="100")
    reserved = planned.reserve(reserving(an_order()), 1, [day])
    planned.set_run_state(RUN_ID, 1, RunState.CLOSING)
    planned.set_run_state(RUN_ID, 1, state)
    planned.set_kill_switch(KillSwitch.HALT_NEW)
    planned.save_order(reserved.keeping(Decimal(0)), [a_budget(DAY_BUDGET, notional="-100")])
    planned.set_kill_switch(KillSwitch.ACTIVE)
    second = planned.claim_run(a_run(run_id=f"{RUN_ID}-r2"))
    planned.add_orders(second.run_id, 1, [an_order(run_id=second.run_id)])
    assert planned.reserve(reserving(an_order(run_id=second.run_id)), 1, [day]).committed == 100


def test_an_intent_extends_the_funding_lease_of_its_holder(planned: Store) -> None:
    """A living step may take longer than its lease; only a dead one loses it."""
    planned.acquire_funding("first", NOON - timedelta(seconds=15), NOON + timedelta(seconds=5))
    intent = an_intent(an_order())
    assert intent.decided_at == NOON
    planned.write_intent(with_intent(an_order(), intent), intent, 1, [], "first")
    end = NOON + FUNDING_LEASE
    assert not planned.acquire_funding("second", end - timedelta(seconds=1), end + FUNDING_LEASE)
    assert planned.acquire_funding("second", end + timedelta(seconds=1), end + FUNDING_LEASE)
