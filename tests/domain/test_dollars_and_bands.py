"""Orders in dollars become whole shares, weights in their drift bands are not traded, and new cash only buys."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.dollar_orders import in_shares
from repeg.domain.drift import within_band
from repeg.domain.errors import InvalidPlan
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import OrdersPlan, Plan, PlanOrder, TargetsPlan, parse
from repeg.domain.plan_reading.reader import read_file
from repeg.domain.quote import Side
from repeg.domain.sizing import Holdings, parent_orders, symbols_of
from repeg.domain.sizing_price import SizingPrice

AAPL, KO = Decimal("189.42"), Decimal("60.00")
STALE = SizingPrice(price=None, reason="no quote; last trade 60.00, 7 days old", last=KO)
FRESH = {"AAPL": SizingPrice(price=AAPL, last=AAPL), "KO": SizingPrice(price=KO, last=KO)}


def dollars(side: str, notional: object, symbol: str = "KO", **fields: object) -> Plan:
    return parse({"name": "core", "orders": [{"symbol": symbol, "side": side, "notional": notional, **fields}]})


def weights(targets: dict[str, str], **fields: Any) -> Plan:
    return parse({"name": "core", "targets": targets, **fields})


def planned(
    plan: Plan, held: dict[str, str] | None = None, *, spendable: str = "100000", prices: dict[str, SizingPrice] = FRESH
) -> dict[str, ParentOrder]:
    owned = {symbol: Decimal(qty) for symbol, qty in (held or {}).items()}
    holdings = Holdings(equity=Decimal(100_000), held=owned, available=owned, spendable=Decimal(spendable))
    found = parent_orders("core-2026-11-23", plan, holdings, prices, frozenset(symbols_of(plan)))
    return {order.symbol: order for order in found}


def traded(orders: dict[str, ParentOrder]) -> dict[str, str]:
    return {s: f"{order.side} {order.target.normalize():f}" for s, order in orders.items() if order.outcome is None}


# Dollars


def test_dollars_become_whole_shares_at_the_sizing_price() -> None:
    order = planned(dollars("buy", "5000"))["KO"]
    assert (order.target, order.sized_at, order.outcome) == (Decimal(83), KO, None)
    assert traded(planned(dollars("sell", "599.99"), {"KO": "50"})) == {"KO": "sell 9"}


def test_shares_for_dollars_are_plain_numbers() -> None:
    """5,000 dollars at 12.5 are 4.0E+2 shares by Python's division."""
    price = SizingPrice(price=Decimal("12.5"), last=Decimal("12.5"))
    assert str(planned(dollars("buy", "5000"), prices={"KO": price})["KO"].target) == "400"


def test_dollars_for_less_than_a_share_are_not_traded() -> None:
    order = planned(dollars("buy", "59.99"))["KO"]
    assert (order.target, order.outcome) == (Decimal(0), Outcome.NO_TRADE)
    assert order.reason == "less than a share: 59.99 dollars at 60.00"


def test_dollars_without_a_fresh_price_are_not_sized() -> None:
    order = planned(dollars("buy", "5000"), prices={"KO": STALE})["KO"]
    assert (order.target, order.outcome, order.reason) == (Decimal(0), Outcome.HELD_STALE, STALE.reason)


def test_a_sell_in_dollars_sells_no_more_than_is_free() -> None:
    order = planned(dollars("sell", "5000"), {"KO": "12.5"})["KO"]
    assert order.target == Decimal("12.5")
    assert order.note == "all 12.5 that are held and free, worth less than 5000 dollars"
    with pytest.raises(InvalidPlan, match=r"plan\.orders\[0\]\.notional: .* none is held and free"):
        planned(dollars("sell", "5000"))


@pytest.mark.parametrize(("notional", "held"), [("749.99", "12.4"), ("30", "0.4"), ("749", "12.5")])
def test_a_sell_of_more_dollars_than_are_held_sells_the_fraction_too(notional: str, held: str) -> None:
    """12.4 shares at 60 are worth 744 dollars: the whole shares of 749.99 dollars are fewer than are held."""
    sold = held if Decimal(notional) > Decimal(held) * 60 else "12"
    assert traded(planned(dollars("sell", notional), {"KO": held})) == {"KO": f"sell {sold}"}


def test_a_sell_for_exactly_what_is_held_is_not_cut() -> None:
    order = planned(dollars("sell", "720"), {"KO": "12"})["KO"]
    assert (order.target, order.note) == (Decimal(12), "")


def a_line(side: Side, notional: str) -> PlanOrder:
    return PlanOrder(symbol="KO", side=side, qty=None, notional=Decimal(notional))


