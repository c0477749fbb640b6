"""The minimum price increment: one cent from a dollar up, a hundredth of a cent below."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg.domain import tick
from repeg.domain.tick import IncrementRule
from tests.builders import MONDAY

CENT = Decimal("0.01")
PRICES = st.integers(2, 9_999).map(lambda n: Decimal(n) / 10_000) | st.integers(100, 10_000_000).map(
    lambda n: Decimal(n) / 100
)
ANY_VALUE = st.integers(100, 5_000_000_000).map(lambda n: Decimal(n) / 1_000_000)


def is_on_grid(price: Decimal) -> bool:
    return price % tick.increment(price, MONDAY) == 0


@pytest.mark.parametrize(
    ("price", "increment"),
    [
        ("0.0001", "0.0001"),
        ("0.50", "0.0001"),
        ("0.9999", "0.0001"),
        ("1.00", "0.01"),
        ("1.01", "0.01"),
        ("189.41", "0.01"),
    ],
)
def test_the_tick_is_a_cent_from_a_dollar_up_and_finer_below(price: str, increment: str) -> None:
    assert tick.tick_at(Decimal(price), MONDAY) == Decimal(increment)


def test_the_configured_tick_applies_from_a_dollar_up() -> None:
    assert tick.tick_at(Decimal("1.00"), MONDAY, Decimal("0.05")) == Decimal("0.05")
    assert tick.tick_at(Decimal("0.9999"), MONDAY, Decimal("0.05")) == Decimal("0.0001")


def test_the_configured_tick_is_never_finer_than_the_rule() -> None:
    assert tick.tick_at(Decimal("20.00"), MONDAY, Decimal("0.0001")) == CENT


def test_a_tick_rule_applies_from_its_date() -> None:
    rules = (*tick.RULES, IncrementRule(date(2030, 1, 2), Decimal(1), Decimal("0.005")))
    assert tick.increment(Decimal(20), date(2030, 1, 1), rules) == CENT
    assert tick.increment(Decimal(20), date(2030, 1, 2), rules) == Decimal("0.005")
    assert tick.increment(Decimal("0.20"), date(2030, 1, 2), rules) == Decimal("0.0001")


def test_a_price_below_zero_raises() -> None:
    assert tick.increment(Decimal(0), MONDAY) == Decimal("0.0001")
    with pytest.raises(ValueError, match=r"no price increment is known for -0\.0001 on"):
        tick.increment(Decimal("-0.0001"), MONDAY)


def test_a_date_before_the_first_rule_raises() -> None:
    assert tick.increment(Decimal(20), date(2005, 8, 29)) == CENT
    assert tick.increment(Decimal("0.20"), date(2005, 8, 29)) == Decimal("0.0001")
    for price in ("20", "0.20"):
        with pytest.raises(ValueError, match="2005-08-28"):
            tick.increment(Decimal(price), date(2005, 8, 28))


@pytest.mark.parametrize(
    ("price", "above", "below"),
    [
        ("0.9998", "0.9999", "0.9997"),
        ("0.9999", "1.00", "0.9998"),
        ("1.00", "1.01", "0.9999"),
        ("1.01", "1.02", "1.00"),
        ("189.40", "189.41", "189.39"),
        ("189.405", "189.41", "189.40"),
        ("0.50005", "0.5001", "0.5000"),
    ],
)
def test_adjacent_prices_are_correct_around_a_dollar(price: str, above: str, below: str) -> None:
    assert tick.above(Decimal(price), MONDAY) == Decimal(above)
    assert tick.below(Decimal(price), MONDAY) == Decimal(below)


@pytest.mark.parametrize(
    ("price", "down", "up"),
    [
        ("100.025", "100.02", "100.03"),
        ("100.02", "100.02", "100.02"),
        ("0.99995", "0.9999", "1.00"),
        ("1.004", "1.00", "1.01"),
        ("0.12345", "0.1234", "0.1235"),
    ],
)
def test_rounding_goes_down_or_up_to_the_grid(price: str, down: str, up: str) -> None:
    assert tick.round_down(Decimal(price), MONDAY) == Decimal(down)
    assert tick.round_up(Decimal(price), MONDAY) == Decimal(up)


def test_a_tick_of_a_nickel_rounds_to_nickels() -> None:
    nickel = Decimal("0.05")
    assert tick.round_down(Decimal("100.04"), MONDAY, nickel) == Decimal("100.00")
    assert tick.round_up(Decimal("100.01"), MONDAY, nickel) == Decimal("100.05")
    assert tick.above(Decimal("100.02"), MONDAY, nickel) == Decimal("100.05")
    assert tick.below(Decimal("100.02"), MONDAY, nickel) == Decimal("100.00")


@given(ANY_VALUE)
def test_rounding_brackets_every_price_within_a_tick(price: Decimal) -> None:
    down, up = tick.round_down(price, MONDAY), tick.round_up(price, MONDAY)
    assert down <= price <= up
    assert up - down <= CENT
    assert is_on_grid(down)
    assert is_on_grid(up)


@given(PRICES)
def test_a_step_up_and_a_step_down_are_inverse(price: Decimal) -> None:
    assert tick.below(tick.above(price, MONDAY), MONDAY) == price
    assert tick.above(tick.below(price, MONDAY), MONDAY) == price


@given(ANY_VALUE)
def test_adjacent_prices_are_on_the_grid(price: Decimal) -> None:
    above, below = tick.above(price, MONDAY), tick.below(price, MONDAY)
    assert below < price < above
    assert is_on_grid(above)
    assert is_on_grid(below)
    assert above - below <= 2 * CENT
