"""The planning version: two runs of a day that plan at once cannot both miss the other's orders."""

from __future__ import annotations

import pytest

from repeg.domain.errors import Conflict
from repeg.ports import Store
from tests.contracts.words import RUN_ID, a_run, an_order

DAY = a_run().trading_day.day
OTHER = "tilt-2026-03-05"


@pytest.fixture
def two(store: Store) -> Store:
    """A store with two runs of one day, neither planned."""
    store.claim_run(a_run())
    store.claim_run(a_run(OTHER, "arn:execution:second"))
    return store


def test_the_planning_version_rises_with_each_planned_run(two: Store) -> None:
    assert two.planning_version(DAY) == 0
    two.add_orders(RUN_ID, 1, [an_order()], 0)
    assert two.planning_version(DAY) == 1
    two.add_orders(OTHER, 1, [an_order(run_id=OTHER)])
    assert two.planning_version(DAY) == 2
    assert two.planning_version(DAY.replace(day=6)) == 0


@pytest.mark.parametrize("others_version", [0, None])
def test_orders_sized_before_another_runs_plan_are_a_conflict(two: Store, others_version: int | None) -> None:
    two.add_orders(OTHER, 1, [an_order(run_id=OTHER)], others_version)
    with pytest.raises(Conflict, match="the plans of 2026-03-05 are at version 1; version 0 was read"):
        two.add_orders(RUN_ID, 1, [an_order()], 0)
    run = two.run(RUN_ID)
    assert run is not None
    assert (run.is_planned, two.orders(RUN_ID), two.planning_version(DAY)) == (False, [], 1)
    assert two.add_orders(RUN_ID, 1, [an_order()], 1).is_planned


def test_orders_that_depend_on_no_other_run_are_never_a_conflict(two: Store) -> None:
    two.add_orders(OTHER, 1, [an_order(run_id=OTHER)])
    assert two.add_orders(RUN_ID, 1, [an_order()]).is_planned


def test_a_repeated_plan_does_not_raise_the_planning_version(two: Store) -> None:
    two.add_orders(RUN_ID, 1, [an_order()], 0)
    assert two.add_orders(RUN_ID, 1, [an_order(target="99")], 0).is_planned
    assert (two.planning_version(DAY), two.orders(RUN_ID)) == (1, [an_order()])


def test_a_plan_of_several_transactions_raises_the_version_once(two: Store) -> None:
    symbols = [f"{a}{b}{c}" for a in "ABCDE" for b in "FGHIJ" for c in "KLMNOPQR"]
    two.add_orders(RUN_ID, 1, [an_order(symbol) for symbol in symbols], 0)
    assert two.planning_version(DAY) == 1
    assert len(two.orders(RUN_ID)) == 200
