"""The table calls of a simulated day are all allowed by each function's role."""

from __future__ import annotations

import os
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.market.scripted import ScriptedMarket, quote
from repeg_workbench.simulate.simulation import Scenario, opened
from tests.template.stack import listed, statements, translated

# A transaction needs the permissions of its items.
INSIDE = {"Put": "PutItem", "Update": "UpdateItem", "ConditionCheck": "ConditionCheckItem", "Delete": "DeleteItem"}


def allowed() -> dict[str, set[str]]:
    """The table actions of each function, without their prefix."""
    found: dict[str, set[str]] = {}
    for role, statement in statements(translated()):
        actions = {name.removeprefix("dynamodb:") for name in listed(statement["Action"]) if "dynamodb:" in name}
        found.setdefault(role.removesuffix("Role"), set()).update(actions)
    return found


@pytest.fixture(scope="module")
def used() -> set[tuple[str, str]]:
    """The function and action of each table call on a day with buys, sells and moves."""
    times = [f"09:{minute:02}:{second:02}" for minute in range(60) for second in range(0, 60, 5)]
    prices = [Decimal("189.40") + Decimal(step) / 100 for step in range(len(times))]
    rising = [
        quote(moment, f"300 @ {bid}", f"300 @ {bid + Decimal('0.06')}")
        for moment, bid in zip(times, prices, strict=True)
    ]
    calm = [quote(moment, "900 @ 70.10", "900 @ 70.11") for moment in times]
    market = ScriptedMarket({date(2026, 11, 20): {"AAPL": rising, "KO": calm}})
    plan = {
        "name": "calls",
        "orders": [{"symbol": "AAPL", "side": "buy", "qty": "40"}, {"symbol": "KO", "side": "sell", "qty": "all"}],
    }
    account = OpeningAccount(cash=Decimal(10_000), positions={"KO": (Decimal(100), Decimal(70))})
    calls: set[tuple[str, str]] = set()
    settings = {"patience_seconds": 60, "max_slippage_bps": 500}

    def collect(params: dict[str, Any], model: Any, **_: Any) -> None:
        kinds = [kind for item in params.get("TransactItems", []) for kind in item]
        actions = [INSIDE[kind] for kind in kinds] or [model.name]
        calls.update((os.environ["AWS_LAMBDA_FUNCTION_NAME"], action) for action in actions)

    scenario = Scenario(plan=plan, market=market, day=date(2026, 11, 20), opening=account, settings=settings)
    with opened(scenario) as day:
        day.ports.store._table._client.meta.events.register("provide-client-params.dynamodb", collect)  # type: ignore[attr-defined]
        day.start("calls")
        day.run()
        assert day.ending().status == "SUCCEEDED", day.ending()
        day.start("calls-again")
        day.run()
        assert day.ending().states[-1] == "DuplicateRun"
        day.engine.invoke("WatchRuns", {})
    return {(name.split("-")[1], action) for name, action in calls}


def test_every_step_called_the_table(used: set[tuple[str, str]]) -> None:
    assert {name for name, _ in used} >= {
        "OpenRun",
        "CheckSession",
        "PlanOrders",
        "PlaceOrders",
        "RepegOrders",
        "CloseRun",
    }


def test_every_call_is_permitted(used: set[tuple[str, str]]) -> None:
    permitted = allowed()
    assert {(name, action) for name, action in used if action not in permitted[name]} == set()


def test_a_transactions_items_are_counted_as_calls(used: set[tuple[str, str]]) -> None:
    assert {("PlaceOrders", "PutItem"), ("PlaceOrders", "ConditionCheckItem")} <= used
