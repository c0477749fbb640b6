"""Tests that share what takes long to make run on one worker, which makes it once."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _require_workers(request: pytest.FixtureRequest) -> None:
    if not hasattr(request.config, "workerinput"):
        pytest.skip("the tests run in one process, without groups")


@pytest.mark.xdist_group("grouping")
def test_a_marked_test_belongs_to_its_group(request: pytest.FixtureRequest) -> None:
    """A release of pytest that keeps ids elsewhere has run every test alone, and made each day and build twice."""
    assert request.node.nodeid.endswith("@grouping")


@pytest.fixture(scope="module", params=["first", "second"])
def shared(request: pytest.FixtureRequest) -> str:
    """Something that a module makes once for each of its parameters."""
    return str(request.param)


def test_a_test_with_a_fixture_of_its_module_belongs_to_a_group(request: pytest.FixtureRequest, shared: str) -> None:
    index = ["first", "second"].index(shared)
    assert request.node.nodeid.endswith(f"@tests/test_grouping.py:shared{index}")
