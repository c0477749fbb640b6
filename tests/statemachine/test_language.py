"""The definition is valid Amazon States Language, by a validator of its own, which detects each planted defect."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from tests.statemachine.node import NODE_FOLDER, PINS, missing, node
from tests.statemachine.planting import planted
from tests.template.stack import ROOT, definition

# Defects of the language, with what the validator says of them. What it overlooks, rules.py holds.
DEFECTS: list[tuple[str, Any, str]] = [
    ("StartAt", "Open", "target: Open"),
    ("States/PlanOrders/Next", "ValidateQuote", "target: ValidateQuote"),
    ("States/RunOutcome/Default", "RunSettle", "target: RunSettle"),
    ("States/TurnDecision/Choices/3/Next", "CloseRun", "RenewRun is not reachable"),
    ("States/TurnDecision/Choices/0/Next", None, "Choices/0 is invalid"),
    ("States/TurnDecision/Choices/0/Variable", "turn.decision", 'must match format "asl_ref_path"'),
    ("States/PlanOrders/Type", "Tsk", "Type is invalid"),
    ("States/PlanOrders/Nxt", "ValidateQuotes", "/States/PlanOrders is invalid"),
    ("States/PlanOrders/Resource", None, "/States/PlanOrders is invalid"),
    ("States/PlanOrders/TimeoutSeconds", "30", "must be integer"),
    ("States/PlanOrders/ResultPath", "planned", 'must match format "asl_result_path"'),
    ("States/PlanOrders/End", True, 'exactly one of "End", "Next"'),
    ("States/WaitForMarket/TimestampPath", None, "WaitForMarket"),
    ("States/RenewRun/Parameters/Name.$", "States.Fmt('{}', $.run_id)", 'must match format "asl_payload_template"'),
    ("States/RunFailed/Error", "x", 'at most one of "Error", "ErrorPath"'),
    ("States/RunSettled/Next", "RunFailed", "RunSettled"),
]
NEEDS_NODE = pytest.mark.skipif(missing() != "", reason=missing())


@pytest.fixture(scope="module")
def errors() -> list[list[str]]:
    """What the validator says: of the definition first, then with each defect."""
    definitions = [definition(), *(planted(definition(), path, value) for path, value, _ in DEFECTS)]
    command = [node(), str(ROOT / "tests/statemachine/validate.mjs"), str(NODE_FOLDER)]
    validated = subprocess.run(command, input=json.dumps(definitions), capture_output=True, text=True, check=True)
    found: list[list[str]] = json.loads(validated.stdout)
    return found


@NEEDS_NODE
def test_the_validator_finds_nothing_wrong(errors: list[list[str]]) -> None:
    assert errors[0] == []


@NEEDS_NODE
@pytest.mark.parametrize("number", range(len(DEFECTS)), ids=[f"{path}={value}" for path, value, _ in DEFECTS])
def test_the_validator_detects_the_defect(number: int, errors: list[list[str]]) -> None:
    said = DEFECTS[number][2]
    assert any(said in message for message in errors[1 + number]), errors[1 + number]


# ── What Node runs ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_npm_package_is_pinned_with_its_hash_and_without_an_address() -> None:
    """npm ci checks the hashes; it finds the packages in the registry that is configured."""
    text = (PINS / "package-lock.json").read_text()
    locked = json.loads(text)["packages"]
    wanted = json.loads((PINS / "package.json").read_text())["dependencies"]
    assert "://" not in text
    for name, package in locked.items():
        if name:
            assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"]), name
            assert package["integrity"].startswith("sha512-"), name
            assert "hasInstallScript" not in package, name
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
