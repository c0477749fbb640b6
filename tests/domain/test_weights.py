"""Rounding noise in weights: what counts as a weight, what as zero, and how it is said."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain.weights import is_weight, tolerated, without_noise


@pytest.mark.parametrize(
    ("share", "is_one"),
    [("-0.0001", True), ("-0.000101", False), ("0", True), ("1.0001", True), ("1.000101", False)],
)
def test_a_weight_is_between_zero_and_one_but_for_noise(share: str, is_one: bool) -> None:
    assert is_weight(Decimal(share)) is is_one


@pytest.mark.parametrize(
    ("share", "weight"),
    [("-0.0001", "0"), ("0", "0"), ("0.0000009", "0"), ("0.000001", "0.000001"), ("0.3", "0.3")],
)
def test_a_weight_below_a_millionth_is_zero(share: str, weight: str) -> None:
    assert without_noise(Decimal(share)) == Decimal(weight)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        ("-0.00005", ["taken as zero: KO -0.00005"]),
        ("0", []),
        ("0.0000009", ["taken as zero: KO 9e-7"]),
        ("0.000001", []),
    ],
)
def test_a_weight_taken_as_zero_is_named(share: str, said: list[str]) -> None:
    assert list(tolerated({"KO": Decimal(share), "AAPL": Decimal("0.5")}, Decimal("0.5"))) == said


@pytest.mark.parametrize(
    ("total", "said"),
    [("1", []), ("1.00005", ["weights and cash_reserve add up to 1 and 0.00005, which is taken as rounding"])],
)
def test_an_excess_over_one_is_named(total: str, said: list[str]) -> None:
    assert list(tolerated({}, Decimal(total))) == said
