"""Adoption: an order under a child's id at the broker is the child only if it fits what was intended."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.adoption import difference
from repeg.domain.child_order import ChildState
from repeg.domain.quote import Side
from tests.builders import NOON, a_child, a_report, an_order

IN_FLIGHT = a_child(state=ChildState.UNKNOWN).model_copy(update={"broker_id": None})


def found(**fields: Any) -> str:
    """What shows that a report is not that of a child in flight: 100 AAPL to buy at 100.01, decided at noon."""
    return difference(an_order(), IN_FLIGHT, a_report(**fields))


def test_an_order_with_the_intents_terms_is_adopted() -> None:
    assert found() == ""
    assert found(status="filled", filled="100", price="100.00") == ""
    assert found(submitted_at=None) == ""


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"symbol": "KO"}, "it is to buy KO"),
        ({"side": Side.SELL}, "it is to sell AAPL"),
        ({"qty": Decimal(40)}, "its quantity is 40, not 100"),
        ({"limit": Decimal("100.02")}, "its limit is 100.02, not 100.01"),
        ({"limit": None}, "its limit is None, not 100.01"),
    ],
)
def test_an_order_with_other_terms_is_not_adopted(fields: dict[str, Any], words: str) -> None:
    assert found(**fields) == words


def test_an_order_of_before_the_decision_is_not_adopted() -> None:
    """A clock is read in up to seven seconds, and clocks differ by up to two."""
    assert found(submitted_at=NOON - timedelta(seconds=9)) == ""
    words = found(submitted_at=NOON - timedelta(seconds=10))
    assert words.endswith("before it was decided")


def test_a_child_that_was_seen_is_known_by_the_brokers_id() -> None:
    assert difference(an_order(), a_child(), a_report(qty=Decimal(40))) == ""
    assert difference(an_order(), a_child(), a_report(broker_id="broker-9")) == "it is broker-9, not broker-1"


def test_a_replacements_quantity_is_the_brokers_to_state() -> None:
    replacement = IN_FLIGHT.model_copy(update={"n": 2, "replaces": 1})
    assert difference(an_order(), replacement, a_report(qty=Decimal(85))) == ""
