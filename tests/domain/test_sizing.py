"""Sizing: a plan becomes parent orders unless the account or the listing does not allow them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg.domain.broker import Asset
from repeg.domain.errors import InvalidPlan
from repeg.domain.open_orders import NO_ORDERS, OpenOrders
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import Plan, parse
from repeg.domain.quote import Side
from repeg.domain.sizing import Holdings, parent_orders, require_tradable, symbols_of
from repeg.domain.sizing_price import SizingPrice

OLD = "no quote; last trade 2.00, 7 days old"
PRICES = {"AAPL": Decimal("189.42"), "KO": Decimal("60.00"), "BAC": Decimal("13.96")}


def orders_plan(*rows: tuple[str, str, str]) -> Plan:
    return parse({"name": "core", "orders": [{"symbol": s, "side": side, "qty": qty} for s, side, qty in rows]})


def targets_plan(weights: dict[str, str], **fields: Any) -> Plan:
    return parse({"name": "core", "targets": weights, **fields})


def drafted(
    plan: Plan,
    held: dict[str, str] | None = None,
    equity: str = "100000",
    prices: dict[str, Decimal] = PRICES,
    fractionable: frozenset[str] | None = None,
    free: dict[str, str] | None = None,
    open_orders: dict[str, OpenOrders] | None = None,
) -> list[ParentOrder]:
    owned = {s: Decimal(qty) for s, qty in (held or {}).items()}
    available = owned | {s: Decimal(qty) for s, qty in (free or {}).items()}
    holdings = Holdings(equity=Decimal(equity), held=owned, available=available)
    known = {symbol: SizingPrice(price=prices.get(symbol), reason=OLD) for symbol in symbols_of(plan)}
    return parent_orders("core-2026-11-23", plan, holdings, known, whole(plan, fractionable), open_orders or {})


def whole(plan: Plan, fractionable: frozenset[str] | None) -> frozenset[str]:
    """The symbols that trade in fractions: all of the plan, if nothing else is said."""
    return frozenset(symbols_of(plan)) if fractionable is None else fractionable


def summarised(orders: list[ParentOrder]) -> list[tuple[str, str, str]]:
    """The orders that trade."""
    return [(order.symbol, str(order.side), str(order.target)) for order in orders if order.outcome is None]


def untraded(orders: list[ParentOrder]) -> list[tuple[str, str, str]]:
    """Symbol, outcome and reason of the lines that are not traded; they have no shares."""
    assert all(order.target == 0 for order in orders if order.outcome is not None)
    return [(order.symbol, str(order.outcome), order.reason) for order in orders if order.outcome is not None]


def other(side: Side, qty: str, name: str = "(mine)", to: OpenOrders = NO_ORDERS) -> OpenOrders:
    return to.with_order(side, Decimal(qty), name)


def an_asset(symbol: str, *, is_tradable: bool = True, is_fractionable: bool = False) -> Asset:
    return Asset(symbol=symbol, is_tradable=is_tradable, is_fractionable=is_fractionable)


def test_listed_orders_are_unchanged_and_sorted_by_symbol() -> None:
    orders = drafted(orders_plan(("KO", "sell", "30"), ("AAPL", "buy", "40")), {"KO": "30"})
    assert summarised(orders) == [("AAPL", "buy", "40"), ("KO", "sell", "30")]
    assert [order.reference_price for order in orders] == [Decimal("189.42"), Decimal("60.00")]


def test_a_sell_of_all_is_the_brokers_exact_quantity() -> None:
    assert summarised(drafted(orders_plan(("KO", "sell", "all")), {"KO": "7.2273576"})) == [("KO", "sell", "7.2273576")]


def test_a_sell_above_the_position_by_a_rounding_error_is_refused() -> None:
    with pytest.raises(InvalidPlan, match=r"plan\.orders\[0\]\.qty: '7\.227358' .* at most the 7\.2273576 KO held"):
        drafted(orders_plan(("KO", "sell", "7.227358")), {"KO": "7.2273576"})


@pytest.mark.parametrize(
    ("held", "qty"), [({}, "1"), ({}, "all"), ({"KO": "-5"}, "1"), ({"KO": "-5"}, "all"), ({"KO": "9"}, "10")]
)
def test_a_sell_cannot_exceed_the_free_position(held: dict[str, str], qty: str) -> None:
    with pytest.raises(InvalidPlan, match=r"plan\.orders\[0\]\.qty: .* KO held and free"):
        drafted(orders_plan(("KO", "sell", qty)), held)


@pytest.mark.parametrize("held", ["-5", "-0.5"])
def test_a_short_position_is_not_bought_back(held: str) -> None:
    with pytest.raises(InvalidPlan, match=rf"plan\.orders\[0\]\.symbol: 'KO' .* not held short \({held}\)"):
        drafted(orders_plan(("KO", "buy", "10")), {"KO": held})
    with pytest.raises(InvalidPlan, match=rf"plan\.targets\.KO: '{held}' .* not held short"):
        drafted(targets_plan({"KO": "0.1"}), {"KO": held})


@pytest.mark.parametrize("price", [None, Decimal(0), Decimal("-0.01")])
def test_a_symbol_without_a_price_is_refused(price: Decimal | None) -> None:
    prices = {} if price is None else {"KO": price}
    with pytest.raises(InvalidPlan, match=r"plan\.orders\[0\]\.symbol: 'KO' .* a symbol with a two-sided quote"):
        drafted(orders_plan(("KO", "buy", "10")), prices=prices)
    with pytest.raises(InvalidPlan, match=r"plan\.targets\.KO: 'KO' .* a symbol with a two-sided quote"):
        drafted(targets_plan({"KO": "0"}), {"KO": "3"}, prices=prices)


def test_a_weight_without_a_fresh_price_is_not_sized() -> None:
    orders = drafted(targets_plan({"KO": "0.1"}), prices={}, open_orders={"KO": other(Side.BUY, "5")})
    assert untraded(orders) == [("KO", "held_stale", OLD)]
    assert (orders[0].side, orders[0].reference_price) == (Side.BUY, Decimal(0))
    assert orders[0].note == "counted as filled: buy 5 (mine)"


def test_an_exit_needs_no_fresh_price() -> None:
    known = {"KO": SizingPrice(price=None, reason=OLD, last=Decimal(2))}
    holdings = Holdings(equity=Decimal(100), held={"KO": Decimal("7.5")}, available={"KO": Decimal("7.5")})
    orders = parent_orders("core-2026-11-23", targets_plan({"KO": "0"}), holdings, known, frozenset({"KO"}))
    assert summarised(orders) == [("KO", "sell", "7.5")]
    assert orders[0].sized_at is None


def test_a_weights_order_keeps_the_price_that_it_was_sized_at() -> None:
    assert drafted(targets_plan({"KO": "0.1"}))[0].sized_at == 60
    assert drafted(orders_plan(("KO", "buy", "10")))[0].sized_at is None


@pytest.mark.parametrize(
    ("weight", "held", "expected"),
    [
        ("0.30", "0", [("KO", "buy", "500")]),  # 30,000 dollars at 60
        ("0.3001", "0", [("KO", "buy", "500")]),  # 500.17 shares, rounded down: never more than its weight
        ("0.30", "120", [("KO", "buy", "380")]),
        ("0.30", "120.5", [("KO", "buy", "379")]),
        ("0.30", "500", []),
        ("0.30", "500.9", []),  # less than a share too much
        ("0.30", "620.5", [("KO", "sell", "120")]),
        ("0.0006", "0", [("KO", "buy", "1")]),
        ("0.30", "501", [("KO", "sell", "1")]),
        ("0", "0.3", [("KO", "sell", "0.3")]),
        ("0", "0", []),
    ],
)
def test_a_weight_becomes_whole_shares(weight: str, held: str, expected: list[tuple[str, str, str]]) -> None:
    assert summarised(drafted(targets_plan({"KO": weight}), {"KO": held})) == expected


def test_a_fractional_rest_of_a_whole_share_stock_is_sold_in_full() -> None:
    assert summarised(drafted(orders_plan(("BAC", "sell", "all")), {"BAC": "0.3"})) == [("BAC", "sell", "0.3")]
    require_tradable(orders_plan(("BAC", "sell", "all")), {"BAC": an_asset("BAC")})


def test_a_position_outside_the_plan_is_not_traded() -> None:
    assert summarised(drafted(targets_plan({"AAPL": "0"}), {"AAPL": "10", "KO": "99"})) == [("AAPL", "sell", "10")]


@pytest.mark.parametrize(("smallest", "count"), [("599.99", 1), ("600", 1), ("600.01", 0)])
def test_differences_under_min_trade_notional_are_not_traded(smallest: str, count: int) -> None:
    plan = targets_plan({"KO": "0.006"}, min_trade_notional=smallest)  # ten shares at 60
    assert len(summarised(drafted(plan))) == count


def test_orders_from_targets_are_sorted_by_symbol() -> None:
    orders = drafted(targets_plan({"KO": "0.1", "AAPL": "0.1"}))
    assert [order.symbol for order in orders] == ["AAPL", "KO"]


@given(
    st.integers(0, 1000).map(lambda n: Decimal(n) / 1000),
    st.integers(0, 10**7).map(lambda n: Decimal(n) / 1000),
    st.integers(1, 10**6).map(lambda n: Decimal(n) / 100),
)
def test_a_weight_is_reached_within_one_share_and_never_exceeded(
    weight: Decimal, held: Decimal, price: Decimal
) -> None:
    orders = drafted(targets_plan({"KO": str(weight)}), {"KO": str(held)}, prices={"KO": price})
    wanted = 100_000 * weight / price
    change = sum((order.side.sign * order.target for order in orders), Decimal(0))
    assert abs(held + change - wanted) < 1
    assert held + change >= 0
    assert change <= 0 or held + change <= wanted
    assert change >= 0 or held + change >= wanted


def test_a_fraction_that_cannot_be_traded_stays_and_is_named() -> None:
    """A split has left half a share of a symbol that trades in whole shares only."""
    for plan in (orders_plan(("KO", "sell", "all")), targets_plan({"KO": "0"})):
        (order,) = drafted(plan, {"KO": "10.5"}, fractionable=frozenset())
        assert (order.outcome, str(order.target)) == (None, "10")
        assert order.note == "0.5 of 10.5 cannot be sold: no fractions"


def test_a_fraction_alone_of_such_a_symbol_is_no_trade() -> None:
    orders = drafted(orders_plan(("KO", "sell", "all")), {"KO": "0.5"}, fractionable=frozenset())
    assert untraded(orders) == [("KO", "no_trade", "0.5 of 0.5 cannot be sold: no fractions")]


def test_an_order_records_whether_its_symbol_is_fractionable() -> None:
    orders = drafted(orders_plan(("AAPL", "buy", "1"), ("KO", "buy", "1")), fractionable=frozenset({"KO"}))
    assert [order.fractionable for order in orders] == [False, True]


def test_an_unknown_symbol_is_refused_with_its_position_in_the_plan() -> None:
    with pytest.raises(InvalidPlan, match=r"plan\.orders\[1\]\.symbol: 'ZZZZ' .* the broker lists"):
        require_tradable(orders_plan(("KO", "buy", "1"), ("ZZZZ", "buy", "1")), {"KO": an_asset("KO")})
    with pytest.raises(InvalidPlan, match=r"plan\.targets\.ZZZZ: 'ZZZZ'"):
        require_tradable(targets_plan({"ZZZZ": "0.1"}), {})


def test_an_untradable_symbol_is_refused() -> None:
    with pytest.raises(InvalidPlan, match=r"plan\.orders\[0\]\.symbol: 'KO' .* tradable"):
        require_tradable(orders_plan(("KO", "buy", "1")), {"KO": an_asset("KO", is_tradable=False)})


def test_a_fractional_quantity_needs_a_fractionable_symbol() -> None:
    plan = orders_plan(("KO", "buy", "1.5"))
    require_tradable(plan, {"KO": an_asset("KO", is_fractionable=True)})
    with pytest.raises(InvalidPlan, match=r"plan\.orders\[0\]\.qty: '1\.5' .* whole shares"):
        require_tradable(plan, {"KO": an_asset("KO")})


def test_the_symbols_of_a_plan_keep_its_order() -> None:
    assert symbols_of(orders_plan(("KO", "buy", "1"), ("AAPL", "buy", "1"))) == ["KO", "AAPL"]
    assert symbols_of(targets_plan({"KO": "0.1", "AAPL": "0.1"})) == ["KO", "AAPL"]


# Shares reserved by other orders


@pytest.mark.parametrize("free", ["0", "40", "100"])
def test_shares_reserved_by_another_order_count_as_held(free: str) -> None:
    """100 KO at 60.00 are the target of 6 percent; counting only free shares would buy them again."""
    assert drafted(targets_plan({"KO": "0.06"}), {"KO": "100"}, free={"KO": free})[0].target == 0


def test_a_weight_counts_reserved_shares_and_buys_the_rest() -> None:
    assert summarised(drafted(targets_plan({"KO": "0.12"}), {"KO": "100"}, free={"KO": "0"})) == [("KO", "buy", "100")]


@pytest.mark.parametrize("weight", ["0", "0.03"])
def test_a_weight_that_would_sell_reserved_shares_is_refused(weight: str) -> None:
    with pytest.raises(InvalidPlan, match=rf"plan\.targets\.KO: '{weight}' .* at most the 40 KO held and free"):
        drafted(targets_plan({"KO": weight}), {"KO": "100"}, free={"KO": "40"})


def test_a_difference_below_the_minimum_needs_no_free_shares() -> None:
    plan = targets_plan({"KO": "0.059"}, min_trade_notional="200")
    assert summarised(drafted(plan, {"KO": "100"}, free={"KO": "0"})) == []


def test_a_sell_of_all_leaves_reserved_shares() -> None:
    assert summarised(drafted(orders_plan(("KO", "sell", "all")), {"KO": "100"}, free={"KO": "40"})) == [
        ("KO", "sell", "40")
    ]


def test_no_share_is_free_of_which_the_broker_says_nothing() -> None:
    holdings = Holdings(equity=Decimal(100), held={"KO": Decimal(100)}, available={})
    assert [holdings.owned("KO"), holdings.free("KO"), holdings.owned("AAPL")] == [100, 0, 0]


@pytest.mark.parametrize("free", ["-5", "5"])
def test_a_short_position_is_never_sold(free: str) -> None:
    with pytest.raises(InvalidPlan, match="at most the 0 KO held and free"):
        drafted(orders_plan(("KO", "sell", "all")), {"KO": "-5"}, free={"KO": free})
    with pytest.raises(InvalidPlan, match=r"not held short \(-5\)"):
        drafted(orders_plan(("KO", "buy", "1")), {"KO": "-5"}, free={"KO": free})


# Lines that are not traded


@pytest.mark.parametrize(
    ("plan", "held", "reason"),
    [
        (targets_plan({"KO": "0.30"}), "500", "on target"),
        (targets_plan({"KO": "0"}), "0", "on target"),
        (targets_plan({"KO": "0.0003"}), "0", "less than a share: 0.5 of 60.00"),
        (targets_plan({"KO": "0.30"}), "500.9", "less than a share: 0.9 of 60.00"),
        (targets_plan({"KO": "0.006"}, min_trade_notional="601"), "0", "worth 600.00, below min_trade_notional=601"),
        (targets_plan({"KO": "0"}), "0.01", "worth 0.60, less than the broker's smallest order of 1 dollar"),
        (orders_plan(("KO", "buy", "0.0003")), "0", "worth 0.02, less than the broker's smallest order of 1 dollar"),
        (orders_plan(("KO", "sell", "all")), "0.01", "worth 0.60, less than the broker's smallest order of 1 dollar"),
    ],
)
def test_a_line_that_is_not_traded_says_why(plan: Plan, held: str, reason: str) -> None:
    assert untraded(drafted(plan, {"KO": held})) == [("KO", "no_trade", reason)]


@pytest.mark.parametrize(
    ("weight", "held", "side"),
    [("0.0003", "0", "buy"), ("0.30", "500.9", "sell"), ("0.30", "500", "sell"), ("0", "0", "sell")],
)
def test_a_line_that_is_not_traded_has_the_side_of_what_is_missing(weight: str, held: str, side: str) -> None:
    assert [order.side for order in drafted(targets_plan({"KO": weight}), {"KO": held})] == [side]


def test_every_line_of_a_plan_has_an_order() -> None:
    orders = drafted(targets_plan({"KO": "0.1", "AAPL": "0", "BAC": "0.00001"}))
    assert [order.symbol for order in orders] == ["AAPL", "BAC", "KO"]


def test_a_weight_of_zero_is_sold_whole_whatever_the_minimum() -> None:
    plan = targets_plan({"KO": "0"}, min_trade_notional="25")
    assert summarised(drafted(plan, {"KO": "0.3"})) == [("KO", "sell", "0.3")]


def test_whole_shares_below_a_dollar_are_traded() -> None:
    orders = drafted(orders_plan(("BAC", "buy", "1")), prices={"BAC": Decimal("0.50")})
    assert summarised(orders) == [("BAC", "buy", "1")]


# Open orders


def test_open_buys_count_as_bought() -> None:
    """500 KO are wanted: the open buys of 150 leave 350."""
    orders = drafted(targets_plan({"KO": "0.30"}), open_orders={"KO": other(Side.BUY, "150")})
    assert summarised(orders) == [("KO", "buy", "350")]
    assert orders[0].note == "counted as filled: buy 150 (mine)"


def test_open_buys_do_not_make_a_sell_larger() -> None:
    """The buy may never fill: 620 held less 500 wanted are sold, not 150 more."""
    orders = drafted(targets_plan({"KO": "0.30"}), {"KO": "620"}, open_orders={"KO": other(Side.BUY, "150")})
    assert summarised(orders) == [("KO", "sell", "120")]


def test_open_sells_count_as_sold_for_a_sell_alone() -> None:
    sells = {"KO": other(Side.SELL, "100")}
    assert summarised(drafted(targets_plan({"KO": "0.30"}), {"KO": "620"}, open_orders=sells)) == [("KO", "sell", "20")]
    assert summarised(drafted(targets_plan({"KO": "0.36"}), {"KO": "500"}, open_orders=sells)) == [("KO", "buy", "100")]


def test_an_exit_of_less_than_others_sell_trades_nothing() -> None:
    sells = other(Side.SELL, "15")
    assert untraded(drafted(targets_plan({"KO": "0"}), {"KO": "10"}, open_orders={"KO": sells})) == [
        ("KO", "no_trade", "already covered by open orders: sell 15 (mine)")
    ]


def test_an_exit_leaves_the_shares_that_another_order_sells() -> None:
    orders = drafted(targets_plan({"KO": "0"}), {"KO": "100.5"}, free={"KO": "40.5"},
                     open_orders={"KO": other(Side.SELL, "60")})  # fmt: skip
    assert summarised(orders) == [("KO", "sell", "40.5")]


@pytest.mark.parametrize(
    ("weight", "held", "order"), [("0.30", "0", other(Side.BUY, "500")), ("0", "0.5", other(Side.SELL, "0.5"))]
)
def test_a_line_covered_by_open_orders_names_them(weight: str, held: str, order: OpenOrders) -> None:
    orders = drafted(targets_plan({"KO": weight}), {"KO": held}, open_orders={"KO": order})
    assert untraded(orders) == [("KO", "no_trade", f"already covered by open orders: {order.words}")]


def test_many_open_orders_are_named_by_the_first_three() -> None:
    orders = NO_ORDERS
    for number in range(5):
        orders = other(Side.BUY, "10", f"({number})", orders)
    assert (orders.buying, orders.words) == (Decimal(50), "buy 10 (0), buy 10 (1), buy 10 (2) and 2 more")


def test_a_single_whole_share_beside_a_fraction_is_traded() -> None:
    (order,) = drafted(orders_plan(("KO", "sell", "all")), {"KO": "1.5"}, fractionable=frozenset())
    assert (order.outcome, str(order.target)) == (None, "1")


def test_a_line_that_another_stack_trades_has_no_price_and_names_its_orders() -> None:
    theirs = {"KO": other(Side.BUY, "150").with_other_stacks("rp000-core-261123.KO.b.1")}
    (order,) = drafted(targets_plan({"KO": "0.30"}), open_orders=theirs)
    assert (order.outcome, order.target, order.reference_price) == (Outcome.NOT_SIZED, Decimal(0), Decimal(0))
    assert order.note == "counted as filled: buy 150 (mine)"
