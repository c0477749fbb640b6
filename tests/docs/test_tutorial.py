"""The tutorial: every command of the page is run, in its order, and prints what the page shows."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from repeg_workbench.cli import app

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial.md"
LEFT_OUT = "…"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# What make runs for a target that the tutorial names, once the environment is there.
_MADE = {"make demo": "\t@.venv/bin/repeg demo\n"}


@dataclass(frozen=True)
class Step:
    """A command of the page, and the lines that it shows below it."""

    command: str
    shown: list[str]


def steps(page: str) -> Iterator[Step]:
    """The commands in the page's console blocks; a command begins with a dollar sign."""
    for block in _BLOCK.findall(page):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.splitlines()
            yield Step(command, shown)


def first_difference(shown: list[str], printed: list[str]) -> str:
    """The first line of a page that a command has not printed in its place, or nothing.

    Blanks at the end of a line do not count. `…` stands for any number of lines, and none.
    """
    rest, may_skip = [line.rstrip() for line in printed], False
    for line in shown:
        if line == LEFT_OUT:
            may_skip = True
            continue
        if line not in (rest if may_skip else rest[:1]):
            return line
        rest, may_skip = rest[rest.index(line) + 1 :], False
    return "" if may_skip or not any(rest) else f"nothing more, and not {rest[0]}"


def run(command: str) -> str:
    """What a command prints. `repeg` runs in this process, which has its imports; the rest in a shell."""
    if command in _MADE:
        assert _MADE[command] in (ROOT / "Makefile").read_text(encoding="utf-8")
        command = _MADE[command].strip().removeprefix("@.venv/bin/")
    program, *arguments = shlex.split(command)
    if program == "repeg":
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        return result.stdout
    return subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True).stdout  # noqa: S607


def test_every_command_of_the_tutorial_prints_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = list(steps(PAGE.read_text(encoding="utf-8")))
    assert len(found) >= 7
    wrong = {step.command: first_difference(step.shown, run(step.command).splitlines()) for step in found}
    assert {command: line for command, line in wrong.items() if line} == {}


@pytest.mark.parametrize(
    ("shown", "printed", "difference"),
    [
        (["a", "b"], ["a  ", "b"], ""),
        (["a", LEFT_OUT, "d"], ["a", "b", "c", "d"], ""),
        (["a", LEFT_OUT], ["a"], ""),
        (["a", "c"], ["a", "b", "c"], "c"),
        ([LEFT_OUT, "x", LEFT_OUT], ["a", "b"], "x"),
        ([LEFT_OUT, "b", "a"], ["a", "b"], "a"),
        (["a"], ["a", "b"], "nothing more, and not b"),
        ([], ["a"], "nothing more, and not a"),
    ],
)
def test_a_line_that_was_not_printed_in_its_place_is_found(
    shown: list[str], printed: list[str], difference: str
) -> None:
    assert first_difference(shown, printed) == difference
