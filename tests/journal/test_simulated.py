"""The journal of a simulated day: whole, it reads back; cut off, edited or of another release, it says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from repeg.adapters.journal.files import StepJournal
from repeg.domain.journal import Entry
from repeg.domain.journal_file import SCHEMA
from repeg_workbench.cli import app
from repeg_workbench.journal.simulated import read_lines
from repeg_workbench.operate.answer import UNFINISHED
from tests.builders import after_noon
from tests.journal.simulated import keep, kept_lines
from tests.journal.test_files import a_decision, an_alarm

ENTRIES = [a_decision(), an_alarm(), *(a_decision(seconds) for seconds in range(10, 100, 10))]
WHOLE = kept_lines(ENTRIES)

Damage = Callable[[list[str]], list[str]]


def read(lines: list[str]) -> StepJournal:
    return read_lines("journal.jsonl", "".join(f"{line}\n" for line in lines).encode())


def test_a_whole_journal_reads_back_as_it_was_made() -> None:
    found = read(WHOLE)
    assert found.problems == []
    assert [each.entry for each in found.entries] == [entry._replace(inputs={}) for entry in ENTRIES]


def test_a_day_without_an_entry_is_whole() -> None:
    assert read(kept_lines([])).problems == []


@pytest.mark.parametrize("kept", range(1, len(WHOLE)))
def test_a_journal_that_ends_after_any_line_says_so(kept: int) -> None:
    found = read(WHOLE[:kept])
    assert found.problems == ["it has no footer: its last entries may be missing"]
    assert len(found.entries) == kept - 1


@pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.999])
def test_a_journal_cut_inside_a_line_says_so(share: float) -> None:
    body = "".join(f"{line}\n" for line in WHOLE).encode()
    found = read_lines("journal.jsonl", body[: int(len(body) * share)])
    assert found.problems[-1] == "it was cut off in the middle of a line"


def other_words(lines: list[str]) -> list[str]:
    return [line.replace("no answer", "an answer") for line in lines]


def one_line_twice(lines: list[str]) -> list[str]:
    return [*lines[:3], lines[2], *lines[3:]]


def two_lines_changed_over(lines: list[str]) -> list[str]:
    return [lines[0], lines[2], lines[1], *lines[3:]]


def one_line_less(lines: list[str]) -> list[str]:
    return [*lines[:3], *lines[4:]]


def one_line_broken(lines: list[str]) -> list[str]:
    return [*lines[:3], "{", *lines[4:]]


def no_first_lines(lines: list[str]) -> list[str]:
    return lines[2:]


EDITED = "it was edited: its lines are not those that its footer was made of"
OLDER = "it has no header: its beginning is missing, or an older release wrote it"


@pytest.mark.parametrize(
    ("damage", "problems"),
    [
        (other_words, [EDITED]),
        (one_line_twice, [EDITED]),
        (two_lines_changed_over, [EDITED]),
        (one_line_less, ["1 of its 11 entries are missing"]),
        (one_line_broken, ["1 of its lines could not be read", "1 of its 11 entries are missing"]),
        (no_first_lines, [OLDER, "1 of its 11 entries are missing"]),
    ],
)
def test_an_edited_journal_is_read_and_says_so(damage: Damage, problems: list[str]) -> None:
    found = read(damage(WHOLE))
    assert found.problems == problems
    assert len(found.entries) >= len(ENTRIES) - 1


def test_a_journal_of_an_older_release_is_read_and_says_so() -> None:
    found = read([entry.line() for entry in ENTRIES])
    assert found.problems == [OLDER, "it has no footer: its last entries may be missing"]
    assert len(found.entries) == len(ENTRIES)


@pytest.mark.parametrize("schema", [SCHEMA + 1, 0, "two", None])
def test_a_journal_of_another_schema_is_not_guessed_at(schema: object) -> None:
    found = read([json.dumps({"schema": schema}), *WHOLE[1:]])
    assert (found.entries, found.problems) == ([], [f"its schema is {schema}; this release reads {SCHEMA}"])


@pytest.mark.parametrize("body", [b"", b"\n", b"\xff\xfe\n", b"[]\n7\n", b'{"entries": "many"}\n'])
def test_a_file_of_something_else_has_problems_and_no_entry(body: bytes) -> None:
    found = read_lines("journal.jsonl", body)
    assert found.entries == []
    assert found.problems


def test_explain_tells_what_a_cut_off_journal_still_shows(tmp_path: Path) -> None:
    end = Entry(after_noon(200), "core-2026-11-23", "AAPL", "finish", "100 of 100", "filled")
    keep(tmp_path, kept_lines([*ENTRIES, end])[:-1])
    said = CliRunner().invoke(app, ["explain", str(tmp_path), "AAPL"])
    assert said.exit_code == UNFINISHED
    assert "its last entries may be missing" in said.stdout
    assert "Decision by decision:" in said.stdout


@pytest.mark.parametrize("inputs", ["5", '"text"', "[1]", "null", "true"])
def test_inputs_that_are_no_object_are_a_problem_of_their_line(inputs: str) -> None:
    line = f'{{"at":"{ENTRIES[1].at.isoformat()}","run_id":"{ENTRIES[1].run_id}","subject":"AAPL","verb":"hold"'
    found = read([*WHOLE[:-1], f'{line},"inputs":{inputs}}}', WHOLE[-1]])
    assert len(found.entries) == len(ENTRIES)
    assert "1 of its lines could not be read" in found.problems
