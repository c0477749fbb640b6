"""Runs many seeds on several processes and counts injected faults, violations and detected planted bugs."""

from __future__ import annotations

import contextlib
import io
import logging
import multiprocessing
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from repeg import lambda_step
from repeg_workbench.engine.surroundings import with_variables
from repeg_workbench.faults.planted_bugs import PLANTED_BUGS
from repeg_workbench.faults.planting import planted
from repeg_workbench.faults.records import Result
from repeg_workbench.faults.world import World

# Logs and metrics would take most of the time here; other tests cover them.
QUIET = {
    "POWERTOOLS_SERVICE_NAME": "repeg",
    "POWERTOOLS_METRICS_NAMESPACE": "repeg",
    "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    "POWERTOOLS_METRICS_DISABLED": "true",
    "POWERTOOLS_TRACE_DISABLED": "true",
}

CHUNK = 20


@dataclass
class Tally:
    """The sums of many seeds' results."""

    seeds: int = 0
    orders: int = 0
    fills: int = 0
    calls: int = 0
    injected: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    failing: dict[int, list[str]] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.seeds += other.seeds
        self.orders += other.orders
        self.fills += other.fills
        self.calls += other.calls
        self.injected.update(other.injected)
        self.outcomes.update(other.outcomes)
        self.statuses.update(other.statuses)
        self.failing.update(other.failing)


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
    with quietly(), planted(PLANTED_BUGS[bug] if bug else None):
        return World(seed, quiet=quiet).run()


def run_seeds(seeds: Sequence[int], processes: int, bug: str | None = None) -> Iterator[Tally]:
    """Run the seeds in chunks on several processes; yields one tally per chunk, in order."""
    chunks = [(tuple(seeds[start : start + CHUNK]), bug) for start in range(0, len(seeds), CHUNK)]
    if processes == 1:
        yield from map(_run_chunk, chunks)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(_run_chunk, chunks)


def first_failure(seeds: Sequence[int], bug: str) -> tuple[int, str] | None:
    """The first seed that detects a planted bug and the invariant violated; None if no seed does."""
    for seed in seeds:
        violations = run_seed(seed, bug).violations
        if violations:
            return seed, violations[0].partition(":")[0]
    return None


def _drop_metric(**_metric: object) -> None:
    """Ignore one metric."""


def _run_chunk(work: tuple[Sequence[int], str | None]) -> Tally:
    seeds, bug = work
    tally = Tally()
    for seed in seeds:
        result = run_seed(seed, bug)
        tally.add(_tally_of(result))
    return tally


def _tally_of(result: Result) -> Tally:
    return Tally(
        seeds=1,
        orders=result.orders,
        fills=result.fills,
        calls=result.calls,
        injected=Counter(result.injected),
        outcomes=Counter(result.outcomes),
        statuses=Counter(result.statuses),
        failing={result.seed: result.violations} if result.violations else {},
    )
