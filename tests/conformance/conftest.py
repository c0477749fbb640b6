"""Runs the suite against a broker of other habits: `pytest tests/conformance --knob second_cancel=204`."""

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
    """Before any test is collected, for they all start from these knobs."""
    # From the top of the tree this file is read too late to add an option.
    asked: list[str] = config.getoption("--knob", default=[])
    quirks = vars(read_knobs(asked))
    caller.PROMPT = replace(
        caller.PROMPT, **{name: quirks[name] for name in (each.partition("=")[0] for each in asked)}
    )
