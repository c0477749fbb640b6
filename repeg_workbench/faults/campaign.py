"""Runs many seeds on several processes: their tally, a bundle of each failing seed, and progress at every moment."""

from __future__ import annotations

import contextlib
import io
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, count
from pathlib import Path
from typing import Any

from repeg import lambda_step
from repeg_workbench.engine.surroundings import with_variables
from repeg_workbench.faults.bundle import Bundle, bundle_of
from repeg_workbench.faults.commit import current_commit
from repeg_workbench.faults.planted_bugs import PLANTED_BUGS
from repeg_workbench.faults.planting import planted
from repeg_workbench.faults.records import Result
from repeg_workbench.faults.tally import Tally, tally_of, write_whole
from repeg_workbench.faults.time_limit import TookTooLong, ended_after
from repeg_workbench.faults.workers import BEAT_SECONDS, terminated_like_interrupted, work_off
from repeg_workbench.faults.world import World

# A day takes half a second, and the longest that is known took half a minute.
MOST_SECONDS = 300.0

# Logs and metrics would take most of the time here; other tests cover them.
QUIET = {
    "POWERTOOLS_SERVICE_NAME": "repeg",
    "POWERTOOLS_METRICS_NAMESPACE": "repeg",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_TRACE_DISABLED": "true",
}


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Suppress the handlers' logs, warnings and metrics, and restore them afterwards."""
    level, metrics = logging.root.manager.disable, dict(vars(lambda_step.metrics))
    logging.disable(logging.CRITICAL)
    # With POWERTOOLS_METRICS_DISABLED alone, metrics still accumulate until they are flushed.
    vars(lambda_step.metrics)["add_metric"] = _drop_metric
    try:
        with warnings.catch_warnings(), with_variables(QUIET), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        vars(lambda_step.metrics).clear()
        vars(lambda_step.metrics).update(metrics)
        logging.disable(level)


def run_seed(seed: int, bug: str | None = None, *, quiet: bool = False) -> Result:
    """Run one seed in this process, with a planted bug if one is named."""
    return _run(seed, bug, quiet=quiet)[1]


def run_bundled(seed: int, bug: str | None = None) -> Bundle:
    """Run one seed in this process; returns its bundle."""
    world, result = _run(seed, bug)
    return bundle_of(result, world.exchange.ledger, bug)


def first_failure(seeds: Sequence[int], bug: str) -> tuple[int, str] | None:
    """The first seed that detects a planted bug and the invariant violated; None if no seed does."""
    for seed in seeds:
        found = detections(seed, bug)
        if found:
            return seed, found[0]
    return None


def detections(seed: int, bug: str) -> list[str]:
    """The invariants that a planted bug violates on a seed's day, each once, the earliest first.

    None if the day has violations without the bug. None either if a step has died of a TypeError or the like, and none
    does without the bug: then the bug does not fit the program it is planted in, and is not the bug that it is said to
    be.
    """
    planted_day = run_seed(seed, bug)
    if not planted_day.violations:
        return []
    sound = run_seed(seed)
    if sound.violations or planted_day.defects - sound.defects:
        return []
    return list(dict.fromkeys(text.partition(":")[0] for text in planted_day.violations))


@dataclass
class Campaign:
    """Many seeds, run on several processes. What has been counted so far is in `tally` and in the file at every moment.

    The file is written every few seconds, so even a campaign that was killed has counted its seeds. It is named by the
    commit and the first seed, with a number for a further campaign from that seed on. Each failing seed has a bundle
    beside it.
    """

    seeds: range
    processes: int
    folder: Path
    tally: Tally = field(default_factory=Tally)
    seconds: float = 0
    commit: str = field(default_factory=current_commit)

    @cached_property
    def file(self) -> Path:
        """Where the tally is kept: a file of its own, so that an earlier campaign of the same seeds stays counted."""
        name = f"tally-{self.commit}-{self.seeds.start}"
        names = chain([name], (f"{name}-{n}" for n in count(2)))
        return next(path for each in names if not (path := self.folder / f"{each}.json").exists())

    @property
    def is_complete(self) -> bool:
        """Whether every seed has been run."""
        return self.tally.seeds == len(self.seeds)

    @property
    def progress(self) -> str:
        """What has been done so far, in a line."""
        tally, pace = self.tally, self.tally.seeds / max(self.seconds, 0.001)
        return (
            f"{tally.seeds:,} of {len(self.seeds):,} seeds, {tally.violations} violations,"
            f" {tally.orders:,} orders, {tally.calls:,} calls, {pace:.1f} seeds a second"
        )

    def run(self, say: Callable[[str], None]) -> None:
        """Run the seeds. Says how far it is at least every few seconds. Ctrl-C and SIGTERM end it early."""
        started = said = time.monotonic()
        with terminated_like_interrupted(), contextlib.suppress(KeyboardInterrupt):
            for part in work_off(_run_one, ((seed, self.folder) for seed in self.seeds), self.processes):
                self.tally.add(part or Tally())
                self.seconds = time.monotonic() - started
                if time.monotonic() - said >= BEAT_SECONDS:
                    said = time.monotonic()
                    self._save()
                    say(self.progress)
        self._save()

    def numbers(self) -> dict[str, Any]:
        """The campaign as JSON."""
        return {
            "commit": self.commit,
            "first": self.seeds.start,
            "asked": len(self.seeds),
            "is_complete": self.is_complete,
            "seconds": round(self.seconds),
            "processes": self.processes,
            **self.tally.as_json(),
        }

    def _save(self) -> None:
        write_whole(self.file, self.numbers())


def _run_one(work: tuple[int, Path]) -> Tally:
    """One seed, in a worker process. The bundle of a failing seed is written at once.

    A day that the simulation itself cannot run to its end, or not within MOST_SECONDS, is a failing one, and does not
    end the campaign.
    """
    seed, folder = work
    try:
        with ended_after(MOST_SECONDS):
            world, result = _run(seed, None)
    except (Exception, TookTooLong) as error:  # noqa: BLE001 - whatever it is, the other days still count
        return Tally(done={seed}, failing={seed: [f"day_not_run: {type(error).__name__}: {error}"]})
    if result.violations:
        bundle_of(result, world.exchange.ledger, None).save(folder)
    return tally_of(result)


def _run(seed: int, bug: str | None, *, quiet: bool = False) -> tuple[World, Result]:
    with quietly(), planted(PLANTED_BUGS[bug] if bug else None):
        world = World(seed, quiet=quiet)
        return world, world.run()


def _drop_metric(**_metric: object) -> None:
    """Ignore one metric."""
