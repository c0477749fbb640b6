"""What became of each mutant: a line of JSON each, added as soon as it is known."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from repeg_workbench.mutation.mutants import MutatedModule

KILLED, SURVIVED = "killed", "survived"
# It changes nothing, and counts neither way.
SAME_CODE = "same code"


@dataclass(frozen=True)
class Record:
    """One mutant's fate. `digest` is that of its module.

    `by` is the test or the seed that saw it, `how` what failed. `tried` are the files of the tests that did not see it,
    each with its digest, and `seeds` how many seeds did not: some of those that run its line among the first
    `chosen_from`, which is 0 for a mutant that was not run against seeds.
    """

    module: str
    digest: str
    key: str
    operator: str
    verdict: str
    by: str = ""
    how: str = ""
    tests: int = 0
    tried: Mapping[str, str] = field(default_factory=dict)
    seeds: int = 0
    chosen_from: int = 0
    cpu: float = 0.0
    commit: str = ""

    @property
    def is_killed_by_seed(self) -> bool:
        """Whether a seed saw it, and no test."""
        return self.verdict == KILLED and self.by.startswith("seed ")


class Results:
    """The records of the mutants as they are now; the last one counts. `former` are those of a module's former code, as
    far as it still has the mutant. `published` come before those of the file."""

    def __init__(self, file: Path, modules: Mapping[str, MutatedModule], published: Iterable[Record] = ()) -> None:
        self._file = file
        self._modules = modules
        self.records: dict[str, Record] = {}
        self.former: dict[str, Record] = {}
        # By mutant, the test that has killed it last, also in former code.
        self.killers: dict[str, str] = {}
        for record in published:
            self._take(record)
        if file.exists():
            for line in file.read_text().splitlines():
                self._take(_read(line))

    def add(self, record: Record) -> None:
        """Append a record."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a") as file:
            file.write(json.dumps(asdict(record), ensure_ascii=False) + "\n")
        self._take(record)

    def of(self, module: str) -> list[Record]:
        """The records of a module, in the order of its text."""
        return [self.records[key] for key in self._modules[module].mutants if key in self.records]

    def with_former(self, module: str) -> list[Record]:
        """The records of a module, and of its former code for those of its mutants that have not run since."""
        known = self.former | self.records
        return [known[key] for key in self._modules[module].mutants if key in known]

    def missing(self, module: str) -> int:
        """How many mutants of a module have no record."""
        return sum(key not in self.records for key in self._modules[module].mutants)

    def _take(self, record: Record | None) -> None:
        if record is None:
            return
        if record.verdict == KILLED and not record.is_killed_by_seed:
            self.killers[record.key] = record.by
        module = self._modules.get(record.module)
        if module is None or record.key not in module.mutants:
            return
        kept = self.records if module.digest == record.digest else self.former
        kept[record.key] = _with_seeds_of(kept.get(record.key), record)


def _with_seeds_of(before: Record | None, record: Record) -> Record:
    """A record, with the seeds of the one before it if that was run against more of them, and survived."""
    if before is None or before.digest != record.digest or {before.verdict, record.verdict} != {SURVIVED}:
        return record
    more = max(before, record, key=lambda each: each.chosen_from)
    return replace(record, seeds=more.seeds, chosen_from=more.chosen_from)


def _read(line: str) -> Record | None:
    """A record; None for a line that was cut off when its program was killed."""
    try:
        return Record(**json.loads(line))
    except ValueError:
        return None
