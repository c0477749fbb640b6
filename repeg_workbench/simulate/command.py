"""`repeg simulate`: runs the day, prints it, saves it, and returns an exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from repeg.adapters.pages.run_page import run_page
from repeg.domain.errors import InvalidInput
from repeg_workbench.journal.folder import SIMULATED
from repeg_workbench.journal.simulated import JournalWriter
from repeg_workbench.report.folder import PAGE, SUMMARY, page_of_folder
from repeg_workbench.simulate.progress import following
from repeg_workbench.simulate.request import Options, scenario
from repeg_workbench.simulate.simulation import Follow, Scenario, opened
from repeg_workbench.simulate.summary import tables
from repeg_workbench.simulate.tape import Tape

SETTLED, FAILED, BAD_INPUT = 0, 1, 2

# The names of the state machine's errors for a start that it refuses.
REFUSALS = frozenset({"InvalidInput", "InvalidPlan", "InvalidSettings", "MarketClosed", "RefusedRun"})

# The width of tables that are not printed to a terminal.
_WIDE = 160


@dataclass(frozen=True)
class Finished:
    """A finished day. `summary` is None if there was no run; then `error` and `cause` give the reason."""

    tape: str
    summary: dict[str, Any] | None
    error: str
    cause: str

    @property
    def exit_code(self) -> int:
        """0 if the run settled, 2 if the request was invalid, else 1."""
        if self.summary is None:
            return BAD_INPUT if self.error in REFUSALS else FAILED
        return SETTLED if self.summary["outcome"] == "settled" else FAILED


def simulate(options: Options, out: Path | None, *, is_json: bool) -> int:
    """Simulate the day described by the options; returns the exit code."""
    try:
        with _kept_journal(out) as follow:
            finished = run(scenario(options), follow)
    except InvalidInput as error:
        typer.echo(str(error), err=True)
        return BAD_INPUT
    if out is not None:
        keep(finished, out)
    show(finished, is_json=is_json)
    return finished.exit_code


def run(day: Scenario, follow: Follow) -> Finished:
    """Run the day, with a progress bar on a terminal."""
    tape = Tape()
    with following(Console(stderr=True)) as progress, opened(day, tape.see, progress, follow) as simulated:
        simulated.start(day.run_id)
        simulated.run()
        ending = simulated.ending()
        return Finished(tape.text(), simulated.summary(), ending.error or "", ending.cause or "")


def show(finished: Finished, *, is_json: bool) -> None:
    """Print the tape and the tables, or the summary alone; errors go to standard error."""
    if finished.summary is None:
        typer.echo(finished.cause or finished.error, err=True)
        return
    if is_json:
        typer.echo(_json(finished.summary))
        return
    console = Console(highlight=False)
    console.width = console.width if console.is_terminal else _WIDE
    typer.echo(finished.tape)
    console.print(tables(finished.summary))


def keep(finished: Finished, folder: Path) -> None:
    """Write tape.txt, and summary.json and report.html if there was a run."""
    (folder / "tape.txt").write_text(finished.tape, encoding="utf-8")
    if finished.summary is not None:
        (folder / SUMMARY).write_text(f"{_json(finished.summary)}\n", encoding="utf-8")
        (folder / PAGE).write_text(run_page(page_of_folder(folder / SIMULATED)), encoding="utf-8")


@contextmanager
def _kept_journal(folder: Path | None) -> Iterator[Follow]:
    """A follower that writes journal.jsonl into the folder, sealed if the day ends. Raises InvalidInput if it cannot be
    written."""
    if folder is None:
        yield lambda _: None
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / SIMULATED).open("w", encoding="utf-8")
    except OSError as error:
        raise InvalidInput("out", str(folder), f"a folder that can be written to ({error.strerror})") from None
    with file:
        journal = JournalWriter(file)
        yield journal.record
        journal.seal()


def _json(summary: dict[str, Any]) -> str:
    return json.dumps(summary, indent=2, ensure_ascii=False)
