"""A pytest plugin that runs, for each planted bug that a test must see, that test with the bug planted.

`pytest -p repeg_workbench.faults.planting_plugin --planted-bugs NAME,NAME TEST...` writes a line for each bug: its name
and the test that failed, or nothing if none did.
"""

from __future__ import annotations

import sys

import pytest
from _pytest.runner import runtestprotocol

from repeg_workbench.faults.bug_search import RESULT
from repeg_workbench.faults.planted_bugs import PLANTED_BUGS
from repeg_workbench.faults.planting import PlantedBug, planted


def pytest_addoption(parser: pytest.Parser) -> None:
    """The bugs' names."""
    parser.addoption("--planted-bugs", required=True, help="the bugs to plant, one after the other")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Run each bug's tests until one fails."""
    for name in session.config.getoption("--planted-bugs").split(","):
        bug = PLANTED_BUGS[name]
        items = [item for item in session.items if _is_part_of(item.nodeid, bug.seen_by)]
        failed = next((item.nodeid for item in items if _fails(item, bug)), "")
        sys.__stdout__.write(f"{RESULT} {name} {failed}\n")  # type: ignore[union-attr]  # pytest captures the other one
        sys.__stdout__.flush()  # type: ignore[union-attr]
    return True


def _is_part_of(node: str, tests: str) -> bool:
    return any(node == test or node.startswith((f"{test}[", f"{test}::", f"{test}/")) for test in tests.split())


def _fails(item: pytest.Item, bug: PlantedBug) -> bool:
    """Whether a test fails with the bug planted and passes without it."""
    with planted(bug):
        is_failure = not _passes(item)
    return is_failure and _passes(item)


def _passes(item: pytest.Item) -> bool:
    item._initrequest()  # type: ignore[attr-defined]  # noqa: SLF001 - an item runs more than once
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=None))
