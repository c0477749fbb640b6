"""Checks the branch coverage of each package against its floor: `python -m tests.coverage.floors` after `make test`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from coverage import Coverage

ROOT = Path(__file__).parents[2]

# In percent of the branches of a package's files. A floor may rise and never falls.
FLOORS = {
    "layers/repeg/python/repeg/domain": 95,
    "layers/repeg/python/repeg/workflow": 95,
    "layers/repeg/python/repeg/adapters": 95,
    "layers/repeg/python/repeg": 95,
    "functions": 95,
}


@dataclass(frozen=True)
class Measured:
    """The lines and branches of a package, and how many of them the tests have run."""

    lines: int = 0
    lines_run: int = 0
    branches: int = 0
    branches_run: int = 0

    @property
    def line_percent(self) -> float:
        """Lines run, in percent; 100 for a package without any."""
        return 100 * self.lines_run / self.lines if self.lines else 100.0

    @property
    def branch_percent(self) -> float:
        """Branches run, in percent; 100 for a package without any."""
        return 100 * self.branches_run / self.branches if self.branches else 100.0

    def __add__(self, other: Measured) -> Measured:
        """The two together."""
        return Measured(
            self.lines + other.lines,
            self.lines_run + other.lines_run,
            self.branches + other.branches,
            self.branches_run + other.branches_run,
        )


def package_of(file: str) -> str:
    """The entry of FLOORS that counts a file: the longest that it lies under."""
    return max((package for package in FLOORS if file.startswith(f"{package}/")), key=len)


def by_package(files: Iterable[tuple[str, Measured]]) -> dict[str, Measured]:
    """The sum over the files of each package."""
    found = dict.fromkeys(FLOORS, Measured())
    for file, measured in files:
        found[package_of(file)] += measured
    return found


def below_floor(found: Mapping[str, Measured], floors: Mapping[str, int]) -> list[str]:
    """One line for each package under its floor, or with no line run at all."""
    return [
        f"{package}: {found[package].branch_percent:.1f} % of branches run, the floor is {floor} %"
        for package, floor in floors.items()
        if found[package].branch_percent < floor or not found[package].lines_run
    ]


def measured_files() -> list[tuple[str, Measured]]:
    """Each measured file, by its path below the root of the project."""
    coverage = Coverage(config_file=str(ROOT / "pyproject.toml"))
    coverage.load()
    with TemporaryDirectory() as folder:
        page = Path(folder) / "coverage.json"
        coverage.json_report(outfile=str(page))
        files: dict[str, Any] = json.loads(page.read_text(encoding="utf-8"))["files"]
    return [(Path(name).as_posix(), _measured(about["summary"])) for name, about in files.items()]


def _measured(summary: Mapping[str, Any]) -> Measured:
    return Measured(
        lines=summary["num_statements"],
        lines_run=summary["covered_lines"],
        branches=summary["num_branches"],
        branches_run=summary["covered_branches"],
    )


def main() -> None:
    """Print a line a package; exit with 1 if one is below its floor."""
    found = by_package(measured_files())
    for package, measured in found.items():
        sys.stdout.write(
            f"{package:36} {measured.branch_percent:5.1f} % of {measured.branches} branches, "
            f"{measured.line_percent:5.1f} % of {measured.lines} lines; floor {FLOORS[package]} %\n"
        )
    failures = below_floor(found, FLOORS)
    sys.stderr.writelines(f"coverage: {failure}\n" for failure in failures)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
