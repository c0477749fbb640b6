"""Measures `repeg simulate` on its default plan, from the start of the process to its exit."""

from __future__ import annotations

import resource
import subprocess
import sys
from dataclasses import dataclass
from time import perf_counter

from repeg_workbench.bench.baseline import compared

COMMAND = [sys.executable, "-c", "from repeg_workbench.cli import app; app()", "simulate"]
TARGET_SECONDS = 4
ROUNDS = 3


@dataclass(frozen=True)
class Run:
    """One run of the command: CPU and wall time in seconds, peak memory in megabytes."""

    cpu: float
    wall: float
    megabytes: float


def main() -> None:
    """Run the command a few times and print the run with the least CPU time."""
    with compared("simulate") as comparison:
        best = min((_run() for _ in range(ROUNDS)), key=lambda run: run.cpu)
    _line("CPU time", f"{best.cpu:.1f} s", f"target {TARGET_SECONDS} s, {comparison.against(best.cpu)}")
    _line("wall time", f"{best.wall:.1f} s")
    _line("peak memory", f"{best.megabytes:.0f} MB")


def _run() -> Run:
    before, began = _children(), perf_counter()
    subprocess.run(COMMAND, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command
    after = _children()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(cpu, perf_counter() - began, after.ru_maxrss / (1_024 * 1_024 if sys.platform == "darwin" else 1_024))


def _children() -> resource.struct_rusage:
    return resource.getrusage(resource.RUSAGE_CHILDREN)


def _line(what: str, value: str, target: str = "") -> None:
    sys.stdout.write(f"{what:<28} {value:>12}  {target}".rstrip() + "\n")


if __name__ == "__main__":
    main()
