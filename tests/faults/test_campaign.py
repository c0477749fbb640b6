"""The first days of the campaign, in `make test`: every kind of fault is injected, and no invariant is violated."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from repeg_workbench.faults.campaign import QUIET, first_failure, run_seed
from repeg_workbench.faults.fault_plan import FaultPlan, PortFault, WorkflowFault
from repeg_workbench.faults.function_service import FUNCTION_TIMEOUTS, time_limit
from repeg_workbench.faults.seed_report import seed_report
from repeg_workbench.faults.seeded_days import make_day
from tests.faults.fingerprint import fingerprint
from tests.template.stack import ROOT, functions, written

# The machine does not know it: people set the kill switch through it, and the days set the switch in the table.
SERVES_PEOPLE = {"ServeOperator", "WritePage"}

SEEDS = 200
CHUNK = 10

# Two ordinary days, one with a duplicate invocation, and one through alpaca-py.
ALIKE = (7, 40, 191, 13)


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_no_invariant_is_violated_under_faults(first: int) -> None:
    failing = [result for result in map(run_seed, range(first, first + CHUNK)) if result.violations]
    assert not failing, "\n".join(seed_report(result) for result in failing)


def test_every_port_fault_and_workflow_fault_is_injected() -> None:
    missing = {str(kind) for kind in (*PortFault, *WorkflowFault)}
    for seed in range(SEEDS):
        if missing & _enabled(seed):
            missing -= {what.partition(" ")[0] for what in run_seed(seed).injected}
    assert not missing


def test_a_seed_repeats_its_day() -> None:
    assert fingerprint(ALIKE[0]) == fingerprint(ALIKE[0])


def test_different_seeds_give_different_days() -> None:
    assert fingerprint(ALIKE[0]) != fingerprint(ALIKE[1])


def test_a_seed_repeats_its_day_in_a_process_with_other_hashes() -> None:
    one, other = (_elsewhere(hash_seed, ALIKE) for hash_seed in ("1", "4242"))
    assert _lines(one) == _lines(other)


def test_the_judge_detects_a_planted_bug() -> None:
    assert first_failure(range(60), "post_before_intent") is not None


def test_function_timeouts_match_the_template() -> None:
    for listening in (False, True):
        deployed = functions(listening=listening)
        limits = {name: deployed[name]["Timeout"] for name in FUNCTION_TIMEOUTS}
        assert limits == {name: time_limit(name, listening=listening) for name in FUNCTION_TIMEOUTS}


def test_every_function_of_the_template_is_simulated() -> None:
    resources = written()["Resources"].items()
    named = {name for name, made in resources if made["Type"] == "AWS::Serverless::Function"}
    assert named - SERVES_PEOPLE == FUNCTION_TIMEOUTS.keys()


def _enabled(seed: int) -> set[str]:
    """The kinds of fault that a seed may inject, without running its day."""
    fault_plan = FaultPlan(make_day(seed), *[datetime.max.replace(tzinfo=UTC) - timedelta(days=2)] * 2)
    return {str(kind) for kind in (*fault_plan._kinds, *fault_plan.workflow_faults)}


def _elsewhere(hash_seed: str, seeds: Sequence[int]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.fingerprint", *map(str, seeds)],
        cwd=ROOT,
        env={**QUIET, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{ROOT}:{ROOT / 'layers/repeg/python'}"},
        stdout=subprocess.PIPE,
        text=True,
    )


def _lines(process: subprocess.Popen[str]) -> list[str]:
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(out.splitlines()) == len(ALIKE)
    return out.splitlines()
