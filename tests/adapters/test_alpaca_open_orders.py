"""What an open order's report says for sizing: whether it is contingent, and its size in dollars."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.adapters.alpaca import parsing
from tests.adapters.brokers import an_order_row


@pytest.mark.parametrize("kind", ["stop", "stop_limit", "trailing_stop"])
def test_an_order_that_waits_for_a_price_is_contingent(kind: str) -> None:
    assert parsing.report({**an_order_row(), "type": kind}).is_contingent


def test_a_held_leg_is_contingent() -> None:
    assert parsing.report({**an_order_row(), "type": "limit", "status": "held"}).is_contingent


@pytest.mark.parametrize("kind", ["limit", "market", None])
def test_any_other_open_order_is_not_contingent(kind: str | None) -> None:
    assert not parsing.report({**an_order_row(), "type": kind}).is_contingent


def test_an_order_in_dollars_keeps_its_notional() -> None:
    report = parsing.report({**an_order_row(), "qty": None, "notional": "5000.50"})
    assert (report.qty, report.notional) == (Decimal(0), Decimal("5000.50"))
    assert parsing.report(an_order_row()).notional is None
