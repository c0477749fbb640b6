"""Equity takes the plan's fresh prices, and the broker's value for everything else."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain.broker import Position
from repeg.domain.equity import revalued
from repeg.domain.sizing_price import SizingPrice


def held(qty: str, at: str | None) -> Position:
    return Position(symbol="KO", qty=Decimal(qty), available=Decimal(0), price=None if at is None else Decimal(at))


@pytest.mark.parametrize(
    ("position", "fresh", "equity"),
    [
        (held("100", "30"), "60", "13000"),
        (held("-100", "30"), "60", "7000"),
        (held("100", "60"), "60", "10000"),
        (held("100", "30"), None, "10000"),
        (held("100", None), "60", "10000"),
    ],
    ids=["long", "short", "same price", "no fresh price", "no price of the broker's"],
)
def test_equity_takes_the_fresh_price_of_a_holding(position: Position, fresh: str | None, equity: str) -> None:
    prices = {"KO": SizingPrice(price=None if fresh is None else Decimal(fresh), last=Decimal(1))}
    assert revalued(Decimal(10_000), [position], prices) == Decimal(equity)


def test_a_holding_outside_the_plan_keeps_the_brokers_value() -> None:
    assert revalued(Decimal(10_000), [held("100", "30")], {}) == Decimal(10_000)
