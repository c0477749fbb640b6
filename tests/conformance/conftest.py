"""Runs the suite with other broker quirks: `pytest tests/conformance --knob second_cancel=204`."""

from dataclasses import replace

import pytest

from repeg_workbench.exchange_command import read_knobs
from tests.exchange import caller


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--knob",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a habit of the broker's, as `repeg exchange` has it",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Set the quirks before any test is collected, as all tests start from them."""
    # In a run from the repository's root, this file is read too late to add an option.
    asked: list[str] = config.getoption("--knob", default=[])
    quirks = vars(read_knobs(asked))
    caller.PROMPT = replace(
        caller.PROMPT, **{name: quirks[name] for name in (each.partition("=")[0] for each in asked)}
    )
