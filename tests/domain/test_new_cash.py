"""A plan that only buys spends what is there and no more, and shares it between its buys."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg.domain.new_cash import buying_only
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import TargetsPlan, parse
from repeg.domain.quote import Side
from tests.builders import an_order

BOUGHT = st.tuples(st.sampled_from([Side.BUY, Side.SELL]), st.integers(1, 2_000), st.integers(1, 300_000))


def a_line(side: Side, shares: object, price: object, symbol: str = "KO") -> ParentOrder:
    return an_order(side, str(shares), symbol=symbol, reference_price=Decimal(str(price)), arrival=None, collar=None)


def left(orders: list[ParentOrder], spendable: str, *, reserve: str = "0", least: str = "0") -> list[ParentOrder]:
    """What is left of orders in an account of 100,000 dollars."""
    fields = {"buy_only": True, "cash_reserve": reserve, "min_trade_notional": least}
    plan = parse({"name": "core", "targets": {"KO": "0.1"}, **fields})
    assert isinstance(plan, TargetsPlan)
    return buying_only(orders, plan, Decimal(100_000), Decimal(spendable))


def targets(orders: list[ParentOrder]) -> list[int]:
    return [int(order.target) for order in orders]


@pytest.mark.parametrize(("spendable", "shares"), [("10000", 10), ("9999.99", 9), ("10000.01", 10)])
def test_buys_are_cut_from_the_first_missing_cent_on(spendable: str, shares: int) -> None:
    """The sell costs nothing, and what it would bring is not spent."""
    (sell, buy) = left([a_line(Side.SELL, 5, 60, "PG"), a_line(Side.BUY, 10, 1_000)], spendable)
    assert (targets([sell, buy]), buy.outcome) == ([0, shares], None)
    assert (buy.note == "") is (shares == 10)


def test_a_reserve_is_a_part_of_the_equity() -> None:
    assert targets(left([a_line(Side.BUY, 10, 1_000)], "15000", reserve="0.05")) == [10]
    assert targets(left([a_line(Side.BUY, 10, 1_000)], "14000", reserve="0.05")) == [9]


@pytest.mark.parametrize("spendable", ["0.30", "0", "-7"])
def test_a_share_of_cents_is_not_bought_without_its_cents(spendable: str) -> None:
    (order,) = left([a_line(Side.BUY, 4, "0.40")], spendable)
    assert (order.target, order.outcome) == (Decimal(0), Outcome.NO_TRADE)


def test_a_single_share_of_many_is_bought() -> None:
    (order,) = left([a_line(Side.BUY, 3, 60)], "119.99")
    assert (order.target, order.outcome) == (Decimal(1), None)


def test_a_line_that_is_not_traded_keeps_its_reason() -> None:
    done = a_line(Side.BUY, 0, 60).done(Outcome.NO_TRADE, "on target")
    assert left([done, a_line(Side.BUY, 3, 60)], "60")[0] is done


def test_a_cut_buy_keeps_the_note_that_it_had() -> None:
    noted = a_line(Side.BUY, 3, 60).cut_to(Decimal(3), "counted as filled: buy 2")
    (order,) = left([noted], "120")
    assert order.note == "counted as filled: buy 2; buy_only: 2 of 3 shares, 120.00 of cash for buys of 180.00"


@given(st.lists(BOUGHT, max_size=6), st.integers(-500_000, 5_000_000), st.sampled_from(["0", "0.02"]))
def test_new_cash_is_never_overspent(lines: list[tuple[Side, int, int]], cents: int, reserve: str) -> None:
    """And what is left of it is at most a share of each buy."""
    orders = [a_line(side, shares, Decimal(price) / 100) for side, shares, price in lines]
    cash = Decimal(cents) / 100 - Decimal(reserve) * 100_000
    after = left(orders, str(Decimal(cents) / 100), reserve=reserve)
    bought = [order for order in after if order.side is Side.BUY]
    spent = sum(order.target * order.reference_price for order in bought)
    assert spent <= max(cash, Decimal(0))
    assert all(order.target == 0 and order.outcome is Outcome.NO_TRADE for order in after if order.side is Side.SELL)
    assert all(0 <= now.target <= before.target for now, before in zip(after, orders, strict=True))
    if any(now.target < before.target for now, before in zip(after, orders, strict=True) if before.side is Side.BUY):
        assert max(cash, Decimal(0)) - spent <= sum(order.reference_price for order in bought)


def test_cash_for_exactly_one_share_of_three_buys_it() -> None:
    assert targets(left([a_line(Side.BUY, 3, 60)], "60")) == [1]
