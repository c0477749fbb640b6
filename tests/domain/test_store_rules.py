"""Why the store refuses a write: what it says, and at which bound."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from repeg.domain import store_rules
from repeg.domain.errors import BudgetSpent, Conflict, DuplicateRun, RefusedRun
from repeg.domain.limits import BudgetEntry
from repeg.domain.run import KillSwitch, RunState
from repeg.domain.store_rules import Guard, Spent
from tests.builders import an_order

D = Decimal
RUN = "core-2026-11-23"


def a_guard(state: str = "running", epoch: int = 3, id_prefix: str = "") -> Guard:
    return Guard(RUN, "execution-1", epoch, state, id_prefix=id_prefix)


def an_entry(
    notional: str = "100", orders: int = 1, most: str | None = "1000", most_orders: int | None = 5
) -> BudgetEntry:
    return BudgetEntry("day:2026-11-23", D(notional), orders, None if most is None else D(most), most_orders)


def test_a_running_run_at_its_epoch_may_write() -> None:
    assert store_rules.of_run(RUN, a_guard(), 3) is None


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (None, "run core-2026-11-23 does not exist"),
        (a_guard(epoch=4), "run core-2026-11-23 is at epoch 4; this execution holds 3"),
        (a_guard(epoch=2), "run core-2026-11-23 is at epoch 2; this execution holds 3"),
        (a_guard(state="closing"), "run core-2026-11-23 is closing"),
        (a_guard(state="closed"), "run core-2026-11-23 is closed"),
    ],
)
def test_any_other_run_may_not_write(found: Guard | None, says: str) -> None:
    refused = store_rules.of_run(RUN, found, 3)
    assert isinstance(refused, RefusedRun)
    assert str(refused) == says


@pytest.mark.parametrize(
    ("state", "is_over"), [("running", False), ("closing", False), ("closed", True), ("swept", True)]
)
def test_a_run_is_over_once_it_is_closed_or_swept(state: str, is_over: bool) -> None:
    assert a_guard(state).is_over is is_over


def test_a_run_without_a_stored_prefix_has_that_of_its_first_release() -> None:
    assert a_guard(id_prefix="rpg4f-core-261123.").order_prefix == "rpg4f-core-261123."
    assert a_guard().order_prefix.startswith("rp")
    assert a_guard().order_prefix != Guard("core-2026-11-24", "execution-1", 3, "running").order_prefix


def test_only_an_active_kill_switch_lets_a_write_pass() -> None:
    assert store_rules.of_kill_switch(KillSwitch.ACTIVE.value) is None
    for found in (KillSwitch.HALT_NEW.value, KillSwitch.CANCEL_ALL.value, "None", "a later state"):
        refused = store_rules.of_kill_switch(found)
        assert isinstance(refused, RefusedRun)
        assert str(refused) == f"the kill switch is {found}"


def test_a_budget_is_spent_to_its_limit_but_not_past_it() -> None:
    assert store_rules.of_budget(an_entry(), Spent(D(900), 4)) is None
    assert isinstance(store_rules.of_budget(an_entry(), Spent(D("900.01"), 4)), BudgetSpent)
    assert isinstance(store_rules.of_budget(an_entry(), Spent(D(900), 5)), BudgetSpent)


def test_a_budget_without_a_limit_is_never_spent() -> None:
    assert store_rules.of_budget(an_entry(most=None), Spent(D(10**9), 0)) is None
    assert store_rules.of_budget(an_entry(most_orders=None), Spent(D(0), 10**6)) is None


def test_a_budget_of_a_new_row_starts_at_nothing() -> None:
    assert store_rules.of_budget(an_entry("1000", 5), Spent()) is None
    assert store_rules.of_budget(an_entry("1000.01"), Spent()) is not None
    assert store_rules.of_budget(an_entry(orders=6), Spent()) is not None


def test_a_spent_budget_names_what_is_committed_and_what_does_not_fit() -> None:
    dollars = store_rules.of_budget(an_entry(), Spent(D(950), 1))
    assert str(dollars) == "budget day:2026-11-23: 950 dollars of 1000 are committed; 100 more do not fit"
    orders = store_rules.of_budget(an_entry(), Spent(D(0), 5))
    assert str(orders) == "budget day:2026-11-23: 5 orders of 5 are committed; 1 more do not fit"


def test_a_buy_is_refused_unless_its_run_holds_the_funding_lease() -> None:
    assert store_rules.of_funding(RUN, RUN) is None
    assert str(store_rules.of_funding("other", RUN)) == "the funding lease is held by other, not by core-2026-11-23"
    assert str(store_rules.of_funding("", RUN)) == "the funding lease is held by no run, not by core-2026-11-23"


def test_a_conflict_names_what_is_stored_and_what_was_read() -> None:
    order = an_order(version=4)
    duplicate = store_rules.duplicate(RUN, "execution-1")
    assert isinstance(duplicate, DuplicateRun)
    conflicts = [
        store_rules.no_such_run(RUN),
        store_rules.moved_run(RUN, a_guard(), 2),
        store_rules.of_state_change(RUN, a_guard(), 2, RunState.CLOSED),
        store_rules.of_state_change(RUN, a_guard(), 3, RunState.CLOSED),
        store_rules.moved_order(order, None),
        store_rules.moved_order(order, 5),
        store_rules.moved_planning(date(2026, 11, 23), 2, 1),
        store_rules.other_intent("rp-1"),
    ]
    assert {type(conflict) for conflict in conflicts} == {Conflict}
    assert [str(each) for each in (duplicate, *conflicts)] == [
        "run core-2026-11-23 is owned by execution-1",
        "run core-2026-11-23 does not exist",
        "run core-2026-11-23 is at epoch 3, owned by execution-1; this execution holds 2",
        "run core-2026-11-23 is at epoch 3, owned by execution-1; this execution holds 2",
        "run core-2026-11-23 is running; it cannot become closed",
        "order core-2026-11-23 AAPL does not exist; version 4 was read",
        "order core-2026-11-23 AAPL is at version 5; version 4 was read",
        "the plans of 2026-11-23 are at version 2; version 1 was read",
        "intent rp-1 is on the table with other contents",
    ]


def test_a_guard_that_says_nothing_of_its_end_is_not_announced_or_reconciled() -> None:
    assert not a_guard().is_over
    assert not a_guard().is_announced
    assert not a_guard().is_reconciled


def test_a_refusal_is_raised_and_nothing_is_not() -> None:
    store_rules.raise_if(None)
    with pytest.raises(Conflict, match="does not exist"):
        store_rules.raise_if(store_rules.no_such_run(RUN))


def test_only_the_latest_step_of_a_run_may_write() -> None:
    assert store_rules.of_step(RUN, a_guard(), 3, 0) is None
    later = store_rules.of_step(RUN, replace(a_guard(), step=2), 3, 1)
    assert isinstance(later, Conflict)
    assert str(later) == "run core-2026-11-23 has gone on with step 2; this is step 1"


@pytest.mark.parametrize("found", [None, a_guard(epoch=4), a_guard("closing")])
def test_a_run_that_may_not_write_is_refused_whatever_its_step(found: Guard | None) -> None:
    """A later step than that is a conflict, which is tried again; a run at another epoch is not."""
    assert isinstance(store_rules.of_step(RUN, found, 3, 1), RefusedRun)
