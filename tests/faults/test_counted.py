"""The count of simulated days: by commit, each seed once, and never less than before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from repeg_workbench.faults import counted, reliability
from repeg_workbench.faults.commit import _git, current_commit
from repeg_workbench.faults.tally import seeds_in


def campaign(commit: str, first: int, end: int, failing: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """A campaign's numbers, as far as they are counted."""
    return {"commit": commit, "done": [[first, end]], "failing": failing or {}}


def test_seeds_run_twice_at_one_commit_count_once() -> None:
    total = counted.with_campaign(counted.with_campaign([], campaign("a", 0, 300)), campaign("a", 200, 500))
    assert [entry["done"] for entry in total] == [[[0, 500]]]
    assert counted.number_of(total) == 500


def test_the_same_seeds_at_another_commit_are_other_days() -> None:
    total = counted.with_campaign(counted.with_campaign([], campaign("a", 0, 300)), campaign("b", 0, 300))
    assert counted.number_of(total) == 600
    assert [entry["commit"] for entry in total] == ["a", "b"]


def test_a_failing_seed_stays_counted_as_failing() -> None:
    failed = counted.with_campaign([], campaign("a", 0, 300, {"7": ["left_open"]}))
    total = counted.with_campaign(failed, campaign("a", 300, 400))
    assert counted.rows(total) == [("`a`", "0–399", "400", "1")]


def test_a_campaign_says_where_its_seeds_had_been_run_before() -> None:
    total = counted.with_campaign([], campaign("a", 0, 300, {"7": ["left_open"], "250": ["short"]}))
    second = campaign("b", 200, 500)
    total = counted.with_campaign(total, second)
    (said,) = counted.run_before(second, total)
    assert "Run before: 100 at `a`, 1 of them with a violation." in said
    assert counted.run_before(campaign("c", 500, 600), total) == []


def part(first: int, **changes: Any) -> dict[str, Any]:
    """A part of a campaign: ten seeds, with these things different."""
    of_one = {
        **campaign("a", first, first + 10), "first": first, "is_complete": True, "processes": 2, "seeds": 10,
        "asked": 10, "seconds": 4, "orders": 30, "fills": 20, "calls": 500, "injected": {"abort": 2},
        "outcomes": {"filled": 7}, "statuses": {"FAILED": 1}, "policies": {"normal": 9},
    }  # fmt: skip
    return {**of_one, **changes}


def test_a_campaign_that_was_run_in_parts_is_published_as_one() -> None:
    second = part(10, policies={"anchor": 3, "normal": 7}, failing={"12": ["left_open"]})
    assert counted.together([part(0), second, part(30)]) == part(
        0, seeds=30, asked=30, seconds=12, orders=90, fills=60, calls=1_500, injected={"abort": 6},
        outcomes={"filled": 21}, statuses={"FAILED": 3}, policies={"normal": 25, "anchor": 3},
        failing={"12": ["left_open"]}, done=[[0, 20], [30, 40]],
    )  # fmt: skip


def test_a_campaign_with_a_part_that_was_cut_off_is_not_complete() -> None:
    assert not counted.together([part(0), part(10, is_complete=False)])["is_complete"]


@pytest.mark.parametrize("second", [part(5), part(10, commit="b")])
def test_parts_of_other_commits_or_with_the_same_seeds_are_refused(second: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="same commit and different seeds"):
        counted.together([part(0), second])


def test_tallies_that_were_cut_off_are_counted_from_their_files(tmp_path: Path) -> None:
    for number, numbers in enumerate((campaign("a", 0, 9), campaign("a", 20, 25))):
        (tmp_path / f"tally-{number}.json").write_text(json.dumps({**numbers, "is_complete": False}))
    total = counted.with_files([], tmp_path.glob("tally-*.json"))
    assert counted.rows(total) == [("`a`", "0–8, 20–24", "14", "0")]


def test_the_published_count_never_falls() -> None:
    """Compared with the last commit, where git has it; the first two campaigns are counted for ever."""
    now = {entry["commit"]: seeds_in(entry["done"]) for entry in reliability.kept()["counted"]}
    assert len(now["2254f95"]) == 1_000
    assert len(now["ff73b05"]) == 10_000
    committed = json.loads(_git("show", "HEAD:docs/reliability.json") or "{}")
    for entry in committed.get("counted", []):
        assert seeds_in(entry["done"]) <= now[entry["commit"]]


def test_the_commit_of_this_code_is_named() -> None:
    assert current_commit().rstrip("+").isalnum()