@pytest.mark.parametrize("price", [None, Decimal(0), Decimal(-1)])
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_dollars_without_a_price_above_zero_are_no_shares(side: Side, price: Decimal | None) -> None:
    assert in_shares("plan.orders[0]", a_line(side, "500"), Decimal(500), Decimal(9), price) == (Decimal(0), "")


def test_dollars_buy_shares_of_a_dollar_or_less() -> None:
    for price, shares in (("1", 5), ("0.40", 12)):
        found = in_shares("plan.orders[0]", a_line(Side.BUY, "5"), Decimal(5), Decimal(0), Decimal(price))
        assert found == (Decimal(shares), "")


def test_a_quantity_in_shares_is_not_sized_at_a_price() -> None:
    plan = parse({"name": "core", "orders": [{"symbol": "KO", "side": "buy", "qty": "3"}]})
    assert planned(plan)["KO"].sized_at is None


@pytest.mark.parametrize("notional", ["0", "-5", "1.005", "NaN", "lots", None])
def test_an_invalid_amount_of_dollars_is_refused(notional: object) -> None:
    with pytest.raises(
        InvalidPlan, match=r"plan\.orders\[0\]\.notional: .*a positive number of dollars, in whole cents"
    ):
        dollars("buy", notional)


def test_an_order_has_shares_or_dollars() -> None:
    with pytest.raises(InvalidPlan, match=r"plan\.orders\[0\]\.qty: '3' .*either qty in shares or notional in dollars"):
        dollars("buy", "5", qty="3")


def test_a_table_of_dollars_makes_orders_in_dollars() -> None:
    plan = read_file(b'Symbol,Notional,Side\nAAPL,$500.50,buy\nKO,"2,000.00",sell\n', "cash.csv")
    assert isinstance(plan, OrdersPlan)
    assert [(order.symbol, str(order.side), order.notional) for order in plan.orders] == [
        ("AAPL", "buy", Decimal("500.50")), ("KO", "sell", Decimal("2000.00")),
    ]  # fmt: skip


# Drift bands. KO at 60: a share is 0.06 % of the equity.


@pytest.mark.parametrize(("held", "kept"), [("466", True), ("467", True), ("500", True), ("533", True),
                                             ("466.66", True), ("465", False), ("535", False)])  # fmt: skip
def test_a_weight_within_its_band_is_not_traded(held: str, kept: bool) -> None:
    """A target of 30 % is 500 shares; 2 % of the equity are 33.3."""
    orders = planned(weights({"KO": "0.3"}, min_drift_pct="2.05"), {"KO": held})
    assert (traded(orders) == {}) is kept
    assert (orders["KO"].outcome is Outcome.NO_TRADE) is kept


def test_a_weight_at_the_edge_of_its_band_is_traded() -> None:
    orders = planned(weights({"KO": "0.3"}, min_drift_pct="3"), {"KO": "450"})
    assert traded(orders) == {"KO": "buy 50"}
    orders = planned(weights({"KO": "0.3"}, min_drift_pct="3"), {"KO": "450.0001"})
    assert orders["KO"].reason == "drifted by 3.00 % of the equity, below min_drift_pct=3"


def test_a_weight_of_all_the_equity_has_a_band_too() -> None:
    orders = planned(weights({"KO": "1"}, min_drift_pct="3"), {"KO": "1630"})
    assert orders["KO"].reason == "drifted by 2.20 % of the equity, below min_drift_pct=3"


@pytest.mark.parametrize(("equity", "is_kept"), [("1", True), ("0.5", True), ("0", False), ("-1", False)])
def test_no_weight_is_kept_without_equity(equity: str, is_kept: bool) -> None:
    plan = weights({"KO": "0.3"}, min_drift_pct="3")
    assert isinstance(plan, TargetsPlan)
    assert (within_band(plan, "KO", Decimal("0.01"), Decimal(equity)) != "") is is_kept


def test_a_symbol_may_have_a_band_of_its_own() -> None:
    plan = weights({"AAPL": "0.1", "KO": "0.1"}, min_drift_pct="50", min_drift_pct_of={"KO": "1"})
    assert traded(planned(plan)) == {"KO": "buy 166"}


