"""Which lines of the program each test and each seed runs: measured once and kept, and anew for what has changed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from repeg_workbench.faults.commit import ROOT
from repeg_workbench.faults.tally import write_whole
from repeg_workbench.mutation.line_tracer import LineSet, runs_any
from repeg_workbench.mutation.money_modules import LAYER, module_of
from repeg_workbench.mutation.workers import Worker, work_off

# Tests and seeds that are measured in one process.
_TESTS, _SEEDS = 100, 5
_CPU_LIMIT = 600
# Tests whose numbers of lines differ by less than this run as much of the program.
_ALIKE = 200


@dataclass
class Entry:
    """What a test or a seed runs and how many CPU seconds that takes. One that fails by itself shows nothing."""

    seconds: float
    lines: LineSet
    has_failed: bool
    digest: str = ""

    @property
    def size(self) -> int:
        """How many lines of the program it runs."""
        return sum(number.bit_count() for number in self.lines.values())


@dataclass
class RunMap:
    """The entries by the name of the test or of the seed, kept in a file with the digest of each module."""

    file: Path
    entries: dict[str, Entry] = field(default_factory=dict)

    def load(self) -> None:
        """Read what is kept, without the entries that have run a module that is another one now."""
        if not self.file.exists():
            return
        kept = json.loads(self.file.read_text())
        present = _digests()
        changed = {module for module, digest in kept["modules"].items() if present.get(module) != digest}
        for name, entry in kept["entries"].items():
            if not changed & entry["lines"].keys():
                lines = {module: int(number, 16) for module, number in entry["lines"].items()}
                self.entries[name] = Entry(entry["seconds"], lines, entry["has_failed"], entry["digest"])

    def save(self) -> None:
        """Write the file."""
        entries = {name: {**vars(entry), "lines": {module: f"{number:x}" for module, number in entry.lines.items()}}
                   for name, entry in self.entries.items()}  # fmt: skip
        write_whole(self.file, {"modules": _digests(), "entries": entries})

    def running(self, lines: Mapping[str, frozenset[int]]) -> list[str]:
        """The names of those that pass and run at least one of these lines, in the order in which to try them.

        Those that run little of the program come first. Of those that run as much, first the fastest of each file, then
        the second of each, and so on: tests of one file see much the same.
        """
        found = [
            name for name, entry in self.entries.items() if not entry.has_failed and runs_any(entry.lines, dict(lines))
        ]
        place: Counter[tuple[int, str]] = Counter()
        order = {}
        for name in sorted(found, key=lambda name: (self.entries[name].seconds, name)):
            group = self.entries[name].size // _ALIKE, name.partition("::")[0]
            place[group] += 1
            order[name] = (group[0], place[group], self.entries[name].seconds, name)
        return sorted(found, key=order.__getitem__)

    def add(self, runs: Iterable[Mapping[str, Any]]) -> None:
        """Add what a worker has measured."""
        for run in runs:
            name = str(run["name"])
            lines = {module: int(number, 16) for module, number in run["lines"].items()}
            self.entries[name] = Entry(run["seconds"], lines, bool(run["failure"]), digest_of(name))


def map_tests(kept: RunMap, workers: Sequence[Worker], say: Callable[[str], None]) -> None:
    """Measure the tests that are new or have changed. They run shuffled: one that needs another fails, and is left
    out."""
    kept.load()
    kept.entries = {name: entry for name, entry in kept.entries.items() if entry.digest == digest_of(name)}
    missing = [name for name in workers[0].tests if name not in kept.entries]
    Random(0).shuffle(missing)
    parts = [missing[start : start + _TESTS] for start in range(0, len(missing), _TESTS)]
    _measure(kept, workers, [{"do": "map", "tests": part, "limit": _CPU_LIMIT} for part in parts], say)


def map_seeds(kept: RunMap, workers: Sequence[Worker], seeds: range, say: Callable[[str], None]) -> None:
    """Measure the seeds that are not measured yet."""
    kept.load()
    missing = [seed for seed in seeds if str(seed) not in kept.entries]
    parts = [missing[start : start + _SEEDS] for start in range(0, len(missing), _SEEDS)]
    _measure(kept, workers, [{"do": "map seeds", "seeds": part, "limit": _CPU_LIMIT} for part in parts], say)


def _measure(
    kept: RunMap, workers: Sequence[Worker], jobs: Sequence[Mapping[str, Any]], say: Callable[[str], None]
) -> None:
    def done(job: Mapping[str, Any], answer: dict[str, Any]) -> None:
        names = job.get("tests") or job.get("seeds") or []
        if len(answer["runs"]) != len(names):
            raise RuntimeError(f"the lines of {names[0]} to {names[-1]} could not be measured")
        kept.add(answer["runs"])
        kept.save()
        failed = [run["name"] for run in answer["runs"] if run["failure"]]
        say(
            f"measured {len(names)} in {answer['cpu']:.1f} s CPU"
            + (f"; left out, as they fail: {failed}" if failed else "")
        )

    work_off(workers, jobs, done)


def remember(tests: Iterable[str]) -> None:
    """Take the digests of test files and folders. To be done before they are collected: of a file that changes in
    between, the old digest is kept, and its tests are tried again."""
    for path in (found for name in tests for found in [ROOT / name, *(ROOT / name).rglob("*.py")]):
        digest_of(path.relative_to(ROOT).as_posix())


def digest_of(test: str) -> str:
    """The digest of a test's file as it was when it was first asked for; empty for a seed."""
    return _digest_of(test.partition("::")[0])


@cache
def _digest_of(file: str) -> str:
    path = ROOT / file
    return sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""


@cache
def _digests() -> dict[str, str]:
    return {module_of(path): sha256(path.read_bytes()).hexdigest()[:16] for path in sorted(LAYER.rglob("*.py"))}
