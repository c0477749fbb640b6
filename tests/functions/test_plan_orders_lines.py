"""PlanOrders: every line of the plan is reported, open orders count, and prices have an age."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from functions.open_run.app import open_run
from functions.plan_orders.app import plan_orders
from repeg.domain.outcome import HoldReason, Outcome
from repeg_workbench.exchange.market.scripted import trade
from tests.functions.books import AAPL, KO, book
from tests.functions.desk import EXECUTION, RUN_ID, Desk, OpenDesk, a_plan, holding

BRK = book("09:20 100 @ 700000.00 × 100 @ 700100.00")
WEIGHT = {"name": "core", "targets": {"AAPL": "0.30"}}
STEEP = book(
    "09:30 300 @ 189.40 × 200 @ 189.44", "09:40 300 @ 250.00 × 200 @ 250.04", "09:50 300 @ 190.00 × 300 @ 190.04"
)


def plan(desk: Desk, given: dict[str, Any], **settings: Any) -> None:
    desk.open(given, **settings)
    plan_orders(RUN_ID, 1, desk.ports)


def lines(desk: Desk) -> dict[str, tuple[str, str]]:
    """Outcome and reason of each order of the report, by symbol."""
    desk.close()
    return {row["symbol"]: (row["outcome"], row["reason"]) for row in desk.report["orders"]}


def work(desk: Desk, turns: int = 16) -> None:
    for _ in range(turns):
        desk.place()
        desk.wait(30)
        desk.repeg()


# Every line


def test_every_line_of_a_plan_is_in_the_report(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL, "BRK.A": BRK, "KO": KO}, opening=holding(cash="10000", KO="0.3"))
    plan(desk, {"name": "core", "targets": {"AAPL": "0.30", "BRK.A": "0.70", "KO": "0"}, "min_trade_notional": "25"})
    assert desk.journalled("BRK.A", "plan") == [("no trade", "less than a share: 0.01 of 700050.00")]
    work(desk)
    found = lines(desk)
    assert found["BRK.A"] == ("no_trade", "less than a share: 0.01 of 700050.00")
    assert found["KO"] == ("filled", "filled")
    assert desk.report["outcome"] == "settled"
    assert (desk.report["totals"]["orders"], desk.report["totals"]["orders_filled"]) == (2, 2)


def test_a_run_with_no_line_to_trade_settles_with_its_reasons(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL, "KO": KO})
    plan(desk, {"name": "core", "targets": {"AAPL": "0.0001", "KO": "0"}})
    assert desk.place().placed == 0
    assert desk.repeg().decision == "close"
    assert lines(desk) == {"AAPL": ("no_trade", "less than a share: 0.0528 of 189.42"), "KO": ("no_trade", "on target")}
    assert desk.report["totals"]["orders"] == 0


def test_an_order_of_two_cents_is_not_sent(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    plan(desk, a_plan("buy 0.0001 AAPL"))
    desk.place()
    assert desk.posts() == 0
    assert lines(desk) == {"AAPL": ("no_trade", "worth 0.02, less than the broker's smallest order of 1 dollar")}


# Open orders


def mine(desk: Desk, **terms: str) -> None:
    """An open order of the account's owner."""
    given = {"symbol": "AAPL", "side": "buy", "qty": "100", "type": "limit", "limit_price": "150.00"}
    desk.broker.line.post("/orders", {**given, "time_in_force": "gtc", "client_order_id": "mine", **terms})
    desk.wait(1)


def test_an_open_buy_of_the_owner_counts_and_is_reported(open_desk: OpenDesk) -> None:
    """158 shares are 30 %: 100 are open already."""
    desk = open_desk({"AAPL": AAPL}, opening=holding())
    mine(desk)
    plan(desk, WEIGHT)
    assert desk.order().target == 58
    assert desk.journalled("AAPL", "plan")[0][1].endswith("; counted as filled: buy 100 (mine)")
    desk.close()
    assert desk.row()["note"] == "counted as filled: buy 100 (mine)"


@pytest.mark.parametrize(("qty", "target"), [("140", Decimal(0)), ("100", Decimal(58))])
def test_a_weight_that_open_orders_bring_into_its_band_is_not_traded(
    open_desk: OpenDesk, qty: str, target: Decimal
) -> None:
    """158 shares are 30 %, and 5 % are 26 shares."""
    desk = open_desk({"AAPL": AAPL}, opening=holding())
    mine(desk, qty=qty)
    plan(desk, WEIGHT | {"min_drift_pct": "5"})
    assert (desk.order().target, desk.order().outcome) == (target, None if target else Outcome.NO_TRADE)


def test_a_stop_of_the_owner_does_not_count_as_sold(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, opening=holding(AAPL="158"))
    terms = {"symbol": "AAPL", "side": "sell", "qty": "50", "type": "stop", "stop_price": "100.00"}
    desk.broker.line.post("/orders", {**terms, "time_in_force": "gtc", "client_order_id": "stop"})
    desk.wait(1)
    plan(desk, {"name": "core", "targets": {"AAPL": "0.22"}})
    assert (desk.order().side, desk.order().note) == ("sell", "")


