"""The published planted bugs: each seed detects its bug at the present program, and each commit can be checked out."""

from __future__ import annotations

import functools

import pytest

from repeg_workbench.faults import campaign
from repeg_workbench.faults.campaign import detections, run_seed
from repeg_workbench.faults.commit import has_history, is_ancestor
from repeg_workbench.faults.records import Result
from repeg_workbench.faults.reliability import kept

PUBLISHED = kept()["planted_bugs"]


def seen_by_a_seed(name: str) -> object:
    """A bug, its seed and its violation. Two workers share them: each runs the days without a bug of its seeds once."""
    seed, invariant = PUBLISHED[name]["seed"], PUBLISHED[name]["invariant"]
    group = pytest.mark.xdist_group(f"published bugs {seed % 2}")
    return pytest.param(name, seed, invariant, id=name, marks=group)


BY_SEED = [seen_by_a_seed(name) for name, bug in PUBLISHED.items() if not bug["test"]]


@functools.cache
def without_bug(seed: int) -> Result:
    """A seed's day without a bug."""
    return run_seed(seed)


@pytest.mark.parametrize(("name", "seed", "invariant"), BY_SEED)
def test_a_published_seed_detects_its_bug_with_the_published_violation(
    name: str, seed: int, invariant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaign, "run_seed", lambda of, bug=None: run_seed(of, bug) if bug else without_bug(of))
    assert invariant in detections(seed, name)


def test_the_commit_of_every_planted_bug_is_in_the_history() -> None:
    if not has_history():
        pytest.skip("there is no git history here to look for the commits in, or a shallow one")
    commits = {bug["commit"] for bug in PUBLISHED.values()}
    assert sorted(commit for commit in commits if not is_ancestor(commit)) == []
