"""The commands for a deployed stack, as the command line shows them and the operations page lists them."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from repeg_workbench.cli import app
from repeg_workbench.operate.commands import add_commands

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def names() -> list[str]:
    deployed = typer.Typer()
    add_commands(deployed)
    found = [command.name or str(getattr(command.callback, "__name__", "")) for command in deployed.registered_commands]
    return sorted(found)


@pytest.mark.parametrize("name", names())
def test_a_command_has_help_json_and_its_exit_codes(name: str) -> None:
    said = CliRunner().invoke(app, [name, "--help"])
    assert said.exit_code == 0
    assert "--json" in said.output
    assert "Exit code: 0 " in said.output


@pytest.mark.parametrize("name", names())
def test_the_operations_page_names_the_command(name: str) -> None:
    assert f"`repeg {name}" in PAGE.read_text(encoding="utf-8")