def test_an_exit_is_sold_whatever_the_band() -> None:
    assert traded(planned(weights({"KO": "0"}, min_drift_pct="50"), {"KO": "1"})) == {"KO": "sell 1"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"min_drift_pct": "-1"}, r"plan\.min_drift_pct: '-1' .*percent of the equity, from 0 to 100"),
        ({"min_drift_pct": "101"}, r"plan\.min_drift_pct: '101'"),
        ({"min_drift_pct_of": {"KO": "x"}}, r"plan\.min_drift_pct_of\.KO: 'x'"),
        ({"min_drift_pct_of": {"SPY": "1"}}, r"plan\.min_drift_pct_of\.SPY: .*a symbol of the plan's targets"),
        ({"min_drift_pct_of": "1"}, r"plan\.min_drift_pct_of: '1' .*an object"),
        ({"buy_only": "maybe"}, r"plan\.buy_only: 'maybe' .*true or false"),
        ({"buy_only": 1}, r"plan\.buy_only: 1 .*true or false"),
    ],
)
def test_an_invalid_band_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidPlan, match=message):
        weights({"KO": "0.3"}, **fields)


def test_a_table_may_have_a_column_of_bands() -> None:
    text = b"# min_drift_pct: 2%\n# buy_only: yes\nsymbol,weight,min_drift_pct\nKO,30%,1.5\nAAPL,20%,\n"
    plan = read_file(text, "core.csv")
    assert isinstance(plan, TargetsPlan)
    assert (plan.drift_band("KO"), plan.drift_band("AAPL"), plan.buy_only) == (Decimal("1.5"), Decimal(2), True)


# New cash


def test_new_cash_buys_and_sells_nothing() -> None:
    orders = planned(weights({"AAPL": "0.1", "KO": "0.1"}, buy_only=True), {"KO": "500"})
    assert traded(orders) == {"AAPL": "buy 52"}
    assert (orders["KO"].target, orders["KO"].reason) == (Decimal(0), "buy_only: nothing is sold")


def test_an_exit_is_not_sold_with_new_cash() -> None:
    assert traded(planned(weights({"KO": "0"}, buy_only=True), {"KO": "500"})) == {}


def test_new_cash_is_shared_in_proportion() -> None:
    plan = weights({"AAPL": "0.3", "KO": "0.6"}, buy_only=True)
    orders = planned(plan, spendable="30000")
    assert traded(orders) == {"AAPL": "buy 52", "KO": "buy 333"}
    assert sum(order.target * order.reference_price for order in orders.values()) <= 30_000
    assert orders["KO"].note.startswith("buy_only: 333 of 1000 shares, 30000.00 of cash for buys of ")


@pytest.mark.parametrize(("cash", "bought"), [("1199.99", {}), ("1200", {"KO": "buy 20"})])
def test_new_cash_buys_nothing_below_the_minimum(cash: str, bought: dict[str, str]) -> None:
    plan = weights({"KO": "0.6"}, buy_only=True, min_trade_notional="1200")
    order = planned(plan, spendable=cash)["KO"]
    assert traded({"KO": order}) == bought
    assert bought or order.reason.endswith("; worth 1140.00, below min_trade_notional=1200")


def test_the_reserve_is_not_spent_on_new_cash_buys() -> None:
    plan = weights({"KO": "0.9"}, buy_only=True, cash_reserve="0.1")
    assert traded(planned(plan, spendable="16000")) == {"KO": "buy 100"}
    broke = planned(plan, spendable="9000")["KO"]
    assert (broke.target, broke.outcome) == (Decimal(0), Outcome.NO_TRADE)
    assert broke.reason == "buy_only: 0 of 1500 shares, -1000.00 of cash for buys of 90000.00"


def test_a_plan_with_nothing_to_buy_needs_no_cash() -> None:
    """The reserve is more than the cash, and the weight is on its target."""
    plan = weights({"KO": "0.3"}, buy_only=True, cash_reserve="0.1")
    order = planned(plan, {"KO": "500"}, spendable="9000")["KO"]
    assert (order.target, order.outcome) == (Decimal(0), Outcome.NO_TRADE)


def test_a_plan_that_only_buys_is_not_refused_for_reserved_shares() -> None:
    plan = weights({"KO": "0.03"}, buy_only=True)
    holdings = Holdings(equity=Decimal(100_000), held={"KO": Decimal(100)}, available={"KO": Decimal(40)})
    (order,) = parent_orders("r", plan, holdings, {"KO": SizingPrice(price=Decimal(60))}, frozenset())
    assert (order.outcome, order.reason) == (Outcome.NO_TRADE, "buy_only: nothing is sold")


def test_a_plan_that_only_buys_buys_nothing_without_cash() -> None:
    holdings = Holdings(equity=Decimal(100_000), held={}, available={})
    plan = weights({"KO": "0.03"}, buy_only=True)
    (order,) = parent_orders("r", plan, holdings, {"KO": SizingPrice(price=Decimal("0.50"))}, frozenset())
    assert order.reason == "buy_only: 0 of 6000 shares, 0.00 of cash for buys of 3000.00"
