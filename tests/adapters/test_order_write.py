"""What a refused transaction on an order means, from the rows that the service returned."""

from __future__ import annotations

from repeg.adapters.dynamodb.order_write import OrderWrite
from repeg.domain.errors import StoreUnavailable
from tests.contracts.words import a_budget, an_intent, an_order, with_intent


def test_a_transaction_refused_without_a_failed_condition_is_an_outage() -> None:
    intent = an_intent(an_order())
    write = OrderWrite(with_intent(an_order(), intent), intent, 1, [a_budget(notional="100", max_notional="150")])
    refused = write.refusal({})
    assert isinstance(refused, StoreUnavailable)
    assert "refused without a failed condition" in str(refused)
