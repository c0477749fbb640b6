"""Canary broker keys appear in no output of a simulated day, even a day full of failures."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote as url_quote

import pytest
from aws_lambda_powertools import Logger

from repeg import wiring
from repeg.adapters.logs import LogJournal
from repeg.domain.journal import Entry
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.market.scripted import ScriptedMarket
from repeg_workbench.exchange.triggers import When
from repeg_workbench.simulate.simulation import Scenario, SimulatedDay, opened
from tests.builders import MONDAY
from tests.functions.books import KO, QUIET, UP, book
from tests.functions.desk import a_plan

KEY_ID = "PKCANARYTHATMAYNOTSING"
SECRET = "canary-sings-where-it-should-not/+="
OPENING = OpeningAccount(
    cash=Decimal(9_000), positions={"KO": (Decimal(100), Decimal(60))}, key_id=KEY_ID, secret_key=SECRET
)
SCENARIO = Scenario(
    plan=a_plan("buy 40 AAPL", "sell all KO"),
    market=ScriptedMarket({MONDAY: {"AAPL": book(QUIET, UP, until="09:50"), "KO": KO}}),
    day=MONDAY,
    opening=OPENING,
    settings={"patience_seconds": 60},
)
ALWAYS = When(times=None)


@dataclass
class Listener:
    """Collects a day's outputs by their destination."""

    journal: list[Entry] = field(default_factory=list)
    published: list[Any] = field(default_factory=list)

    def sinks(self, day: SimulatedDay) -> dict[str, str]:
        """The content of each destination as text."""
        executions = day.engine.executions()
        invocations = day.engine.host.invocations
        table = day.engine.client("dynamodb").scan(TableName=day.engine.table_name())
        run = day.ports.store.run(SCENARIO.run_id)
        return {
            "logs and metrics": "".join(invocation.log for invocation in invocations),
            "answers and errors of functions": "".join(invocation.payload for invocation in invocations),
            "events of functions": json.dumps([invocation.event for invocation in invocations]),
            "histories": json.dumps([execution.history for execution in executions], default=str),
            "ends of executions": repr([(e.input, e.output, e.error, e.cause) for e in executions]),
            "table": json.dumps(table["Items"], default=str),
            "published events": json.dumps(self.published, default=str),
            "journal": "\n".join(entry.line() for entry in self.journal),
            "report": json.dumps(run.report.as_json() if run and run.report else None),
        }


def shapes(secret: str) -> Iterator[str]:
    """A secret as it is, and in its usual encodings."""
    yield secret
    yield url_quote(secret, safe="")
    yield base64.b64encode(secret.encode()).decode()
    yield json.dumps(secret)[1:-1]


def canaries_in(text: str) -> list[str]:
    """The canaries contained in a text."""
    return [secret for secret in (KEY_ID, SECRET) if any(shape in text for shape in shapes(secret))]


def fail_now_and_then(day: SimulatedDay) -> None:
    """Inject every kind of bad answer over the day."""
    bad: list[Fault] = [
        Fault(kind=Kind.ANSWER_BEFORE, status=429, body={"message": "rate limit exceeded"}),
        Fault(kind=Kind.ANSWER_BEFORE, status=500),
        Fault(kind=Kind.ANSWER_AFTER, status=504),
        Fault(kind=Kind.ANSWER_AFTER, status=200, body="<html>"),
        Fault(kind=Kind.HANG_AFTER),
        Fault(kind=Kind.HANG_BEFORE),
        Fault(kind=Kind.RESET_AFTER),
    ]
    no_funds = {"code": 40310000, "message": "insufficient buying power"}
    day.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="POST", status=403, body=no_funds))
    for number, fault in enumerate(bad):
        day.exchange.faults.arm(fault, When(skip=10 + 6 * number))


def revoke_the_keys(day: SimulatedDay) -> None:
    """Revoke the keys for half an hour; the watchdog then closes the run."""
    day.engine.scheduler.spawn_apart(lambda: _revoke(day))


def _revoke(day: SimulatedDay) -> None:
    day.engine.scheduler.sleep(12 * 60)
    day.exchange.gate.revoke(KEY_ID)
    day.engine.scheduler.sleep(30 * 60)
    day.exchange.gate.restore(KEY_ID)
    day.engine.invoke("WatchRuns", {})


def abort(day: SimulatedDay) -> None:
    """Stop the execution while its orders rest; the sweep meets server errors."""
    day.engine.scheduler.spawn_apart(lambda: _abort(day))


def _abort(day: SimulatedDay) -> None:
    day.engine.scheduler.sleep(11 * 60)
    (execution,) = day.engine.executions()
    day.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders", status=502))
    day.engine.stop_execution(execution.arn, "Stopped", "by hand")


def refuse_the_keys(day: SimulatedDay) -> None:
    """Reject the keys from the start, so that the run cannot be opened."""
    day.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, status=401, body={"message": "unauthorized."}), ALWAYS)


TROUBLES: list[Callable[[SimulatedDay], None]] = [fail_now_and_then, revoke_the_keys, abort, refuse_the_keys]
SILENT = {"refuse_the_keys": {"logs and metrics", "table", "published events", "journal", "report"}}
"""Destinations that stay empty if the run cannot be opened."""


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.__name__)
def test_the_keys_appear_in_no_output_of_a_day(
    trouble: Callable[[SimulatedDay], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    listener = Listener()
    with opened(SCENARIO, listener.journal.append) as day:
        journal = _Both(day.ports.journal, LogJournal(Logger(service="canary", level="DEBUG", stream=sys.stdout)))
        wiring.provide(replace(day.ports, journal=journal))
        day.ports.notifier._notifier._notifier._client.meta.events.register(  # type: ignore[attr-defined]
            "provide-client-params.events", lambda params, **_: listener.published.append(params)
        )
        trouble(day)
        day.start("secrets")
        day.engine.run(until=SCENARIO.starts + timedelta(hours=2))
        sinks = listener.sinks(day) | {"other loggers": caplog.text}
        struck = [taken for _, when, taken in day.exchange.faults.armed.entries() if when.times == 1 and not taken]
    assert struck == [], "not every fault has struck"
    empty = {place for place, text in sinks.items() if text in {"", "[]", "null"}} - {"other loggers"}
    assert empty <= SILENT.get(trouble.__name__, set())
    assert {place: canaries_in(text) for place, text in sinks.items() if canaries_in(text)} == {}


def test_a_canary_is_detected_in_each_encoding() -> None:
    assert all(canaries_in(f"x {shape} x") == [SECRET] for shape in shapes(SECRET))
    assert canaries_in(json.dumps({"Authorization": f"{KEY_ID}:{SECRET}"})) == [KEY_ID, SECRET]
    assert canaries_in("nothing of the kind") == []


class _Both:
    """A journal that is both kept in memory and logged as deployed."""

    def __init__(self, *journals: Any) -> None:
        self._journals = journals

    def record(self, entry: Entry) -> None:
        for journal in self._journals:
            journal.record(entry)