def test_a_preview_does_not_count_as_another_runs_order(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, opening=holding())
    preview = open_run({"plan": WEIGHT, "preview": True}, EXECUTION, {}, desk.ports).run_id
    plan_orders(preview, 1, desk.ports)
    plan(desk, WEIGHT)
    assert desk.order().target == 158


def test_a_weight_that_another_stack_is_trading_is_reported_and_not_sized(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, opening=holding())
    theirs = "rpzzz-core-261123.AAPL.b.1"
    desk.submit(theirs)
    plan(desk, WEIGHT)
    assert lines(desk)["AAPL"] == ("not_sized", f"another stack is trading it, and how far is not known: {theirs}")
    assert theirs in [order.client_order_id for order in desk.exchange.account.orders.open.values()]


# Prices


def test_an_old_last_trade_does_not_size_a_weight(open_desk: OpenDesk) -> None:
    """The feed's last trade is from before a split: 2.00 where the book is at 20.01."""
    events = [trade("09:10", "100 @ 2.00", side=1), *book("09:20 900 @ 20.00 × 900 @ 20.02")]
    desk = open_desk({"AAPL": events}, opening=holding())
    plan(desk, {"name": "core", "targets": {"AAPL": "0.10"}}, max_order_notional="15000")
    assert (desk.order().target, desk.order().sized_at) == (Decimal(499), Decimal("20.01"))
    work(desk)
    assert desk.bought() * Decimal("20.02") < 10_000


def test_a_weight_without_a_fresh_price_is_reported_and_not_sized(open_desk: OpenDesk) -> None:
    events = [*book("09:20 900 @ 20.00 × 900 @ 20.02", until="09:25"), trade("09:26", "100 @ 2.00", side=1)]
    desk = open_desk({"AAPL": events, "KO": KO})
    plan(desk, {"name": "core", "targets": {"AAPL": "0.10", "KO": "0.10"}})
    assert desk.order("AAPL").target == 0
    assert desk.order("KO").outcome is None
    outcome, reason = lines(desk)["AAPL"]
    assert (outcome, reason) == ("held_stale", "quote 20.00 × 20.02, 11 minutes old; last trade 2.00, 10 minutes old")


def test_a_further_run_sizes_the_weight_that_had_no_price(open_desk: OpenDesk) -> None:
    """A weight is sized with the others or not in that run; the next run of the day finds the others on target."""
    late = [trade("09:26", "100 @ 2.00", side=1), *book("09:40 900 @ 20.00 × 900 @ 20.02")]
    desk = open_desk({"AAPL": late, "KO": KO})
    given = {"name": "core", "targets": {"AAPL": "0.10", "KO": "0.10"}}
    plan(desk, given)
    work(desk)
    assert lines(desk)["AAPL"] == ("held_stale", "no quote; last trade 2.00, 10 minutes old")
    assert lines(desk)["KO"] == ("filled", "filled")
    opened = open_run({"plan": given, "run_number": 2}, f"{EXECUTION}-2", {}, desk.ports)
    plan_orders(opened.run_id, opened.epoch, desk.ports)
    aapl, ko = desk.store.orders(opened.run_id)
    assert (aapl.target, aapl.sized_at) == (Decimal(499), Decimal("20.01"))
    assert (ko.target, ko.outcome) == (Decimal(0), Outcome.NO_TRADE)


def test_a_run_may_open_before_any_price_is_fresh(open_desk: OpenDesk) -> None:
    desk = open_desk(
        {"AAPL": [trade("09:10", "100 @ 189.00", side=1), *book("09:35 300 @ 189.40 × 200 @ 189.44")]}, at="09:25"
    )
    desk.open(WEIGHT)
    desk.wait_until("09:36")
    plan_orders(RUN_ID, 1, desk.ports)
    assert desk.order().sized_at == Decimal("189.42")


def test_an_order_far_from_its_sizing_price_is_held_and_never_placed(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": STEEP}, opening=holding())
    plan(desk, WEIGHT)
    desk.wait_until("09:41")
    desk.place()
    assert desk.order().held is HoldReason.REPRICED
    assert (desk.order().arrival, desk.posts()) == (None, 0)
    assert desk.journalled("AAPL", "hold")[-1][1].endswith("sized at 189.42")
    desk.close()
    assert desk.row()["outcome"] == "held_stale"
    assert "more than 10 % from the one that the order was sized at" in desk.row()["reason"]


def test_a_price_that_comes_back_to_its_sizing_price_is_traded(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": STEEP}, opening=holding())
    plan(desk, WEIGHT)
    desk.wait_until("09:41")
    desk.place()
    desk.wait_until("09:51")
    assert desk.place().placed == 1


@pytest.mark.parametrize("given", [a_plan("buy 40 AAPL"), WEIGHT])
def test_limits_at_the_plan_use_the_sizing_price(open_desk: OpenDesk, given: dict[str, Any]) -> None:
    events = [trade("09:10", "100 @ 2.00", side=1), *AAPL]
    desk = open_desk({"AAPL": events}, opening=holding())
    plan(desk, given, max_order_notional="40000")
    assert desk.order().reference_price == Decimal("189.42")
