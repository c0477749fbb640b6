"""How much of a buy is worth placing in part is only known on a book that has a mid."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.pieces import least_funded
from repeg.domain.settings import Settings
from tests.builders import NOON, a_quote, after_noon, an_order


def test_half_of_a_small_buy_is_worth_placing() -> None:
    assert least_funded(an_order(), a_quote(), NOON, Settings()) == Decimal(50)


@pytest.mark.parametrize(
    "book",
    [
        {"bid": "0", "ask": "100.05"},
        {"bid": "100.00", "ask": "0"},
        {"bid": "100.05", "ask": "100.00"},
        {"bid": "1.00", "ask": "100.00"},
        {"at": None},
        {"at": datetime(1970, 1, 1, tzinfo=UTC)},
        {"at": after_noon(3600)},
    ],
)
def test_no_part_of_a_buy_is_worth_placing_without_a_mid(book: dict[str, Any]) -> None:
    assert least_funded(an_order(), a_quote(**book), NOON, Settings()) is None
