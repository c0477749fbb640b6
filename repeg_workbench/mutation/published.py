"""The mutants as docs/mutation.json has them, each killed one with the test that has killed it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from repeg_workbench.faults.commit import ROOT
from repeg_workbench.mutation.mutants import Mutant, MutatedModule
from repeg_workbench.mutation.mutation_page import short
from repeg_workbench.mutation.results import KILLED, SURVIVED, Record


def killed_by_tests(
    numbers: Mapping[str, Any], modules: Mapping[str, MutatedModule], root: Path = ROOT
) -> list[tuple[Mutant, str]]:
    """Each mutant that a test has killed, with that test, where the mutant and the test's file still exist."""
    killers = numbers["killers"]
    found = []
    for name, module in modules.items():
        killed = numbers["modules"].get(name, {}).get("killed", {})
        for mutant in module.mutants.values():
            killer = killers[killed[short(mutant.key)]] if short(mutant.key) in killed else ""
            file, _, test = killer.partition("::")
            if test and (root / file).is_file():
                found.append((mutant, killer))
    return found


def records(numbers: Mapping[str, Any], modules: Mapping[str, MutatedModule]) -> Iterator[Record]:
    """What was published of the mutants that still exist, for a machine on which none has run.

    Each has an equal part of the CPU seconds of its module, so that a page with newer results of some has those of all.
    """
    killers = numbers["killers"]
    for name, module in modules.items():
        saved = numbers["modules"].get(name)
        if saved is None:
            continue
        survive: dict[str, list[int]] = saved["survive"]
        cpu = saved.get("cpu", 0.0) / max(1, len(survive) + len(saved["killed"]))
        for mutant in module.mutants.values():
            killer = saved["killed"].get(short(mutant.key))
            if killer is None and mutant.key not in survive:
                continue
            seeds, chosen_from = survive.get(mutant.key, (0, 0))
            yield Record(
                module=name, digest=saved["digest"], key=mutant.key, operator=mutant.operator,
                verdict=SURVIVED if killer is None else KILLED, by="" if killer is None else killers[killer],
                seeds=seeds, chosen_from=chosen_from, cpu=cpu, commit=numbers["commit"],
            )  # fmt: skip


def files_of(tests: Iterable[str]) -> list[str]:
    """The files of tests, each once."""
    return sorted({test.partition("::")[0] for test in tests})
