"""Runs a golden day and returns its tape, summary, rows and ledger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from repeg.domain.intent import Intent
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import Run
from repeg_workbench.engine.execution import Execution
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.simulate.simulation import Scenario, opened
from repeg_workbench.simulate.tape import Tape


@dataclass(frozen=True)
class Played:
    """A finished day."""

    tape: str
    summary: dict[str, Any]
    run: Run
    orders: list[ParentOrder]
    intents: list[Intent]
    exchange: Exchange
    executions: list[Execution]


def play(scenario: Scenario) -> Played:
    """Run the day to its end."""
    tape = Tape()
    with opened(scenario, tape.see) as day:
        day.start(scenario.run_id)
        day.run()
        summary = day.summary()
        assert summary is not None, day.ending().cause
        store = day.ports.store
        run = store.run(scenario.run_id)
        assert run is not None
        return Played(
            tape.text(),
            summary,
            run,
            store.orders(scenario.run_id),
            store.intents(scenario.run_id),
            day.exchange,
            day.engine.executions(),
        )
