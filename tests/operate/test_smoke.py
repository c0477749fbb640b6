"""The smoke test of a deployed stack: a preview that is compared with the local engine, state by state."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from repeg.adapters.runtime import NetworkRuntime
from repeg_workbench.engine.invocation import Invocation
from repeg_workbench.operate.answer import Answer
from repeg_workbench.operate.failures import CannotOperate
from repeg_workbench.operate.smoke import local_walk, smoke
from repeg_workbench.operate.walk import Walk, differences
from tests.operate.operator import Operator, an_operator

SYMBOL = "AAPL"


@pytest.fixture(scope="module")
def local() -> Walk:
    """The reference, read before another engine is open."""
    return local_walk(SYMBOL)


class Stopped:
    """A runtime whose pauses let no time pass in the stack."""

    def __init__(self, runtime: NetworkRuntime) -> None:
        self._runtime = runtime

    def pause(self, seconds: float) -> None:
        """Do nothing."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)


def smoked(operator: Operator, local: Walk) -> Answer:
    return smoke(operator.at, "repeg", SYMBOL, local)


def test_a_preview_of_the_stack_walks_as_it_does_locally(local: Walk) -> None:
    with an_operator() as operator:
        operator.until("10:00")
        answer = smoked(operator, local)
        assert operator.open_orders() == []
    assert (answer.code, answer.data["differences"]) == (0, [])
    assert local.path == (
        "ReceiveInput", "OpenRun", "CheckSession", "SessionDecision", "PlanOrders", "ValidateQuotes", "PlaceOrders",
        "CloseRun", "RunOutcome", "RunSettled",
    )  # fmt: skip


def test_a_step_that_is_retried_is_a_difference(local: Walk) -> None:
    left = ["PlanOrders"]

    def kill(invocation: Invocation) -> None:
        if left and left[0] in invocation.function.name:
            left.pop()
            invocation.kill()
            operator.day.engine.scheduler.checkpoint()

    with an_operator() as operator:
        operator.until("10:00")
        operator.day.engine.host.before_invoke.append(kill)
        answer = smoked(operator, local)
    (found,) = answer.data["differences"]
    assert answer.code == 1
    assert found.startswith("the events of PlanOrders are ")


def test_a_refused_preview_is_a_difference(local: Walk) -> None:
    with an_operator() as operator:
        operator.until("10:00")
        operator.repeg("halt")
        found = smoked(operator, local).data["differences"]
    assert found[0] == "it ended as FAILED, locally as SUCCEEDED"
    assert "OpenFailure" in found[1]


def test_a_closed_market_is_refused_before_a_start(local: Walk) -> None:
    with an_operator() as operator:
        with pytest.raises(CannotOperate, match="the market is closed"):
            smoked(operator, local)
        assert operator.day.engine.executions() == []


def test_an_execution_that_does_not_end_is_named(local: Walk) -> None:
    with an_operator() as operator:
        operator.until("10:00")
        operator.at = replace(operator.at, runtime=Stopped(operator.at.runtime))
        with pytest.raises(CannotOperate, match="still runs after 300 seconds"):
            smoked(operator, local)


def test_a_repeated_turn_is_no_difference(local: Walk) -> None:
    turn = ("WaitForMarket", "RepegOrders", "TurnDecision")
    at = local.states.index("WaitForMarket") if "WaitForMarket" in local.states else local.states.index("CloseRun")
    longer = replace(local, states=(*local.states[:at], *turn, *local.states[at:]))
    assert differences(local, longer) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"status": "FAILED"}, "it ended as FAILED"),
        ({"states": ("ReceiveInput", "OpenRun", "RunSettled")}, "its states are ReceiveInput → OpenRun → RunSettled"),
        ({"shapes": {"OpenRun": ("TaskStateEntered, TaskStateExited",)}}, "the events of OpenRun are"),
    ],
)
def test_each_kind_of_difference_is_found(local: Walk, change: dict[str, Any], expected: str) -> None:
    assert differences(local, replace(local, **change))[0].startswith(expected)


def test_the_command_without_an_account_says_what_to_do(tmp_path: Any) -> None:
    """The local walk is made in a process of its own, and leaves nothing of the simulated account behind."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}
    environment |= {"PYTHONPATH": ":".join(sys.path), "AWS_DEFAULT_REGION": "us-east-1"}
    command = [sys.executable, "-m", "repeg_workbench.operate.smoke", "--stack", "none"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("no AWS credentials"), json.dumps(done.stderr)
