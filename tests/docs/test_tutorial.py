"""The tutorial: every command of the page is run, in its order, and prints what the page shows."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import chdir
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
    shown: tuple[str, ...]


def steps(page: str) -> Iterator[Step]:
    """The commands in the page's console blocks; a command begins with a dollar sign."""
    for block in _BLOCK.findall(page):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.splitlines()
            yield Step(command, tuple(shown))


def first_difference(shown: Sequence[str], printed: Sequence[str]) -> str:
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


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[Step, list[str]]:
    """What each command of the page prints, in one folder and in their order."""
    found = list(steps(PAGE.read_text(encoding="utf-8")))
    with chdir(tmp_path_factory.mktemp("clone")):
        return {step: run(step.command).splitlines() for step in found}


def test_every_command_of_the_tutorial_prints_what_the_page_shows(printed: dict[Step, list[str]]) -> None:
    assert len(printed) >= 7
    wrong = {step.command: first_difference(step.shown, lines) for step, lines in printed.items()}
    assert {command: line for command, line in wrong.items() if line} == {}


def test_the_tape_in_the_readme_is_of_the_demo(printed: dict[Step, list[str]]) -> None:
    (demo,) = (lines for step, lines in printed.items() if step.command == "make demo")
    tape = re.findall(r"^\d\d:\d\d:\d\d  .*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(tape) >= 5
    assert [line for line in demo if line in tape] == tape


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
