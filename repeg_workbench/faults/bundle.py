"""The bundle of a failing seed: one file with the seed, the commit, its story and its ledger, for anyone to replay."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repeg_workbench.exchange.broker.ledger import Ledger
from repeg_workbench.faults.commit import current_commit
from repeg_workbench.faults.records import Result
from repeg_workbench.faults.seed_report import seed_report
from repeg_workbench.faults.tally import write_whole


@dataclass(frozen=True)
class Bundle:
    """What a seed's day was, as text: `ledger` has each order event and execution of the broker on a line."""

    seed: int
    bug: str
    commit: str
    violations: tuple[str, ...]
    story: str
    ledger: tuple[str, ...]

    @property
    def name(self) -> str:
        """The bundle's file name."""
        return "-".join(filter(None, ("seed", str(self.seed), self.bug, self.commit))) + ".json"

    def save(self, folder: Path) -> Path:
        """Write the bundle into a folder."""
        path = folder / self.name
        write_whole(path, {**vars(self), "story": self.story.splitlines()})
        return path

    def difference(self, replayed: Bundle) -> str:
        """What a replay did differently, in words; empty if nothing."""
        for what, before, after in (
            ("violations", self.violations, replayed.violations),
            ("ledger", self.ledger, replayed.ledger),
        ):
            if before != after:
                return f"the {what} differ{'s' if what == 'ledger' else ''}: {_first_difference(before, after)}"
        return ""


def bundle_of(result: Result, ledger: Ledger, bug: str | None) -> Bundle:
    """The bundle of a day that has just been run."""
    entries: list[Any] = sorted([*ledger.events, *ledger.executions], key=lambda entry: entry.at)
    return Bundle(
        seed=result.seed,
        bug=bug or "",
        commit=current_commit(),
        violations=tuple(result.violations),
        story=seed_report(result),
        ledger=tuple(map(str, entries)),
    )


def read_bundle(path: Path) -> Bundle:
    """A saved bundle."""
    saved = json.loads(path.read_text())
    return Bundle(
        seed=saved["seed"],
        bug=saved["bug"],
        commit=saved["commit"],
        violations=tuple(saved["violations"]),
        story="\n".join(saved["story"]),
        ledger=tuple(saved["ledger"]),
    )


def _first_difference(before: Sequence[str], after: Sequence[str]) -> str:
    pairs = ((old, new) for old, new in zip(before, after, strict=False) if old != new)
    return " and now ".join(next(pairs, (f"{len(before)} lines", f"{len(after)} lines")))
