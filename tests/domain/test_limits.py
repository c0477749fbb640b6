"""Limits on orders and runs, and the notional that they count."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain import limits
from repeg.domain.child_order import ChildState
from repeg.domain.errors import RefusedRun
from repeg.domain.quote import Side
from tests.builders import a_child, a_quote, an_order, settings_with

D = Decimal


def test_a_closed_child_commits_only_its_filled_notional() -> None:
    open_child = a_child(qty="60", filled="10", notional="6000", n=2)
    closed = a_child(qty="100", filled="40", notional="10000", state=ChildState.CANCELED)
    assert limits.committed([closed, open_child]) == 4_000 + 6_000
    assert limits.committed([closed.model_copy(update={"filled": D(0)})]) == 0


def test_a_market_buy_counts_with_what_it_may_really_cost() -> None:
    """The broker lets a market order trade 2.5 % beyond the far side; a sell is valued at the far side."""
    assert limits.notional_of(D(10), None, a_quote("100.00", "100.05"), Side.BUY) == D("1025.5125")
    assert limits.notional_of(D(10), None, a_quote("100.00", "100.05"), Side.SELL) == 1_000
    assert limits.notional_of(D(10), D("100.02"), a_quote(), Side.BUY) == D("1000.20")


def test_an_order_over_its_limit_refuses_the_run_by_name() -> None:
    orders = [an_order(reference_price=D("100.02"))]
    limits.require_within_limits(orders, settings_with(max_order_notional="10002"))
    with pytest.raises(RefusedRun, match=r"buy AAPL is worth 10002\.00; max_order_notional is 10001\.99"):
        limits.require_within_limits(orders, settings_with(max_order_notional="10001.99"))


def test_a_symbols_order_limit_applies_to_that_symbol_only() -> None:
    mine = settings_with(max_order_notional="99999", symbols={"AAPL": {"max_order_notional": "1"}})
    with pytest.raises(RefusedRun, match="AAPL"):
        limits.require_within_limits([an_order()], mine)
    limits.require_within_limits([an_order(symbol="KO")], mine)


def test_a_run_limit_counts_buys_and_sells() -> None:
    orders = [an_order(), an_order(Side.SELL, symbol="KO")]
    limits.require_within_limits(orders, settings_with(max_run_notional="20004"))
    with pytest.raises(RefusedRun, match=r"the run is worth 20004\.00; max_run_notional is 20003"):
        limits.require_within_limits(orders, settings_with(max_run_notional="20003"))
