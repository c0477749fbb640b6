"""Runs every seed that has found a bug again; regressions.json gives each seed's reason.

A seed's day depends on the harness: after a change to it, a seed is another day. It stays in the list, because it costs
a tenth of a second.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from repeg_workbench.faults.campaign import run_seed
from repeg_workbench.faults.seed_report import seed_report

FOUND: list[dict[str, Any]] = json.loads(Path(__file__).with_name("regressions.json").read_text())


@pytest.mark.parametrize("found", FOUND, ids=lambda found: str(found["seed"]))
def test_a_regression_seed_has_no_violation(found: dict[str, Any]) -> None:
    result = run_seed(found["seed"])
    assert not result.violations, f"{found['reason']}\n{seed_report(result)}"


def test_every_regression_seed_is_listed_once_with_a_reason() -> None:
    assert len({found["seed"] for found in FOUND}) == len(FOUND)
    assert all(found.keys() == {"seed", "reason"} and len(found["reason"]) > 20 for found in FOUND)
