"""The sums of many seeds' results, and their file, which is whole at every moment."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from repeg_workbench.faults.records import Result

# Characters that a tally keeps of a violation; the seed's bundle has the whole of it. A ledger of twenty thousand fills
# makes half a megabyte.
MOST_TEXT = 400


@dataclass
class Tally:
    """The sums of many seeds' results. `done` are the seeds themselves, which may end in any order."""

    orders: int = 0
    fills: int = 0
    calls: int = 0
    done: set[int] = field(default_factory=set)
    injected: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    policies: Counter[str] = field(default_factory=Counter)
    failing: dict[int, list[str]] = field(default_factory=dict)

    @property
    def seeds(self) -> int:
        """How many seeds it sums up."""
        return len(self.done)

    @property
    def violations(self) -> int:
        """How many violations there are, on all seeds together."""
        return sum(map(len, self.failing.values()))

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        self.orders += other.orders
        self.fills += other.fills
        self.calls += other.calls
        self.done |= other.done
        self.injected.update(other.injected)
        self.outcomes.update(other.outcomes)
        self.statuses.update(other.statuses)
        self.policies.update(other.policies)
        self.failing.update(other.failing)

    def as_json(self) -> dict[str, Any]:
        """The tally as JSON; the seeds as ranges, each from its first seed up to and without its last."""
        return {**vars(self), "seeds": self.seeds, "done": ranges_of(self.done)}


def tally_of(result: Result) -> Tally:
    """The tally of one seed."""
    return Tally(
        orders=result.orders,
        fills=result.fills,
        calls=result.calls,
        done={result.seed},
        injected=Counter(result.injected),
        outcomes=Counter(result.outcomes),
        statuses=Counter(result.statuses),
        policies=Counter([result.policy]),
        failing={result.seed: [shortened(text) for text in result.violations]} if result.violations else {},
    )


def shortened(violation: str) -> str:
    """The violation as a tally keeps it."""
    return violation if len(violation) <= MOST_TEXT else f"{violation[:MOST_TEXT]} ... ({len(violation):,} characters)"


def ranges_of(seeds: Iterable[int]) -> list[list[int]]:
    """Seeds as half-open ranges."""
    ranges: list[list[int]] = []
    for seed in sorted(seeds):
        if ranges and ranges[-1][1] == seed:
            ranges[-1][1] = seed + 1
        else:
            ranges.append([seed, seed + 1])
    return ranges


def seeds_in(ranges: Iterable[Iterable[int]]) -> set[int]:
    """The seeds of half-open ranges."""
    return {seed for bounds in ranges for seed in range(*bounds)}


def write_whole(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON so that a reader, or a program that was killed meanwhile, never finds half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(content, indent=1) + "\n")
    partial.replace(path)
