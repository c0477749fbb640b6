"""PlanOrders: the plan becomes parent orders once, from the current account and prices."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from functions.plan_orders.app import plan_orders
from repeg.domain.errors import InvalidPlan, RefusedRun
from repeg.domain.quote import Side
from repeg.domain.run import RunState
from repeg.domain.steps import OrdersPlanned
from tests.contracts.words import bring
from tests.functions.books import AAPL, KO, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, a_plan, holding

MOVING = book("09:30 300 @ 189.40 × 200 @ 189.44", "09:40 300 @ 250.00 × 200 @ 250.04")


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """100,000 dollars and 7.227358 KO."""
    return open_desk({"AAPL": MOVING, "KO": KO}, opening=holding(KO="7.227358"))


def planned(desk: Desk, plan: dict[str, Any], **settings: Any) -> dict[str, tuple[Side, Decimal]]:
    desk.open(plan, **settings)
    plan_orders(RUN_ID, 1, desk.ports)
    return {order.symbol: (order.side, order.target) for order in desk.store.orders(RUN_ID) if order.outcome is None}


def test_planned_orders_are_stored_and_not_sent(desk: Desk) -> None:
    assert planned(desk, a_plan("buy 40 AAPL", "sell 5 KO")) == {
        "AAPL": (Side.BUY, Decimal(40)),
        "KO": (Side.SELL, Decimal(5)),
    }
    assert desk.posts() == 0
    assert desk.journalled("AAPL", "plan") == [("buy 40", "worth 7576.80")]


def test_a_full_exit_targets_the_brokers_exact_quantity(desk: Desk) -> None:
    assert planned(desk, a_plan("sell all KO")) == {"KO": (Side.SELL, Decimal("7.227358"))}


def test_weights_become_whole_share_buys_and_exact_exits(desk: Desk) -> None:
    plan = {"name": "core", "targets": {"AAPL": "0.30", "KO": "0"}, "cash_reserve": "0.02"}
    equity = 100_000 + Decimal("7.227358") * Decimal("60.415")
    assert planned(desk, plan) == {
        "AAPL": (Side.BUY, (equity * Decimal("0.30") // Decimal("189.42"))),
        "KO": (Side.SELL, Decimal("7.227358")),
    }


def test_dollars_become_whole_shares_at_the_mid_of_the_planning(desk: Desk) -> None:
    order = {"symbol": "AAPL", "side": "buy", "notional": "7600"}
    assert planned(desk, {"name": "core", "orders": [order]}) == {"AAPL": (Side.BUY, Decimal(40))}


def test_new_cash_buys_share_the_cash_of_the_account(open_desk: OpenDesk) -> None:
    """Most of the equity is KO, of which nothing is sold."""
    desk = open_desk({"AAPL": MOVING, "KO": KO}, opening=holding("1900", KO="1000"))
    plan = {"name": "core", "targets": {"AAPL": "0.5", "KO": "0.5"}, "buy_only": True}
    assert planned(desk, plan) == {"AAPL": (Side.BUY, Decimal(10))}


def test_an_old_trade_does_not_value_a_holding_of_the_plan(open_desk: OpenDesk) -> None:
    """KO last traded at 30.00, ten minutes before; its quotes say 60.415."""
    stale = book("09:20 300 @ 60.40 × 300 @ 60.43", prints=("09:21 100 @ 30.00 sold",))
    desk = open_desk({"AAPL": MOVING, "KO": stale}, opening=holding(KO="1000"))
    assert [position.price for position in desk.ports.broker.positions()] == [Decimal(30)]
    equity = desk.ports.broker.account().equity - 30_000 + 1_000 * Decimal("60.415")
    planned_orders = planned(desk, {"name": "core", "targets": {"AAPL": "0.30", "KO": "0.2"}})
    assert planned_orders["AAPL"] == (Side.BUY, equity * Decimal("0.30") // Decimal("189.42"))


def test_a_position_reserved_by_a_sell_order_is_not_bought_again(desk: Desk) -> None:
    """The broker reports none of its shares as available, but they are still owned."""
    stop = {"symbol": "KO", "side": "sell", "qty": "7", "type": "limit", "limit_price": "90.00", "time_in_force": "gtc"}
    desk.broker.line.post("/orders", stop)
    desk.wait(1)
    assert planned(desk, {"name": "core", "targets": {"KO": "0.00434"}}) == {}


def test_a_difference_below_the_minimum_notional_is_no_order(desk: Desk) -> None:
    plan = {"name": "core", "targets": {"AAPL": "0.30", "KO": "0.007"}, "min_trade_notional": "500"}
    assert planned(desk, plan).keys() == {"AAPL"}


def test_a_run_is_planned_only_once(desk: Desk) -> None:
    plan = {"name": "core", "targets": {"AAPL": "0.30"}}
    first = planned(desk, plan)
    desk.wait_until("09:41")
    assert plan_orders(RUN_ID, 1, desk.ports) == OrdersPlanned(orders=1)
    assert {order.symbol: (order.side, order.target) for order in desk.store.orders(RUN_ID)} == first
    assert len(desk.journalled("AAPL", "plan")) == 1


def test_a_plan_that_no_longer_fits_the_account_is_refused(desk: Desk) -> None:
    desk.open(a_plan("sell 7 KO"))
    sold = {"symbol": "KO", "side": "sell", "qty": "5", "type": "market", "time_in_force": "day"}
    desk.broker.line.post("/orders", sold)
    desk.wait(1)
    with pytest.raises(InvalidPlan, match=r"at most the 2\.227358 KO held and free"):
        plan_orders(RUN_ID, 1, desk.ports)
    assert desk.store.orders(RUN_ID) == []


def test_limits_are_checked_at_current_prices(desk: Desk) -> None:
    desk.open(a_plan("buy 40 AAPL"), max_order_notional="7600")
    desk.wait_until("09:41")
    with pytest.raises(RefusedRun, match=r"buy AAPL is worth 10000\.80; max_order_notional is 7600"):
        plan_orders(RUN_ID, 1, desk.ports)
    assert desk.store.orders(RUN_ID) == []


@pytest.mark.parametrize("state", [RunState.CLOSING, RunState.CLOSED, RunState.SWEPT])
def test_a_closing_or_finished_run_is_not_planned(desk: Desk, state: RunState) -> None:
    desk.open(a_plan("buy 40 AAPL"))
    bring(desk.store, state, RUN_ID)
    with pytest.raises(RefusedRun, match=f"is {state}"):
        plan_orders(RUN_ID, 1, desk.ports)


def test_a_fenced_execution_plans_no_order(desk: Desk) -> None:
    desk.open(a_plan("buy 40 AAPL"))
    desk.store.take_over(RUN_ID, 1, "arn:sweeper")
    with pytest.raises(RefusedRun, match="epoch 2"):
        plan_orders(RUN_ID, 1, desk.ports)
    assert desk.store.orders(RUN_ID) == []


def test_yesterdays_run_is_not_planned_today(desk: Desk) -> None:
    desk.open(a_plan("buy 40 AAPL"))
    desk.scheduler.run(until=datetime(2026, 11, 24, 15, 0, tzinfo=UTC))
    with pytest.raises(RefusedRun, match="is for 2026-11-23; today is 2026-11-24"):
        plan_orders(RUN_ID, 1, desk.ports)
    assert desk.store.orders(RUN_ID) == []


def test_planning_is_deterministic(open_desk: OpenDesk) -> None:
    books = {"AAPL": AAPL, "KO": KO}
    plan = {"name": "core", "targets": {"KO": "0.25", "AAPL": "0.50"}}
    assert planned(open_desk(books), plan) == planned(open_desk(books), plan)
