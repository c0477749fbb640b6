"""Limits on orders and runs, and the notional that they count."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain import limits
from repeg.domain.child_order import ChildState
from repeg.domain.errors import BudgetSpent, RefusedRun
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


@pytest.mark.parametrize(("ask", "cost"), [("49.99", "519.896"), ("50.00", "512.5")])
def test_a_market_buy_below_50_dollars_may_cost_4_percent_more(ask: str, cost: str) -> None:
    assert limits.notional_of(D(10), None, a_quote("49.90", ask), Side.BUY) == D(cost)


def test_an_open_child_and_its_replacement_count_once_at_the_larger_cost() -> None:
    old, new = a_child(notional="6000"), a_child(notional="6060", n=2)
    assert limits.committed([old, new]) == 6_060
    assert limits.committed([old.model_copy(update={"notional": D(6_100)}), new]) == 6_100
    assert limits.committed([]) == 0


def test_an_order_that_sends_no_more_keeps_what_it_filled() -> None:
    closed = a_child(qty="100", filled="40", notional="10000", state=ChildState.CANCELED)
    ended = limits.settled(an_order(Side.BUY, "100", closed, committed=D(10_000), reserved_orders=1))
    assert ended.committed == 4_000
    assert ended.reserved_orders == 0


@pytest.mark.parametrize("state", [ChildState.NEVER_ARRIVED, ChildState.LOST])
def test_an_order_given_up_unseen_gives_nothing_back(state: ChildState) -> None:
    """It may turn up at the broker and fill."""
    unseen = a_child(qty="100", notional="10000", state=state, n=2)
    filled = a_child(qty="100", filled="1", notional="10000", state=ChildState.CANCELED)
    assert limits.settled(an_order(Side.BUY, "100", filled, unseen, committed=D(10_000))).committed == 10_000


def test_a_late_fill_of_an_order_given_up_costs_more_than_was_kept() -> None:
    unseen = a_child(qty="100", filled="100", notional="10000", state=ChildState.NEVER_ARRIVED)
    assert limits.settled(an_order(Side.BUY, "100", unseen, committed=D(9_000))).committed == 10_000


def test_a_replacement_given_up_unseen_does_not_keep_the_budget() -> None:
    """The order that it was to replace is the one that may fill."""
    filled = a_child(qty="100", filled="40", notional="10000", state=ChildState.CANCELED)
    unseen = a_child(qty="100", notional="10000", state=ChildState.NEVER_ARRIVED, n=2)
    order = an_order(Side.BUY, "100", filled, unseen.model_copy(update={"replaces": 1}), committed=D(10_000))
    assert limits.settled(order).committed == 4_000


def test_a_child_may_take_its_order_to_the_largest_order_but_not_past_it() -> None:
    order = an_order(committed=D("10000.01"))
    limits.require_room(order, settings_with(max_order_notional="10000.01"))
    limits.require_room(order, settings_with(max_order_notional=None))
    with pytest.raises(BudgetSpent, match=r"AAPL could cost 10000\.01; max_order_notional is 10000$"):
        limits.require_room(order, settings_with(max_order_notional="10000"))


def test_a_symbol_must_be_on_the_allow_list_if_there_is_one() -> None:
    limits.require_allowed(["AAPL", "KO"], settings_with(allowed_symbols=None))
    limits.require_allowed(["AAPL", "KO"], settings_with(allowed_symbols=["KO", "AAPL"]))
    with pytest.raises(RefusedRun, match="BAC is not among allowed_symbols: AAPL, KO"):
        limits.require_allowed(["AAPL", "BAC"], settings_with(allowed_symbols=["AAPL", "KO"]))


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
