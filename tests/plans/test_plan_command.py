"""`repeg plan`: shows a plan as it is understood, and every refusal, without an account or a market."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from repeg_workbench.cli import app
from repeg_workbench.operate.start import Request
from tests.plans.page import FILES


def repeg_plan(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["plan", *map(str, arguments)])


def test_a_plan_is_shown_with_its_lines_and_notes() -> None:
    result = repeg_plan(FILES / "ib-basket.csv")
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[0] == "Plan ib-basket: 3 orders"
    assert "BRK.B sell 250" in lines
    assert "Note: symbols as the broker writes them: BRK B as BRK.B." in lines


def test_a_refused_plan_is_shown_fault_by_fault() -> None:
    result = repeg_plan(FILES / "several-faults.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == [
        "row 3, weight", "row 4, weight", "row 5, symbol",
    ]  # fmt: skip


def test_a_file_that_cannot_be_read_is_refused() -> None:
    result = repeg_plan("nowhere.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "plan: 'nowhere.csv' is not valid; expected a file that can be read" in result.stderr


def test_a_yaml_plan_is_converted_for_an_execution() -> None:
    """In YAML 1.1, which most libraries read, ON is a boolean."""
    document = json.loads(repeg_plan(FILES / "weights.yml", "--json").stdout)
    assert document["targets"] == {"ON": "0.25", "BRK.B": "0.25", "KO": "0.1"}
    assert document["notes"] == ["symbols as the broker writes them: BRK/B as BRK.B"]


def test_a_start_sends_the_plan_as_it_is_understood() -> None:
    sent = Request(str(FILES / "excel-percent.csv")).input()["plan"]
    assert sent["targets"] == {"AAPL": "0.60", "KO": "0.395"}
    assert sent["name"] == "excel-percent"


def test_an_alias_and_a_repeated_name_in_yaml_are_refused(tmp_path: Path) -> None:
    plan = tmp_path / "core.yaml"
    plan.write_text("targets: &all {KO: 0.1}\nnotes: *all\n")
    assert "no alias" in repeg_plan(plan).stderr
    plan.write_text("targets: {KO: 0.1, KO: 0.2}\n")
    assert "each name once" in repeg_plan(plan).stderr
    plan.write_text("targets: [KO\n")
    assert "YAML (" in repeg_plan(plan).stderr
