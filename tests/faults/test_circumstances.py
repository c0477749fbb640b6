"""What a day may have beside its faults is drawn as often as said, and is the only thing that it changes."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from repeg.domain.settings_sources import resolve
from repeg_workbench.deployment_variables import variables
from repeg_workbench.faults.circumstances import CIRCUMSTANCES, PLAIN, Circumstance
from repeg_workbench.faults.function_service import Variables
from repeg_workbench.faults.seeded_days import Day, make_day
from repeg_workbench.faults.world import World

DAYS = 600


@pytest.fixture(scope="module")
def drawn() -> dict[Circumstance, list[int]]:
    """The seeds of the first days with each circumstance."""
    found: dict[Circumstance, list[int]] = {circumstance: [] for circumstance in Circumstance}
    for seed in range(DAYS):
        for circumstance in make_day(seed).circumstances:
            found[Circumstance(circumstance)].append(seed)
    return found


def test_each_circumstance_is_drawn_about_as_often_as_said(drawn: dict[Circumstance, list[int]]) -> None:
    counted = Counter({circumstance: len(seeds) / DAYS for circumstance, seeds in drawn.items()})
    assert counted == {c: pytest.approx(share, rel=0.6) for c, (share, _) in CIRCUMSTANCES.items()}


def test_a_day_without_its_circumstances_is_a_plain_day() -> None:
    plain = [make_day(seed, PLAIN) for seed in range(60)]
    assert all(len(day.runs) == len(day.stacks) == 1 for day in plain)
    assert all(Decimal(row["qty"]) % 1 == 0 for day in plain for row in day.plan["orders"] if row["qty"] != "all")
    assert any(make_day(day.seed) != day for day in plain)


def test_leaving_out_one_circumstance_keeps_the_others(drawn: dict[Circumstance, list[int]]) -> None:
    seed = next(seed for seed in drawn[Circumstance.FALLBACK] if seed in drawn[Circumstance.WEIGHTS])
    day = make_day(seed, frozenset({Circumstance.WEIGHTS}))
    assert "orders" in day.plan
    assert day.settings["fallback"] == make_day(seed).settings["fallback"]


def test_every_stack_of_a_day_has_valid_settings() -> None:
    for seed in range(DAYS):
        day = make_day(seed)
        for settings in day.stacks:
            resolve(variables(settings), None)


@pytest.mark.parametrize("circumstance", [Circumstance.WEIGHTS, Circumstance.SECOND_STACK, Circumstance.FURTHER_RUN])
def test_runs_of_other_kinds_of_plan_trade(circumstance: Circumstance, drawn: dict[Circumstance, list[int]]) -> None:
    assert any(_bought_or_sold(make_day(seed)) for seed in drawn[circumstance][:16])


def _bought_or_sold(day: Day) -> bool:
    """Whether the last run of a day has filled an order."""
    world = World(day.seed)
    result = world.run()
    assert not result.violations, (day.seed, result.violations)
    stack = world.stacks[day.runs[-1].stack]
    return any(order.filled > 0 for order in stack.store.orders(list(stack.runs)[-1]))


def test_a_stack_does_not_see_the_variables_of_another() -> None:
    environment = {"EXECUTION__MAX_REPEGS": "7"}
    entered = Variables(environment)
    with entered.kept():
        entered.enter({"EXECUTION__MAX_RUN_ORDERS": "1"})
        entered.enter({"EXECUTION__MAX_REPEGS": "3"})
        assert environment == {"EXECUTION__MAX_REPEGS": "3"}
    assert environment == {"EXECUTION__MAX_REPEGS": "7"}
