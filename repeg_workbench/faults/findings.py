"""What the seeded days have found in the program, and how each fault was mended: a section of the reliability page."""

from __future__ import annotations

from typing import NamedTuple

from repeg_workbench.faults.markdown import table


class Finding(NamedTuple):
    """A fault of the program: what happened, the seed of the day that showed it, and what was changed."""

    fault: str
    seed: str
    mended: str


_FOUND = (
    "Faults of the program that simulated days have shown and that no list of cases, and no test, had named. The first"
    " three are of the present workload, the others of the one before it. A seed is another day at another commit, so"
    " the seeds of old findings are only run again (`tests/faults/regressions.json`); of two the seed was not kept."
)

FINDINGS: tuple[Finding, ...] = (
    Finding(
        "A sweep, and each pass of the watchdog, ended at its first failed read. On a line that spoilt a fifth of all"
        " answers, an order in flight of an aborted run was looked for only half an hour later.",
        "739 at `44ddd9c951`",
        "A closing step's read that fails at once is repeated, up to twice"
        " (`tests/guards/test_closing_reads.py`). The sweep of that day now ends within three and a half minutes.",
    ),
    Finding(
        "An intent is written under the kill switch, and then its request may wait twenty seconds for the account's"
        " quota. A switch set during the wait did not keep the order from being sent.",
        "not kept",
        "The switch is read again after a wait (`tests/domain/test_request_quota.py`).",
    ),
    Finding(
        "A turn counted its wait for the request quota as time at the broker. After half a minute of waiting every"
        " quote looked stale, and near the close a run ended up to half a minute before its window.",
        "not kept",
        "A turn's clock leaves the wait out (`tests/guards/test_request_budget.py`).",
    ),
    Finding(
        "A rejected replacement showed once what its predecessor had filled, and its own fills stayed unclear for ever:"
        " the run never ended.",
        "7053",
        "A rejected replacement has no fills of its own.",
    ),
    Finding(
        "A sweep sent an order again that was on its way. It arrived after the order had been given up.",
        "105, 132, 281",
        "Nothing is sent again while a run closes, and an order in flight is waited for.",
    ),
    Finding(
        "A run's end was stored and never published: the step was cut off between the two.",
        "254",
        "The watchdog publishes ends that were not.",
    ),
    Finding(
        "An order had no outcome: its last save was lost after the report had been made.",
        "191",
        "A run is closed only once every order has a stored outcome.",
    ),
)


def findings_section() -> list[str]:
    """The section's title, text and table."""
    return ["## What the workload found", _FOUND, table(("Fault", "Seed", "Mended"), FINDINGS)]
