"""The section of the reliability page on what the seeded days have found, and on how each violation was mended."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from repeg_workbench.faults.findings import FINDINGS
from repeg_workbench.faults.markdown import table
from repeg_workbench.faults.mistakes import MISTAKES

_FOUND = (
    "Faults of the program that simulated days have shown and that no list of cases, and no test, had named. The first"
    " eleven are of the present workload, the others of the one before it. A seed is another day at another commit, so"
    " the seeds of old findings are only run again (`tests/faults/regressions.json`); of four the seed was not kept."
)

_UNJUST = (
    "Other violations were the judge's mistakes: it did not know a rule, or a cause. Each was mended by what the"
    " record of the day says of that cause and its time, with a test of the judge (`tests/faults/test_judges*.py`) or"
    " with the seed itself, which is run again (`tests/faults/regressions.json`)."
)


def findings_section() -> list[str]:
    """The section's title, text and table."""
    return [
        "## What the workload found", _FOUND, table(("Fault", "Seed", "Mended"), FINDINGS),
        _UNJUST, table(("Violation", "Seed", "What the judge did not know"), MISTAKES),
    ]  # fmt: skip


def faults_of_the_program(violated: Iterable[int]) -> list[int]:
    """Those of the seeds with a violation that have shown a fault of the program."""
    known = {seed for finding in FINDINGS for seed in _seeds_in(finding.seed)}
    return [seed for seed in violated if seed in known]


def unexplained(violated: Iterable[int]) -> list[int]:
    """Those of the seeds with a violation of which neither table says what it was. A mention explains one day: a seed
    that fails at another commit as well is another day, and is to be mentioned again."""
    cells = [*(mistake.seeds for mistake in MISTAKES), *(finding.seed for finding in FINDINGS)]
    known = Counter(seed for cell in cells for seed in _seeds_in(cell))
    return sorted((Counter(violated) - known).elements())


def _seeds_in(column: str) -> list[int]:
    """The seeds in a cell such as `101769, 102864 at 71ff1a04ed`, where the commit follows them."""
    return [int(seed) for seed in re.findall(r"\b\d+\b", column.partition(" at ")[0])]
