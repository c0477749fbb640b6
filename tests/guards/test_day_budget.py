"""The day's budget shared by concurrent runs, on each store."""

from __future__ import annotations

from decimal import Decimal

import pytest

from functions.open_run.app import open_run
from functions.place_orders.app import place_orders
from functions.plan_orders.app import plan_orders
from functions.validate_quotes.app import validate_quotes
from repeg.domain.outcome import HoldReason
from repeg.ports import Store
from repeg_workbench.deployment_variables import variables
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.units import price, qty
from tests.functions.books import AAPL, KO, QUIET, UP, book
from tests.functions.desk import Desk, OpenDesk

NAMES = ("core", "tilt")


def two_runs(open_desk: OpenDesk, store: Store, **settings: str) -> Desk:
    """Two runs of one day, each with 40 AAPL to buy, ready to place."""
    desk = open_desk({"AAPL": AAPL}, store=store)
    for name in NAMES:
        begin(desk, name, "AAPL", **settings)
    return desk


def begin(desk: Desk, name: str, symbol: str, **settings: str) -> None:
    """Open a run of this name with 40 shares to buy, ready to place."""
    plan = {"name": name, "orders": [{"symbol": symbol, "side": "buy", "qty": "40"}]}
    open_run({"plan": plan}, f"arn:{name}", variables(settings), desk.ports)
    plan_orders(f"{name}-2026-11-23", 1, desk.ports)
    validate_quotes(f"{name}-2026-11-23", 1, desk.ports)


def place_both_at_once(desk: Desk) -> None:
    desk.broker.line.seconds = 0.05
    steps = [
        desk.scheduler.spawn(lambda run=f"{name}-2026-11-23": place_orders(run, 1, 0, desk.ports))  # type: ignore[misc]
        for name in NAMES
    ]
    desk.wait(10)
    for step in steps:
        step.result()
    desk.broker.line.seconds = 0


def committed(desk: Desk) -> Decimal:
    """The total notional of orders at the broker, in dollars."""
    return sum((qty(o.quantity or 0) * price(o.terms.limit or 0) for o in desk.at_broker()), Decimal(0))


def test_concurrent_runs_share_the_day_budget_and_one_waits(open_desk: OpenDesk, store: Store) -> None:
    desk = two_runs(open_desk, store, max_day_notional="10000")
    place_both_at_once(desk)
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    refused = [reason for _, reason in desk.journalled("AAPL", "hold")]
    assert len(refused) == 1
    assert "budget day:2026-11-23" in refused[0]


def test_concurrent_runs_within_the_day_budget_both_trade(open_desk: OpenDesk, store: Store) -> None:
    desk = two_runs(open_desk, store, max_day_notional="15152.80")
    place_both_at_once(desk)
    assert committed(desk) == Decimal("15152.80")


def test_repeated_attempts_never_exceed_the_day_budget(open_desk: OpenDesk, store: Store) -> None:
    desk = two_runs(open_desk, store, max_day_notional="15152.79")
    for _ in range(5):
        place_both_at_once(desk)
    assert committed(desk) <= Decimal("15152.79")


@pytest.mark.parametrize("limit", ["max_run_notional", "max_run_orders"])
def test_a_runs_own_limit_does_not_affect_another_run(open_desk: OpenDesk, store: Store, limit: str) -> None:
    desk = two_runs(open_desk, store, **{limit: {"max_run_notional": "7600", "max_run_orders": "1"}[limit]})
    place_both_at_once(desk)
    assert len(desk.at_broker()) == 2


def test_a_reserved_order_is_held_once_another_runs_larger_day_limit_is_used(open_desk: OpenDesk, store: Store) -> None:
    """Its place at 189.66 is reserved, and while its cancel is stuck a run with more to spend commits 2,416 dollars."""
    desk = open_desk({"AAPL": book(QUIET, UP), "KO": KO}, store=store)
    desk.begin("buy 40 AAPL", max_day_notional="7590")
    desk.place()
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=45)
    desk.turn_at("09:36:30")
    begin(desk, "tilt", "KO", max_day_notional="100000")
    place_orders("tilt-2026-11-23", 1, 0, desk.ports)
    desk.turn_at("09:37:30")
    desk.place()
    assert desk.order().held is HoldReason.BUDGET
    assert desk.open_at_broker() == ["40 KO @ 60.41"]
