"""The round lot: 100 shares up to $250, and fewer above since November 2025."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg.domain.round_lot import RULES, RoundLotRule, round_lot
from tests.builders import MONDAY

BEFORE_TIERS, FIRST_TIERS = date(2025, 11, 2), date(2025, 11, 3)
PRICES = st.integers(1, 10_000_000_000).map(lambda n: Decimal(n) / 10_000)


@pytest.mark.parametrize(
    ("price", "shares"),
    [
        ("0.0001", 100), ("189.40", 100), ("250.00", 100),
        ("250.01", 40), ("1000.00", 40),
        ("1000.01", 10), ("10000.00", 10),
        ("10000.01", 1), ("700000.00", 1),
    ],
)  # fmt: skip
def test_a_round_lot_has_fewer_shares_at_a_higher_price(price: str, shares: int) -> None:
    assert round_lot(Decimal(price), FIRST_TIERS) == shares
    assert round_lot(Decimal(price), MONDAY) == shares


@pytest.mark.parametrize("price", ["0.50", "612.10", "700000.00"])
def test_a_round_lot_was_100_shares_at_any_price_before_the_tiers(price: str) -> None:
    assert round_lot(Decimal(price), BEFORE_TIERS) == 100


def test_a_round_lot_on_a_date_before_the_first_rule_raises() -> None:
    assert round_lot(Decimal(20), date(2005, 8, 29)) == 100
    with pytest.raises(ValueError, match="2005-08-28"):
        round_lot(Decimal(20), date(2005, 8, 28))


@pytest.mark.parametrize("price", ["0", "-1"])
def test_a_price_of_zero_or_less_has_no_round_lot(price: str) -> None:
    with pytest.raises(ValueError, match="no round lot"):
        round_lot(Decimal(price), MONDAY)


def test_newer_rules_replace_all_older_ones() -> None:
    rules = (*RULES, RoundLotRule(date(2030, 1, 2), Decimal(0), Decimal(1)))
    assert round_lot(Decimal(612), date(2030, 1, 1), rules) == 40
    assert round_lot(Decimal(612), date(2030, 1, 2), rules) == 1


@given(PRICES, PRICES)
def test_a_round_lot_never_grows_with_the_price(one: Decimal, other: Decimal) -> None:
    low, high = sorted((one, other))
    assert round_lot(high, MONDAY) <= round_lot(low, MONDAY)
