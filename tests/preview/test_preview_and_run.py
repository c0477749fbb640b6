"""A run in an unchanged market plans what its preview said, line by line, and trades it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from functions.open_run.app import estimate
from functions.plan_orders.app import plan_orders
from repeg.domain.estimate import RunEstimate
from repeg.domain.parent_order import ParentOrder
from repeg_workbench.deployment_variables import variables
from repeg_workbench.exchange.broker.opening import OpeningAccount
from tests.builders import worked_by
from tests.functions.books import AAPL, KO, QUIET, book
from tests.functions.desk import EXECUTION, Desk, a_desk, a_plan, holding

BOOKS = {
    "AAPL": AAPL,
    "KO": KO,
    "T": book("09:20 900 @ 20.00 × 900 @ 20.02"),
    "PG": book("09:20 900 @ 150.00 × 900 @ 150.03"),
    "F": book("09:20 900 @ 12.00 × 900 @ 12.01", until="09:25"),
}
QUICK: dict[str, Any] = {"patience_seconds": 30, "max_spread_pct": "1"}


def weights(name: str = "core", **targets: str) -> dict[str, Any]:
    return {"name": name, "targets": targets}


@dataclass(frozen=True)
class Case:
    """A plan, the account that it meets, and an order of another hand that is open, if there is one."""

    name: str
    plan: dict[str, Any]
    opening: OpeningAccount = field(default_factory=holding)
    other: dict[str, str] | None = None
    untraded: dict[str, str] = field(default_factory=dict)


class Line(NamedTuple):
    """A line of a plan as it is previewed or planned."""

    side: str
    qty: Decimal
    price: Decimal
    reason: str
    note: str


CASES = (
    Case("orders", a_plan("buy 40 AAPL", "sell all KO", "buy 30 T"), holding(KO="100")),
    Case("weights", weights(AAPL="0.20", KO="0.10", PG="0.15"), holding(KO="700")),
    Case("an exit", weights(KO="0", T="0.05"), holding("5000", KO="40")),
    Case("fractions", a_plan("buy 2.5 AAPL", "sell all KO"), holding(KO="10.25")),
    Case(
        "dollars",
        {"name": "core", "orders": [
            {"symbol": "AAPL", "side": "buy", "notional": "3000"}, {"symbol": "PG", "side": "buy", "notional": "100"},
            {"symbol": "KO", "side": "sell", "notional": "9000"},
        ]},
        holding(KO="100"), untraded={"PG": "less than a share"},
    ),
    Case(
        "a minimum", {**weights(AAPL="0.10", KO="0.05"), "min_trade_notional": "700"}, holding("95000", KO="90"),
        untraded={"KO": "below min_trade_notional"},
    ),
    Case(
        "a drift band",
        {**weights(AAPL="0.10", KO="0.06", T="0.05"), "min_drift_pct": "1", "min_drift_pct_of": {"T": "9"}},
        holding("95000", KO="90"), untraded={"KO": "below min_drift_pct", "T": "below min_drift_pct"},
    ),
    Case("less than a share", weights(AAPL="0.001", T="0.02"), untraded={"AAPL": "less than a share"}),
    Case(
        "buy only", {**weights(AAPL="0.50", KO="0.01", T="0.30"), "buy_only": True}, holding("8000", KO="200"),
        untraded={"KO": "nothing is sold"},
    ),
    Case("a reserve", {**weights(AAPL="0.30", T="0.20"), "cash_reserve": "0.5"}, holding("20000")),
    Case("a reserve that binds", {**weights(T="0.30"), "cash_reserve": "0.2"}, holding("8000", PG="80")),
    Case(
        "another's open buy", weights(AAPL="0.10", T="0.05"),
        other={"symbol": "AAPL", "side": "buy", "qty": "20", "limit_price": "100.00"},
    ),
    Case(
        "covered by an open order", weights(AAPL="0.10", T="0.05"),
        other={"symbol": "AAPL", "side": "buy", "qty": "60", "limit_price": "100.00"},
        untraded={"AAPL": "already covered by open orders"},
    ),
    Case(
        "less than the smallest order", a_plan("buy 0.005 AAPL", "buy 0.4 T", "sell all KO"), holding(KO="0.015"),
        untraded={"AAPL": "worth 0.95, less than the broker's smallest order", "KO": "worth 0.91, less than"},
    ),
    Case("an old price", weights(F="0.10", T="0.05"), untraded={"F": "minutes old"}),
    Case("too little cash", a_plan("buy 40 AAPL", "buy 40 PG"), holding("9000")),
    Case("sells that fund a buy", a_plan("sell all KO", "buy 40 T"), holding("100", KO="50")),
)  # fmt: skip


@pytest.fixture(params=CASES, ids=lambda case: case.name.replace(" ", "_"))
def met(request: pytest.FixtureRequest) -> Iterator[tuple[Case, Desk]]:
    case: Case = request.param
    with a_desk(BOOKS, opening=case.opening) as desk:
        if case.other is not None:
            terms = {**case.other, "type": "limit", "time_in_force": "day", "client_order_id": "by-hand"}
            desk.broker.line.post("/orders", terms)
            desk.wait(1)
        yield case, desk


def previewed(case: Case, desk: Desk) -> RunEstimate:
    return estimate({"plan": case.plan, "preview": True}, EXECUTION, variables(worked_by(QUICK)), desk.ports)


def planned(case: Case, desk: Desk) -> list[ParentOrder]:
    desk.open(case.plan, **QUICK)
    plan_orders(desk.run_id, desk.epoch, desk.ports)
    return sorted(desk.store.orders(desk.run_id), key=lambda order: order.symbol)


def differing(said: RunEstimate, orders: list[ParentOrder]) -> dict[str, tuple[Line | None, Line | None]]:
    """What was previewed and what is planned, of each line on which they are not the same."""
    told = {each.symbol: Line(each.side, each.qty, each.price, each.reason, each.note) for each in said.orders}
    made = {o.symbol: Line(str(o.side), o.target, o.reference_price, o.reason, o.note) for o in orders}
    symbols = sorted(told.keys() | made.keys())
    return {each: (told.get(each), made.get(each)) for each in symbols if told.get(each) != made.get(each)}


def run_out(desk: Desk) -> None:
    """Work what is planned for five minutes, and close."""
    for minute in range(36, 41):
        desk.wait_until(f"09:{minute}:10")
        desk.place()
        desk.wait_until(f"09:{minute}:40")
        desk.repeg()
    desk.close()


def traded_otherwise(said: RunEstimate, desk: Desk) -> list[str]:
    """The symbols of which the run has traded something else than was previewed. Where cash is short by less than a
    share may cost up to its collar, it may buy one share fewer."""
    wrong = []
    for each in said.orders:
        wanted = each.qty if each.funded is None else min(each.qty, each.funded)
        filled, slack = desk.order(each.symbol).filled, 0 if wanted == each.qty else 1
        if not wanted - slack <= filled <= wanted:
            wrong.append(each.symbol)
    return wrong


def test_a_run_plans_what_its_preview_said(met: tuple[Case, Desk]) -> None:
    case, desk = met
    said = previewed(case, desk)
    assert differing(said, planned(case, desk)) == {}
    left = {each.symbol: each.reason for each in said.orders if each.reason}
    assert left.keys() == case.untraded.keys()
    assert all(words in left[symbol] for symbol, words in case.untraded.items()), left
    assert said.is_sized_now


def test_a_run_trades_what_its_preview_said(met: tuple[Case, Desk]) -> None:
    case, desk = met
    said = previewed(case, desk)
    before = desk.ports.broker.account().spendable
    planned(case, desk)
    run_out(desk)
    assert traded_otherwise(said, desk) == []
    assert said.cash is not None
    assert said.cash.before == before
    if not said.cash.short:
        spread = sum((each.qty for each in said.orders), Decimal(0)) * Decimal("0.05")
        assert abs(desk.ports.broker.account().spendable - said.cash.after) <= spread
    desk.judge()


# What the comparison would find: a run that decides on something else than its preview did.

PLANTED: dict[str, tuple[dict[str, Any], set[str]]] = {
    "orders": ({"orders": a_plan("buy 41 AAPL", "sell all KO", "buy 30 T")["orders"]}, {"AAPL"}),
    "weights": ({"targets": {"AAPL": "0.20", "KO": "0.10", "PG": "0.152"}}, {"PG"}),
    "dollars": (
        {"orders": [
            {"symbol": "AAPL", "side": "buy", "notional": "3200"}, {"symbol": "PG", "side": "buy", "notional": "100"},
            {"symbol": "KO", "side": "sell", "notional": "9000"},
        ]},
        {"AAPL"},
    ),
    "a minimum": ({"min_trade_notional": "400"}, {"KO"}),
    "a drift band": ({"min_drift_pct": "0.1"}, {"KO"}),
    "buy only": ({"buy_only": False}, {"AAPL", "KO", "T"}),
    "less than the smallest order": (
        {"orders": a_plan("buy 0.006 AAPL", "buy 0.4 T", "sell all KO")["orders"]}, {"AAPL"}
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_a_run_of_another_plan_is_found_to_differ(name: str) -> None:
    case = next(each for each in CASES if each.name == name)
    changed, symbols = PLANTED[name]
    with a_desk(BOOKS, opening=case.opening) as desk:
        said = previewed(case, desk)
        found = differing(said, planned(replace(case, plan={**case.plan, **changed}), desk))
    assert found.keys() == symbols, found


@pytest.mark.parametrize(
    ("name", "changed", "symbol"),
    [
        ("orders", {"orders": a_plan("buy 39 AAPL", "sell all KO", "buy 30 T")["orders"]}, "AAPL"),
        ("a reserve that binds", {"cash_reserve": "0"}, "T"),
    ],
)
def test_a_run_that_trades_otherwise_is_found(name: str, changed: dict[str, Any], symbol: str) -> None:
    case = next(each for each in CASES if each.name == name)
    with a_desk(BOOKS, opening=case.opening) as desk:
        said = previewed(case, desk)
        planned(replace(case, plan={**case.plan, **changed}), desk)
        run_out(desk)
        assert traded_otherwise(said, desk) == [symbol]


def test_a_run_in_another_market_is_found_to_differ() -> None:
    """AAPL has risen between the two: its weight is fewer shares at another price."""
    case = Case("weights", weights(AAPL="0.20", KO="0.10"), holding(KO="700"))
    with a_desk({**BOOKS, "AAPL": book(QUIET, "09:37 300 @ 195.00 × 300 @ 195.04")}, opening=case.opening) as desk:
        said = previewed(case, desk)
        desk.wait_until("09:37:30")
        assert "AAPL" in differing(said, planned(case, desk))
