"""Runs a golden day and returns its tape, summary, rows and ledger."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from repeg.domain.intent import Intent
from repeg.domain.journal import Entry
from repeg.domain.parent_order import ParentOrder
from repeg.domain.report import Report
from repeg.domain.run import Run
from repeg_workbench.engine.execution import Execution
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.simulate.simulation import Scenario, SimulatedDay, opened
from repeg_workbench.simulate.tape import Tape

AFTER_CLOSE = timedelta(minutes=30)
MOST_FILLS = 100


@dataclass(frozen=True)
class Played:
    """A finished day, `journal` the entries of its run. `measured` is its report after the watchdog's pass half an hour
    after the close; None for a day with more fills than such a pass is worth waiting for here."""

    tape: str
    summary: dict[str, Any]
    run: Run
    orders: list[ParentOrder]
    intents: list[Intent]
    exchange: Exchange
    executions: list[Execution]
    report: Report
    measured: Report | None
    journal: list[Entry]


def play(scenario: Scenario) -> Played:
    """Run the day to its end."""
    tape, journal = Tape(), list[Entry]()
    with opened(scenario, tape.see, journal.append) as day:
        day.start(scenario.run_id)
        day.run()
        summary = day.summary()
        assert summary is not None, day.ending().cause
        store = day.ports.store
        run = store.run(scenario.run_id)
        assert run is not None
        assert run.report is not None
        text, executions, entries = tape.text(), day.engine.executions(), list(journal)
        return Played(
            text,
            summary,
            run,
            store.orders(scenario.run_id),
            store.intents(scenario.run_id),
            day.exchange,
            executions,
            run.report,
            _measured(day) if len(day.exchange.ledger.executions) <= MOST_FILLS else None,
            entries,
        )


def _measured(day: SimulatedDay) -> Report:
    """The run's report after the watchdog has measured it."""
    run_id, store = day.scenario.run_id, day.ports.store
    run = store.run(run_id)
    assert run is not None
    day.engine.run(run.trading_day.close + AFTER_CLOSE)
    watched = day.engine.invoke("WatchRuns", {})
    assert (watched.error, json.loads(watched.payload)) == (None, {"alerts": []})
    run = store.run(run_id)
    assert run is not None
    assert run.report is not None
    return run.report
