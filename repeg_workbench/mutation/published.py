"""The killed mutants as docs/mutation.json has them, each with the test that has killed it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from repeg_workbench.faults.commit import ROOT
from repeg_workbench.mutation.mutants import Mutant, MutatedModule
from repeg_workbench.mutation.mutation_page import short


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


def files_of(tests: Iterable[str]) -> list[str]:
    """The files of tests, each once."""
    return sorted({test.partition("::")[0] for test in tests})
