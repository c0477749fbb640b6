"""Which lines and branches of the modules that decide on money the seeds run, by themselves.

A process of its own measures a stripe of the seeds, so that the modules are imported while coverage.py measures:
`python -m repeg_workbench.faults.branch_coverage DATA_FILE FIRST STOP STEP`.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from repeg_workbench.faults.commit import ROOT

if TYPE_CHECKING:
    from coverage import Coverage

LAYER = ROOT / "layers" / "repeg" / "python" / "repeg"

# Where a branch leads, and where it leads out of the function.
ARROW, THE_END = " → ", "the end"


@dataclass(frozen=True)
class Reached:
    """How much of a module has run, and the texts of the lines and branches that have not.

    A line is named by its text. A branch is named by its line and where it leads: the text there, or "the end".
    """

    lines: int
    lines_run: int
    branches: int
    branches_run: int
    missing: tuple[str, ...]

    @property
    def percent(self) -> float:
        """Branches run, in percent; of a module without any, lines."""
        run, every = (self.branches_run, self.branches) if self.branches else (self.lines_run, self.lines)
        return 100 * run / every if every else 100.0


def measure(seeds: range, modules: Sequence[str], processes: int) -> dict[str, Reached]:
    """Run seeds and return what they have reached of each module, which is named by its place below `repeg`."""
    with TemporaryDirectory() as folder:
        stripes = [seeds[n::processes] for n in range(min(processes, len(seeds)))]
        files = [str(Path(folder) / f"coverage.{n}") for n in range(len(stripes))]
        commands = [
            [sys.executable, "-m", __name__, file, str(part.start), str(part.stop), str(part.step)]
            for file, part in zip(files, stripes, strict=True)
        ]
        running = [subprocess.Popen(command, cwd=ROOT) for command in commands]  # noqa: S603
        if any([process.wait() for process in running]):  # noqa: C419 - every one is waited for
            raise RuntimeError("a process that measured seeds has failed; its error is above")
        measured = _coverage(str(Path(folder) / "coverage"))
        measured.combine(files)
        page = Path(folder) / "coverage.json"
        measured.json_report(outfile=str(page))
        found: dict[str, Any] = json.loads(page.read_text())["files"]
    of = {(ROOT / name).resolve(): about for name, about in found.items()}
    return {module: _reached(_path(module), of[_path(module)]) for module in modules}


def _coverage(file: str) -> Coverage:
    from coverage import Coverage  # noqa: PLC0415 - of the development environment, which the other commands do without

    measured = Coverage(data_file=file, branch=True, include=[f"{LAYER}/*"], config_file=False)
    measured.set_option("run:core", "sysmon")
    measured.set_option("report:exclude_also", ["if TYPE_CHECKING:"])
    return measured


def _path(module: str) -> Path:
    return (LAYER / f"{module.replace('.', '/')}.py").resolve()


def _reached(path: Path, about: Mapping[str, Any]) -> Reached:
    summary, source = about["summary"], path.read_text(encoding="utf-8").splitlines()

    def text(line: int) -> str:
        return source[line - 1].strip() if line > 0 else THE_END

    unrun = set(about["missing_lines"])
    branches = [(at, to) for at, to in about["missing_branches"] if at not in unrun and to not in unrun]
    missing = [text(line) for line in sorted(unrun)] + [f"{text(at)}{ARROW}{text(to)}" for at, to in branches]
    return Reached(
        summary["num_statements"], summary["covered_lines"],
        summary["num_branches"], summary["covered_branches"], tuple(missing),
    )  # fmt: skip


def _run_stripe(file: str, seeds: range) -> None:
    """In a process of its own: run seeds while coverage.py measures."""
    importlib.import_module("tests.coverage.branch_events")  # sys.monitoring reports branches before Python 3.14 too
    measured = _coverage(file)
    with measured.collect():
        campaign = importlib.import_module("repeg_workbench.faults.campaign")
        os.environ.update(campaign.QUIET)
        for seed in seeds:
            campaign.run_seed(seed)
    measured.save()


if __name__ == "__main__":
    _run_stripe(sys.argv[1], range(*map(int, sys.argv[2:5])))
