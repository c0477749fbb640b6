"""Finds the journal of one run: in a folder or a file of this machine, or in a stack's bucket."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from repeg.adapters.journal.bucket import ALL_RUNS, steps_of
from repeg.adapters.journal.files import Journalled, StepJournal
from repeg.domain.plan import day_of
from repeg_workbench.journal.folder import OBJECTS, SIMULATED, files_in, require_one_day, steps_in
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.stack import find_stack
from repeg_workbench.operate.watch import BUCKET
from repeg_workbench.operate.workstation import Workstation

MOST_NAMED = 10


@dataclass(frozen=True)
class RunJournal:
    """A run's entries in the order in which they were journalled. `problems` say what of it is missing."""

    run_id: str
    entries: tuple[Journalled, ...]
    problems: tuple[str, ...]

    @property
    def symbols(self) -> list[str]:
        """The symbols that the run had a line for, in the order of the alphabet."""
        return sorted({each.entry.subject for each in self.entries} - {"run", "session", ""})


@dataclass(frozen=True)
class Place:
    """Where a journal is, as typed: a folder, a file or a run's id; and which run, where a folder has several."""

    run: str
    run_id: str | None = None
    stack: str | None = None


def find_journal(at: Workstation, place: Place) -> RunJournal:
    """The journal. Raises CannotOperate that says what there is instead."""
    path = Path(place.run)
    if not path.exists():
        return _of_stack(at, place)
    if place.stack:
        raise CannotOperate(f"stack: {place.stack} is given beside the folder {path}; name one of the two")
    files = files_in([path])
    if not files:
        raise CannotOperate(
            f"run: no {OBJECTS} and no {SIMULATED} in {path} or below; `repeg simulate --out` writes one"
        )
    return _chosen(list(steps_in(files)), place.run_id, str(path))


def _of_stack(at: Workstation, place: Place) -> RunJournal:
    try:
        day_of(place.run)
    except ValueError:
        raise CannotOperate(
            f"run: there is no folder or file {place.run!r}, and it is no run's id, such as rebalance-2026-11-23"
        ) from None
    stack = find_stack(at, place.stack)
    s3, bucket = at.client("s3"), stack.resource(BUCKET)
    steps = list(steps_of(s3, bucket, place.run))
    if not steps:
        known = _runs_of_the_day(s3, bucket, place.run)
        there = f"that day has {', '.join(known)}" if known else "`repeg runs` lists the runs"
        raise CannotOperate(f"run: {stack.name} has no journal of {place.run}; {there}")
    return _chosen(steps, place.run, bucket)


def _runs_of_the_day(s3: object, bucket: str, run_id: str) -> list[str]:
    """Runs of the same day that have a journal, the most alike first."""
    day = f"{ALL_RUNS}{day_of(run_id).isoformat()}/"
    answer = s3.list_objects_v2(Bucket=bucket, Prefix=day, Delimiter="/")  # type: ignore[attr-defined]
    runs = [found["Prefix"].removeprefix(day).rstrip("/") for found in answer.get("CommonPrefixes", [])]
    return difflib.get_close_matches(run_id, runs, n=MOST_NAMED, cutoff=0)


def _chosen(steps: Iterable[StepJournal], wanted: str | None, where: str) -> RunJournal:
    """The one run among the steps, or the wanted one."""
    entries: dict[str, list[Journalled]] = {}
    keys: dict[str, dict[str, None]] = {}
    problems: list[str] = []
    for step in steps:
        problems += [f"{step.key}: {problem}" for problem in step.problems]
        for each in step.entries:
            if each.entry.run_id:
                entries.setdefault(each.entry.run_id, []).append(each)
                keys.setdefault(each.entry.run_id, {})[step.key] = None
    if not entries:
        raise CannotOperate(
            f"run: nothing of the journal in {where} can be read: {'; '.join(problems) or 'it is empty'}"
        )
    run_id = next(iter(entries)) if wanted is None and len(entries) == 1 else wanted
    if run_id is None or run_id not in entries:
        given = f"has no run {wanted}; it has" if wanted else "has several runs; name one with --run:"
        raise CannotOperate(f"run: {where} {given} {', '.join(sorted(entries)[:MOST_NAMED])}")
    require_one_day(keys[run_id])
    return RunJournal(run_id, tuple(entries[run_id]), tuple(problems))
