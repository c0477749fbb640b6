"""Records of one seed: its journal, its published events, its violations and its result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from repeg.domain.errors import RepegError
from repeg.domain.journal import Entry
from repeg.domain.notice import RUN_OPENED
from repeg_workbench.faults.fault_plan import FaultPlan


class MemoryJournal:
    """A Journal that keeps every entry, for the report of a failed seed."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def record(self, entry: Entry) -> None:
        """Add one entry."""
        self.entries.append(entry)


class FailingJournal:
    """A Journal that fails now and then in one seed of twenty, in the middle of a step: what a step does between two
    calls over its ports can end there with an exception."""

    def __init__(self, inner: MemoryJournal, seed: int, fault_plan: FaultPlan) -> None:
        self._inner, self._fault_plan = inner, fault_plan
        self._chance = Random(f"journal {seed}")
        self._rate = (
            self._chance.choice((0.01, 0.05)) if self._chance.random() < 0.05 and not fault_plan.is_quiet else 0.0
        )

    def record(self, entry: Entry) -> None:
        """Add one entry. Raises OSError now and then."""
        strikes = self._rate and entry.at < self._fault_plan.ends and self._chance.random() < self._rate
        if strikes and not self._fault_plan.leaves_out("journal_fails"):
            self._fault_plan.strike("journal_fails")
            raise OSError("no space left on device")
        self._inner.record(entry)


class QuietNotifier:
    """A Notifier that keeps every event; those of runs that begin are kept apart, because every run has one."""

    def __init__(self) -> None:
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.openings: list[dict[str, Any]] = []

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        """Keep one event."""
        if kind == RUN_OPENED:
            self.openings.append(detail)
        else:
            self.published.append((kind, detail))


def defects(raised: Iterable[Exception]) -> frozenset[str]:
    """The classes of the errors that are neither the program's own nor the operating system's: a TypeError, an
    AttributeError, a KeyError and their like."""
    return frozenset(type(error).__name__ for error in raised if not isinstance(error, (RepegError, OSError)))


@dataclass
class Result:
    """The result of a seed's day."""

    seed: int
    violations: list[str]
    statuses: list[str]
    path: list[str]
    orders: int
    fills: int
    injected: dict[str, int]
    calls: int
    journal: list[Entry]
    outcomes: list[str]
    causes: list[str]
    policy: str = ""
    """The policy that the first deployment names."""
    acts: str = ""
    """A hash of everything that was done at the broker, and of how orders and executions ended."""
    defects: frozenset[str] = frozenset()
    """The errors of which steps died that only a mistake in a program raises, by class."""
    announced: tuple[tuple[str, int], ...] = ()
    """The runs whose ends were published, each with the minute."""
