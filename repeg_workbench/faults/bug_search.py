"""What detects each planted bug: the first seed on which the judge finds a violation, or the named test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from repeg_workbench.faults.campaign import first_failure
from repeg_workbench.faults.commit import ROOT
from repeg_workbench.faults.planted_bugs import PLANTED_BUGS
from repeg_workbench.faults.workers import work_off

# Seeds that are tried with every bug not yet found, before the next ones are.
ROUND = 10

# Begins each line of the plugin that says which test has failed: pytest writes lines of its own.
RESULT = "planted bug"


@dataclass(frozen=True)
class Found:
    """What has detected a bug: a seed and the invariant violated there, or a test; neither if nothing has."""

    name: str
    seed: int | None = None
    invariant: str = ""
    test: str = ""

    @property
    def is_detected(self) -> bool:
        """Whether anything has detected the bug."""
        return self.seed is not None or bool(self.test)

    @property
    def words(self) -> str:
        """What has detected the bug, in words."""
        if self.seed is not None:
            return f"seed {self.seed}: {self.invariant}"
        return self.test or "NOTHING"


def search_by_seeds(names: Sequence[str], seeds: range, processes: int) -> Iterator[Found | str]:
    """Each bug once: as soon as a seed detects it, or at the end if none does. In between, how far the search is.

    Every bug that is not found yet meets the same seeds before the next ones are tried, so what is found early is
    known early, and the seed is the first one all the same.
    """
    left = list(names)
    for start in seeds[::ROUND]:
        tried = range(start, min(start + ROUND, seeds.stop))
        jobs = [(name, tried) for name in left]
        for found in work_off(_search, jobs, processes) if jobs else ():
            if found is None or not found.is_detected:
                detected = len(names) - len(left)
                yield f"seeds {tried.start} to {tried[-1]}: {detected} of {len(names)} bugs are detected"
                continue
            left.remove(found.name)
            yield found
    yield from map(Found, left)


def search_by_tests(names: Sequence[str]) -> Iterator[Found]:
    """Each bug once, with the test that fails with it planted. The tests run in a process of their own."""
    if not names:
        return
    tests = sorted({test for name in names for test in PLANTED_BUGS[name].seen_by.split()})
    plugin = ("-p", "no:cacheprovider", "-p", "repeg_workbench.faults.planting_plugin")
    command = [sys.executable, "-m", "pytest", "-q", *plugin, "--planted-bugs", ",".join(names), *tests]
    missing = set(names)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:  # noqa: S603
        output = []
        for line in process.stdout or ():
            output.append(line)
            if line.startswith(RESULT):
                name, _, test = line.removeprefix(f"{RESULT} ").rstrip().partition(" ")
                missing.discard(name)
                yield Found(name, test=test)
    if missing:
        raise RuntimeError(f"the tests of {sorted(missing)} did not run:\n{''.join(output)}")


def _search(work: tuple[str, range]) -> Found:
    name, seeds = work
    seed, invariant = first_failure(seeds, name) or (None, "")
    return Found(name, seed, invariant)
