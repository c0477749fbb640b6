"""Conversion between integer units and Decimal is exact."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg_workbench.exchange.units import price, qty, to_price, to_qty, whole_shares


@given(st.integers(0, 10**13))
def test_a_price_converts_to_units_and_back_exactly(units: int) -> None:
    assert to_price(price(units)) == units


@given(st.integers(0, 10**18))
def test_a_quantity_converts_to_units_and_back_exactly(units: int) -> None:
    assert to_qty(qty(units)) == units


def test_a_price_has_four_decimals_and_a_quantity_nine() -> None:
    assert (str(price(1_894_000)), str(qty(500_000_000))) == ("189.4000", "0.500000000")


@pytest.mark.parametrize("dollars", ["0.00001", "189.40001", "NaN", "Infinity"])
def test_a_price_finer_than_one_unit_is_refused(dollars: str) -> None:
    with pytest.raises(ValueError, match="price"):
        to_price(Decimal(dollars))


def test_a_quantity_finer_than_nine_decimals_is_refused() -> None:
    with pytest.raises(ValueError, match="quantity"):
        to_qty(Decimal("0.0000000001"))


def test_fractions_do_not_count_as_whole_shares() -> None:
    assert whole_shares(to_qty(Decimal("2.999999999"))) == 2
