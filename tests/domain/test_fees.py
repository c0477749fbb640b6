"""Estimated fees: the rates of the date, charged on sells or on both sides, rounded up to a cent each."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from repeg.domain.broker import Execution
from repeg.domain.fees import fees_on
from repeg.domain.quote import Side
from tests.builders import an_execution


def sold(qty: str, price: str) -> Execution:
    return an_execution(qty, price, side=Side.SELL)


def test_each_fee_is_rounded_up_to_a_cent_over_all_fills() -> None:
    """Sold 15,000 dollars: 30.9 cents. 250 shares in all: 0.075 cents."""
    fees = fees_on(date(2026, 11, 30), [sold("50", "100"), sold("100", "100"), an_execution("100", "100")])
    assert fees is not None
    assert [fees.sec, fees.taf, fees.cat, fees.dollars] == [Decimal("0.31"), 0, Decimal("0.01"), Decimal("0.32")]


def test_purchases_pay_for_the_audit_trail_only() -> None:
    fees = fees_on(date(2026, 11, 30), [an_execution("100", "100")])
    assert fees is not None
    assert [fees.sec, fees.taf, fees.cat] == [0, 0, Decimal("0.01")]


def test_the_trading_activity_fee_of_2027_is_capped_for_each_execution() -> None:
    """1,000 shares: 19.5 cents; 100,000 in one execution: 9.79 dollars instead of 19.50."""
    fees = fees_on(date(2027, 1, 4), [sold("1000", "10"), sold("100000", "10")])
    assert fees is not None
    assert [fees.taf, fees.rates_since] == [Decimal("9.99"), date(2027, 1, 1)]


def test_no_fills_cost_no_fees() -> None:
    fees = fees_on(date(2026, 11, 30), [])
    assert fees is not None
    assert fees.dollars == 0


def test_the_fees_of_a_date_before_the_known_rates_are_not_known() -> None:
    assert fees_on(date(2026, 3, 9), [sold("100", "100")]) is None
