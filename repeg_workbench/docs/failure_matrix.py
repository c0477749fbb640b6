"""Writes docs/failure-matrix.md, what can fail and what shows it: `python -m repeg_workbench.docs.failure_matrix`."""

from __future__ import annotations

import ast
import tomllib
from dataclasses import dataclass
from pathlib import Path

from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.faults.fault_plan import PortFault, WorkflowFault

ROOT = Path(__file__).parents[2]
ROWS = Path(__file__).with_suffix(".toml")
PAGE = ROOT / "docs" / "failure-matrix.md"

HEAD = """# What can fail, and what shows that it does no harm

Thirty faults between a schedule and a broker. For each: what must happen, the faults of the simulation that strike it
on seeded days (`make simulate-faults`), and the tests in which it happens on purpose. The broker's own ledger is the
judge of both.

Written by `python -m repeg_workbench.docs.failure_matrix`, which refuses a test that does not exist; a test
fails when this page is out of date.

| | What goes wrong | What must happen | Simulated as | Shown by |
|---|---|---|---|---|
"""


class UnknownTest(ValueError):
    """A row names a test that no file has."""


@dataclass(frozen=True)
class Row:
    """One fault, what must happen, the kinds of the fault simulation, and the ids of tests by file and name."""

    what: str
    must: str
    simulated: tuple[PortFault | WorkflowFault | Race, ...]
    tests: tuple[str, ...]


def rows() -> list[Row]:
    """The rows as they are kept. Raises ValueError for a kind of fault that the simulation does not have."""
    found = tomllib.loads(ROWS.read_text(encoding="utf-8"))["fault"]
    return [Row(row["what"], row["must"], tuple(map(_kind, row["simulated"])), tuple(row["tests"])) for row in found]


def page(shown: list[Row]) -> str:
    """The whole page, as it should be on disk. Raises UnknownTest."""
    return HEAD + "".join(_line(number, row) for number, row in enumerate(shown, start=1))


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(rows()), encoding="utf-8")


def names_in(file: str) -> set[str]:
    """The names of the tests of a file, below the root of the project."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def _kind(word: str) -> PortFault | WorkflowFault | Race:
    """The kind of that name; ValueError where the simulation knows none."""
    found = next((kinds for kinds in (PortFault, WorkflowFault) if word in set(kinds)), Race)
    return found(word)


def _line(number: int, row: Row) -> str:
    simulated = ", ".join(f"`{fault}`" for fault in row.simulated) or "–"
    shown = "<br>".join(_linked(test) for test in row.tests)
    return f"| F{number} | {row.what} | {row.must} | {simulated} | {shown} |\n"


def _linked(test: str) -> str:
    file, _, name = test.partition("::")
    if not (ROOT / file).exists() or name not in names_in(file):
        raise UnknownTest(test)
    return f"[{name.removeprefix('test_').replace('_', ' ')}](../{file})"


if __name__ == "__main__":
    main()
