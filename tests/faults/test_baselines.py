"""The baseline executors on seeded days: the judge finds their errors under faults, and none without faults."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyItemAlreadyExistsError
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import DataRecord

from repeg_workbench.faults.baseline_days import BaselineDay
from repeg_workbench.faults.baselines import BASELINES, VirtualRecords
from repeg_workbench.faults.fault_plan import FaultPlan
from repeg_workbench.faults.judges.placed import Orders


@pytest.mark.parametrize("baseline", BASELINES)
def test_baseline_executors_overfill_under_faults(baseline: str) -> None:
    assert any("overfill" in BaselineDay(seed, baseline).run() for seed in range(100))


@pytest.mark.parametrize("baseline", BASELINES)
def test_a_baselines_order_is_attributed_to_its_run(baseline: str) -> None:
    day = BaselineDay(15, baseline)
    day.run()
    orders = Orders(day._world.record.runs)
    sent = {each.client_order_id for each in day._world.record.sent}
    assert sent
    assert {orders.run_of(name) for name in sent} == {day._world.record.runs[0]}


def test_a_baselines_two_live_orders_are_counted() -> None:
    assert "two live orders" in BaselineDay(11, "place_again").run()


@pytest.mark.parametrize("baseline", BASELINES)
def test_a_baselines_order_that_is_left_open_is_counted(baseline: str) -> None:
    """A request arrives late, after its sender has given it up."""
    assert "left open" in BaselineDay(15, baseline).run()


def test_the_decorated_baseline_makes_no_error_without_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FaultPlan, "draw", lambda *_: None)
    days = [BaselineDay(seed, "decorated") for seed in range(12)]
    assert [day.run() for day in days] == [frozenset()] * len(days)
    assert sum((line.filled for day in days for line in day._book), Decimal(0)) > 0


def test_only_an_idempotency_record_in_progress_expires() -> None:
    now = [datetime(2026, 11, 27, 15, 0, tzinfo=UTC)]
    records = VirtualRecords(lambda: now[0])
    begun = DataRecord("key", status="INPROGRESS")
    records._put_record(begun)
    with pytest.raises(IdempotencyItemAlreadyExistsError):
        records._put_record(begun)
    now[0] += timedelta(seconds=51)
    records._put_record(begun)
    records._update_record(DataRecord("key", status="COMPLETED"))
    now[0] += timedelta(days=1)
    with pytest.raises(IdempotencyItemAlreadyExistsError):
        records._put_record(begun)
