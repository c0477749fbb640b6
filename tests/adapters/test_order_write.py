"""What a transaction on orders holds, and what its refusal means."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from repeg.adapters.dynamodb import rows
from repeg.adapters.dynamodb.encoding import Put, Row
from repeg.adapters.dynamodb.order_write import OrderWrite
from repeg.adapters.dynamodb.plan_write import PlanWrite
from repeg.domain.errors import StoreUnavailable
from tests.contracts.words import RUN_ID, a_budget, a_run, an_intent, an_order, with_intent


def test_a_transaction_refused_without_a_failed_condition_is_an_outage() -> None:
    intent = an_intent(an_order())
    write = OrderWrite(with_intent(an_order(), intent), intent, 1, [a_budget(notional="100", max_notional="150")], 1)
    refused = write.refusal({})
    assert isinstance(refused, StoreUnavailable)
    assert "refused without a failed condition" in str(refused)


@pytest.mark.parametrize(
    ("orders", "sizes"), [(0, [2]), (1, [3]), (98, [100]), (99, [100, 3]), (196, [100, 100]), (197, [100, 100, 3])]
)
def test_a_plans_orders_are_written_once_in_as_few_transactions_as_fit(orders: int, sizes: list[int]) -> None:
    planned = [an_order(f"S{number}") for number in range(orders)]
    transactions = list(PlanWrite("core-2026-03-05", 1, date(2026, 3, 5), planned, 1).transactions)
    assert [len(actions) for actions in transactions] == sizes
    written = [action.row["sk"] for actions in transactions for action in actions if isinstance(action, Put)]
    assert len(set(written)) == len(written) == orders


RUNNING = rows.guard_row(a_run())
"""The guard row of a run at epoch 1; where its check fails nevertheless, the run is planned."""


@pytest.mark.parametrize(
    ("found", "meaning"),
    [
        ({1: {"version": Decimal(3)}}, "the plans of 2026-03-05 are at version 3; version 2 was read"),
        ({1: None}, "the plans of 2026-03-05 are at version 0; version 2 was read"),
        ({0: {**RUNNING, "epoch": 5}, 1: {"version": Decimal(3)}}, "is at epoch 5; this execution holds 1"),
        ({0: RUNNING, 1: {"version": Decimal(3)}}, ""),
        ({0: RUNNING}, ""),
        ({}, ""),
    ],
)
def test_a_refused_plan_names_the_run_before_the_plans_of_others(found: dict[int, Row | None], meaning: str) -> None:
    refusal = PlanWrite(RUN_ID, 1, date(2026, 3, 5), [], 2).refusal(found)
    assert meaning in str(refusal) if meaning else refusal is None
