"""An operator's day at a stack on paper, as a transcript: from the deploy to the report, with a halt in the middle."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import typer

from repeg.adapters.runtime import NetworkRuntime
from repeg.domain.session import NEW_YORK
from repeg_workbench.exchange.broker.opening import OpeningAccount
from tests.builders import MONDAY
from tests.operate.operator import PLAN, Operator, Said, an_operator

TRANSCRIPT = Path(__file__).parents[1] / "golden" / "operators_day.txt"
REGENERATE = "REPEG_WRITE_TRANSCRIPT"

# What differs from one deploy or machine to the next.
_NAMES = [
    (re.compile(r"repeg-([A-Za-z]+)-[A-Z0-9]{12}"), r"repeg-\1-…"),
    (re.compile(r"\b\d+ ms a request"), "… ms a request"),
    (re.compile(r"the broker is \d+\.\d s (ahead of|behind)"), "the broker is … s ahead of"),
    (re.compile(r"quote is -?\d+ s old"), "quote is … s old"),
    (re.compile(r"requests         \d+ of"), "requests         … of"),
    (re.compile(r"a minute, \d+ left"), "a minute, … left"),
    (re.compile(r"\d+ alarms, none"), "… alarms, none"),
]


class Timetable:
    """A runtime on which the operator's other terminal acts at its time, while a command waits in this one."""

    def __init__(self, runtime: NetworkRuntime) -> None:
        self._runtime = runtime
        self._planned: list[tuple[datetime, Callable[[], None]]] = []

    def at(self, clock: str, act: Callable[[], None]) -> None:
        """Plan an act at a New York time."""
        self._planned.append((datetime.fromisoformat(f"{MONDAY}T{clock}").replace(tzinfo=NEW_YORK), act))

    def pause(self, seconds: float) -> None:
        """Wait; what is due is done first."""
        while self._planned and self._runtime.now() >= self._planned[0][0]:
            self._planned.pop(0)[1]()
        self._runtime.pause(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)


class Terminal:
    """The operator's terminal: each command with its time, and what it says."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.text = ""
        self.timetable = Timetable(operator.at.runtime)
        operator.at = replace(operator.at, runtime=self.timetable, confirm=self._confirm)

    def until(self, clock: str) -> None:
        """Do nothing until a New York time."""
        self.operator.until(clock)

    def type(self, *arguments: str) -> Said:
        """Type a command, and see what it says."""
        now = self.operator.day.engine.scheduler.now().astimezone(NEW_YORK)
        said = self.operator.repeg(*arguments)
        self.text += f"[{now:%H:%M}] $ repeg {' '.join(arguments)}\n{said.out}{said.err}(exit code {said.code})\n\n"
        return said

    def note(self, text: str) -> None:
        """A line about what happens beside the commands."""
        self.text += f"# {text}\n\n"

    @staticmethod
    def _confirm(question: str) -> bool:
        typer.echo(f"{question} [y/N]: y")
        return True


def test_an_operators_day_is_as_the_transcript_says(folder: Path) -> None:
    """Regenerate it with REPEG_WRITE_TRANSCRIPT=1, and read what has changed."""
    text = a_day(folder)
    for pattern, name in _NAMES:
        text = pattern.sub(name, text)
    if os.environ.get(REGENERATE):  # noqa: TID251 - asked for by hand
        TRANSCRIPT.write_text(text, encoding="utf-8")
        pytest.skip("the transcript was written")
    assert text == TRANSCRIPT.read_text(encoding="utf-8")


def a_day(folder: Path) -> str:
    """Deploy, keys, doctor, preview, start, watch, a halt in the middle, resume, report."""
    (folder / "plan.json").write_text(json.dumps(PLAN))
    with an_operator(keeps_journal=True, sold_at="09:44:10") as operator:
        terminal = Terminal(operator)
        terminal.note("the stack has just been deployed; its secret holds the placeholder")
        engine = operator.day.engine
        empty = json.dumps({"key_id": "put-yours-here", "secret_key": "x"})
        secret = engine.stack.physical_id("BrokerSecret")
        engine.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=empty)
        terminal.type("doctor", "--symbol", "AAPL")
        pair = [OpeningAccount().key_id, OpeningAccount().secret_key]
        operator.at = replace(operator.at, ask_secret=lambda _: pair.pop(0))
        terminal.note("the key id and the secret key are typed without echo")
        terminal.type("keys")
        terminal.type("doctor", "--symbol", "AAPL")
        terminal.type("start", "plan.json", "--preview")
        terminal.until("09:36:05")
        terminal.type("report")
        terminal.type("start", "plan.json")
        terminal.type("status")
        terminal.note("watched in this terminal; at 09:38 the operator halts in another one, and resumes at 09:42")
        other = Terminal(operator)
        terminal.timetable.at("09:38", lambda: _aside(other, "halt"))
        terminal.timetable.at("09:42", lambda: _aside(other, "resume"))
        operator.at = replace(operator.at, runtime=terminal.timetable)
        terminal.type("watch", f"calls-{MONDAY}")
        terminal.note("the other terminal")
        terminal.text += other.text
        terminal.type("report", f"calls-{MONDAY}")
        terminal.type("runs")
        terminal.type("status")
    return terminal.text


def _aside(terminal: Terminal, command: str) -> None:
    terminal.type(command)
