"""Writing a run's orders to DynamoDB: interrupted, repeated, concurrent, and in several transactions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from repeg.domain.errors import Conflict, RefusedRun, StoreUnavailable
from repeg.domain.run import RunState
from tests.adapters.dynamodb_table import Table, another
from tests.contracts.words import RUN_ID, a_run, an_order

CROWD = [f"{a}{b}" for a in "ABCDEFGHIJKLM" for b in "NOPQRSTUVWXYZ"]


@pytest.fixture
def table() -> Iterator[Table]:
    with mock_aws():
        yield Table()


def test_orders_whose_answer_was_lost_are_added_once(table: Table) -> None:
    other = table.store.claim_run(a_run(run_id=f"{RUN_ID}-r2"))
    orders = [an_order(symbol, run_id=other.run_id) for symbol in ("AAPL", "KO")]
    table.wire.lost.add("transact_write_items")
    with pytest.raises(StoreUnavailable):
        table.store.add_orders(other.run_id, 1, orders)
    table.wire.lost.clear()
    assert table.store.add_orders(other.run_id, 1, orders).is_planned
    assert table.store.orders(other.run_id) == orders


def test_an_interrupted_planning_is_written_again(table: Table) -> None:
    """Its step died after the first of two transactions; the orders have been sized again since."""
    run_id = table.store.claim_run(a_run(run_id=f"{RUN_ID}-r2")).run_id
    table.wire.first("transact_write_items", lambda: table.wire.down.add("transact_write_items"))
    with pytest.raises(StoreUnavailable):
        table.store.add_orders(run_id, 1, [an_order(symbol, "1", run_id) for symbol in CROWD])
    assert len(table.store.orders(run_id)) == 98
    table.wire.down.clear()
    orders = [an_order(symbol, "2", run_id) for symbol in CROWD]
    assert table.store.add_orders(run_id, 1, orders).is_planned
    assert table.store.orders(run_id) == orders


def test_a_plan_finished_by_a_concurrent_step_is_kept(table: Table) -> None:
    run_id = table.store.claim_run(a_run(run_id=f"{RUN_ID}-r2")).run_id
    theirs, ours = an_order("AAPL", "1", run_id), [an_order("AAPL", "2", run_id), an_order("KO", "2", run_id)]
    table.wire.first("get_item", lambda: another(table).add_orders(run_id, 1, [theirs]))
    assert table.store.add_orders(run_id, 1, ours).is_planned
    assert table.store.orders(run_id) == [theirs]


def test_a_plan_is_refused_once_a_sweep_has_fenced_its_run(table: Table) -> None:
    """The run is fenced after its state was read and before its orders are written."""
    run_id = table.store.claim_run(a_run(run_id=f"{RUN_ID}-r2")).run_id
    table.wire.first("get_item", lambda: another(table).set_run_state(run_id, 1, RunState.CLOSING))
    with pytest.raises(RefusedRun):
        table.store.add_orders(run_id, 1, [an_order("AAPL", "1", run_id)])
    assert table.store.orders(run_id) == []


def test_a_plan_between_two_transactions_is_not_written_past_another_runs(table: Table) -> None:
    """Another run is planned between the two: the second transaction is refused, and so is the plan."""
    day = a_run().trading_day.day
    run_id = table.store.claim_run(a_run(run_id=f"{RUN_ID}-r2")).run_id
    other = table.store.claim_run(a_run(run_id=f"{RUN_ID}-r3")).run_id
    read = table.store.planning_version(day)
    table.wire.first("transact_write_items", lambda: another(table).add_orders(other, 1, []))
    orders = [an_order(symbol, "1", run_id) for symbol in CROWD]
    with pytest.raises(Conflict, match=f"version {read} was read"):
        table.store.add_orders(run_id, 1, orders, read)
    assert table.store.add_orders(run_id, 1, orders, read + 1).is_planned
