"""OpenRun's estimate: what a start would trade and cost; checked as the start would be, and nothing is claimed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from functions.open_run.app import estimate, open_run
from repeg.domain.crossing import CrossingCost
from repeg.domain.errors import DuplicateRun, InvalidPlan, InvalidSettings, MarketClosed, RefusedRun
from repeg.domain.estimate import RunEstimate
from repeg.domain.run import KillSwitch
from repeg_workbench.deployment_variables import variables
from tests.builders import worked_by
from tests.functions.books import AAPL, KO
from tests.functions.desk import EXECUTION, RUN_ID, Desk, OpenDesk, a_plan, holding


def estimated(desk: Desk, raw: dict[str, Any], **settings: Any) -> RunEstimate:
    return estimate(raw, EXECUTION, variables(worked_by(settings)), desk.ports)


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    return open_desk({"AAPL": AAPL, "KO": KO}, opening=holding(KO="100"))


def test_an_estimate_names_each_order_and_its_cost(desk: Desk) -> None:
    answer = estimated(desk, {"plan": a_plan("buy 40 AAPL", "sell all KO")})
    aapl, ko = answer.orders
    assert (aapl.symbol, aapl.side, str(aapl.qty)) == ("AAPL", "buy", "40")
    assert (ko.symbol, ko.side, str(ko.qty)) == ("KO", "sell", "100")
    quote = desk.broker.quotes(["AAPL"])["AAPL"]
    assert aapl.crossing == 40 * quote.spread / 2
    assert answer.notional == aapl.notional + ko.notional
    assert answer.at_worst == pytest.approx(answer.notional * Decimal("0.005"), abs=Decimal("0.01"))


@pytest.mark.parametrize(
    ("value", "because", "costs", "shown"),
    [
        (Decimal("0.4"), "measured with 31 control orders", "0.4", "measured with 31 control orders"),
        (None, "12 control orders have traded; 20 are needed", "1",
         "assumed: 12 control orders have traded; 20 are needed"),
    ],
)  # fmt: skip
def test_a_measured_crossing_cost_takes_the_place_of_the_assumed_one(
    desk: Desk, value: Decimal | None, because: str, costs: str, shown: str
) -> None:
    assumed = estimated(desk, {"plan": a_plan("buy 40 AAPL", "sell all KO")})
    answer = assumed.with_crossing_cost(CrossingCost(value=value, because=because))
    assert {str(order.crossing_cost.normalize()) for order in answer.orders if order.crossing_cost} == {costs}
    share = Decimal(costs)
    assert [order.crossing for order in answer.orders] == [(o.crossing or 0) * share for o in assumed.orders]
    assert (answer.crossing, answer.crossing_by) == ((assumed.crossing or 0) * share, shown)


def test_an_estimate_of_an_earlier_release_stays_with_its_assumption(desk: Desk) -> None:
    """It does not say what a half-spread is worth."""
    old = estimated(desk, {"plan": a_plan("buy 40 AAPL")})
    old = old.model_copy(update={"orders": tuple(o.model_copy(update={"half_spread": None}) for o in old.orders)})
    answer = old.with_crossing_cost(CrossingCost(value=Decimal("0.4"), because="measured with 31 control orders"))
    assert answer.crossing == old.crossing
    assert answer.crossing_by.startswith("assumed: ")


def test_an_estimate_leaves_no_trace(desk: Desk) -> None:
    answer = estimated(desk, {"plan": a_plan("buy 40 AAPL")})
    assert answer.run_id == RUN_ID
    assert desk.store.guards_on(desk.broker.clock().now.date()) == []
    assert (desk.posts(), desk.notifier.published) == (0, [])


def test_no_collar_is_promised_where_market_orders_are_sent(desk: Desk) -> None:
    answer = estimated(desk, {"plan": a_plan("buy 40 AAPL")}, policy="market")
    assert (answer.at_worst, answer.policy) == (None, "market")


def test_a_line_that_would_not_trade_says_why(desk: Desk) -> None:
    plan = {"name": "core", "targets": {"AAPL": "0.0001", "KO": "0.05"}, "min_trade_notional": "25"}
    row = estimated(desk, {"plan": plan}).orders[0]
    assert (str(row.notional), bool(row.reason)) == ("0.00", True)


@pytest.mark.parametrize(
    ("raw", "settings"),
    [
        ({"plan": a_plan("buy 40 NONE")}, {}),
        ({"plan": a_plan("sell 500 KO")}, {}),
        ({"plan": a_plan("buy 40 AAPL")}, {"max_order_notional": 100}),
        ({"plan": a_plan("buy 40 AAPL"), "settings": {"max_spread": "1"}}, {}),
        ({"plan": a_plan("buy 40 AAPL"), "scheduled_time": "2026-11-20T14:25:00Z"}, {}),
    ],
)
def test_an_estimate_refuses_in_the_words_of_the_start(
    desk: Desk, raw: dict[str, Any], settings: dict[str, Any]
) -> None:
    refusals = (InvalidPlan, InvalidSettings, MarketClosed, RefusedRun)
    with pytest.raises(refusals) as refused:
        estimated(desk, raw, **settings)
    with pytest.raises(type(refused.value)) as start:
        open_run(raw, EXECUTION, variables(settings), desk.ports)
    assert str(start.value) == str(refused.value)


def test_an_estimate_is_refused_while_the_kill_switch_is_set(desk: Desk) -> None:
    desk.store.set_kill_switch(KillSwitch.HALT_NEW)
    with pytest.raises(RefusedRun, match="the kill switch is halt_new"):
        estimated(desk, {"plan": a_plan("buy 40 AAPL")})


def test_an_estimate_of_a_run_that_exists_is_refused_as_a_duplicate(desk: Desk) -> None:
    desk.open(a_plan("buy 40 AAPL"), execution="arn:another")
    with pytest.raises(DuplicateRun):
        estimated(desk, {"plan": a_plan("buy 40 AAPL")})
