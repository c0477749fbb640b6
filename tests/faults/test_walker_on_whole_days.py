"""Whole days with the deployed handlers have the same decisions and ledger, walked and interpreted."""

from __future__ import annotations

from typing import Any

import pytest

from repeg import wiring
from repeg_workbench.engine.engine import Engine
from repeg_workbench.engine.surroundings import with_variables
from repeg_workbench.faults.faulty_ports import CURRENT, Invocation
from repeg_workbench.faults.world import World
from tests.template.stack import TEMPLATE

SEEDS = (1, 2, 3, 8, 12)

# The interpreter's waits are floats and end up to microseconds off.
INTERPRETED_WAITS_ARE_FLOATS = 0.000_05


def interpreted(seed: int, monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], World]:
    """The day of a seed in the interpreter on the deployed stack; the functions' variables stay set afterwards."""
    day = World(seed)
    with Engine(template=TEMPLATE, start=day.day.start, seed=seed, runtime_environment=day.stack.variables) as engine:
        world = World(seed, quiet=True, scheduler=engine.scheduler)
        wiring.provide(world.stack.ports)
        CURRENT.set(Invocation("any"))
        arn = engine.start_execution(world.given, "run")
        engine.run()
        execution = engine.execution(arn)
        for name, value in engine.function("OpenRun").environment.items():
            monkeypatch.setenv(name, value)
    return [execution.status, *execution.states], world


def walked(seed: int) -> tuple[list[str], World]:
    """The same day, walked."""
    world = World(seed, quiet=True)
    wiring.provide(world.stack.ports)
    world.stack.start("run", world.given)
    with with_variables(world.stack.variables):
        world.scheduler.run()
    execution = world.stack.executions[0]
    return [execution.status, *execution.path], world


@pytest.mark.parametrize("seed", SEEDS)
def test_a_whole_day_is_the_same_walked_and_interpreted(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    expected, there = interpreted(seed, monkeypatch)
    way, here = walked(seed)
    assert way == expected
    assert len(way) > 10
    assert _decisions_and_events(here) == _decisions_and_events(there)
    assert _moments(here) == pytest.approx(_moments(there), abs=INTERPRETED_WAITS_ARE_FLOATS)


def _decisions_and_events(world: World) -> list[tuple[Any, ...]]:
    """All decisions and all events at the broker, without times."""
    decisions = [(entry.subject, entry.verb, entry.detail, entry.reason) for entry in world.journal.entries]
    ledger = world.exchange.ledger.events
    events = [(e.client_order_id, e.event, e.status, e.quantity, e.filled, e.limit) for e in ledger]
    return [*decisions, *events]


def _moments(world: World) -> list[float]:
    """The times of all decisions, in seconds."""
    return [entry.at.timestamp() for entry in world.journal.entries]
