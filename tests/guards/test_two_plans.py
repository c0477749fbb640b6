"""Two runs of a day with one symbol: each counts what the other has yet to fill, on each store."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from functions.open_run.app import open_run
from functions.plan_orders.app import plan_orders
from repeg.domain.errors import Conflict
from repeg.ports import Store
from tests.functions.books import AAPL
from tests.functions.desk import Desk, OpenDesk, holding

NAMES = ("core", "tilt")
# 30 % of 100,000 dollars at 189.42.
WANTED = Decimal(158)


def opened(open_desk: OpenDesk, store: Store, weights: tuple[str, ...] = ("0.30", "0.30")) -> Desk:
    """Two runs with weights of AAPL, neither planned."""
    desk = open_desk({"AAPL": AAPL}, store=store, opening=holding())
    for name, weight in zip(NAMES, weights, strict=True):
        plan: dict[str, Any] = {"name": name, "targets": {"AAPL": weight}}
        open_run({"plan": plan}, f"arn:{name}", {}, desk.ports)
    return desk


def run_id(name: str) -> str:
    return f"{name}-2026-11-23"


def targets(desk: Desk) -> list[Decimal]:
    return sorted(order.target for name in NAMES for order in desk.store.orders(run_id(name)))


def test_a_second_plan_counts_the_first_ones_unfilled_target(open_desk: OpenDesk, store: Store) -> None:
    desk = opened(open_desk, store)
    for name in NAMES:
        plan_orders(run_id(name), 1, desk.ports)
    assert targets(desk) == [0, WANTED]
    (line,) = desk.store.orders(run_id("tilt"))
    assert line.reason == "already covered by open orders: buy 158 by run core-2026-11-23"
    assert line.note == "counted as filled: buy 158 by run core-2026-11-23"


def test_a_larger_second_weight_buys_the_difference(open_desk: OpenDesk, store: Store) -> None:
    desk = opened(open_desk, store, ("0.30", "0.40"))
    for name in NAMES:
        plan_orders(run_id(name), 1, desk.ports)
    assert targets(desk) == [Decimal(53), WANTED]  # 211 at 40 %
    assert desk.journalled("AAPL", "plan")[1][1].endswith("counted as filled: buy 158 by run core-2026-11-23")


def test_plans_of_the_same_instant_do_not_both_buy(open_desk: OpenDesk, store: Store) -> None:
    """Each reads before the other writes: the second write is a conflict, and that run plans again."""
    desk = opened(open_desk, store)
    desk.broker.line.seconds = 0.05
    steps = [desk.scheduler.spawn(partial(plan_orders, run_id(name), 1, desk.ports)) for name in NAMES]
    desk.wait(10)
    for step in steps:
        step.result()
    assert targets(desk) == [0, WANTED]
    reads = sum(path == "/positions" for _, path in desk.broker.line.sent)
    assert reads == 5  # two at the opens, and one of the two plans was made twice


def test_a_plan_that_always_comes_too_late_ends_in_a_conflict(
    open_desk: OpenDesk, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The machine retries the step on a conflict."""
    desk = opened(open_desk, store)

    def always_late(*_: Any) -> Any:
        raise Conflict("another run was first")

    monkeypatch.setattr(store, "add_orders", always_late)
    with pytest.raises(Conflict, match="another run was first"):
        plan_orders(run_id("core"), 1, desk.ports)
    assert desk.store.orders(run_id("core")) == []
