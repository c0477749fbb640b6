"""The reliability page shows the saved measurements and explains every invariant."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from repeg_workbench.faults import judges, reliability
from repeg_workbench.faults.baselines import BASELINES
from repeg_workbench.faults.campaign import Campaign
from repeg_workbench.faults.findings_page import faults_of_the_program, unexplained
from repeg_workbench.faults.judges.invariants import INVARIANTS
from repeg_workbench.faults.planted_bugs import PLANTED_BUGS
from repeg_workbench.faults.tally import Tally

CLAIMS = {"_claim", "_say", "_name"}


def test_the_reliability_page_is_up_to_date() -> None:
    assert reliability.PAGE.read_text() == reliability.page(reliability.kept())


def test_the_page_explains_exactly_the_judges_invariants() -> None:
    assert set(_names()) == INVARIANTS.keys()


def test_every_planted_bug_is_measured_and_detected() -> None:
    measured = reliability.kept()["planted_bugs"]
    assert measured.keys() == PLANTED_BUGS.keys()
    assert [name for name, bug in measured.items() if bug["seed"] is None and not bug["test"]] == []


def test_every_bug_that_a_test_sees_was_measured_by_that_test() -> None:
    measured = reliability.kept()["planted_bugs"]
    by_test = {name: bug.seen_by.split() for name, bug in PLANTED_BUGS.items() if bug.seen_by}
    assert [name for name, tests in by_test.items() if measured[name]["test"].partition("[")[0] not in tests] == []


def test_the_page_says_what_every_counted_violation_was() -> None:
    violated = [seed for entry in reliability.kept()["counted"] for seed in entry["failing"]]
    assert unexplained(violated) == []
    assert unexplained([7053, 1, 3140]) == [1]
    assert unexplained([3140, 3140]) == [3140]
    assert faults_of_the_program([7053, 1, 3140, 102864]) == [7053, 102864]


def test_every_measured_baseline_exists() -> None:
    assert list(reliability.kept()["baselines"]["wrong"]) == [label for label, _ in BASELINES.values()]


def test_a_new_measurement_replaces_only_its_own_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reliability, "NUMBERS", tmp_path / "numbers.json")
    monkeypatch.setattr(reliability, "PAGE", tmp_path / "page.md")
    reliability.keep("baselines", {"seeds": 8, "commit": "abc1234", "wrong": {"careless": {"overfill": 2}}})
    reliability.keep_campaign(_campaign(tmp_path, Tally(done={0})))
    reliability.keep_campaign(_campaign(tmp_path, _a_tally()))
    page = reliability.PAGE.read_text()
    assert page == reliability.page(reliability.kept())
    assert "| careless | 25.0% (15.3 points) |" in page
    assert "| days | 1,200 |" in page
    assert "| **days with a violation** | **1** |" in page
    assert "| `broker.submit` | 3 |" in page
    assert "| `abort` | 2 |" in page
    assert "| `normal` | 900 |" in page
    assert "| `abc1234` | 0–1199 | 1,200 | 1 |" in page


def test_a_campaign_that_was_cut_off_is_published_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reliability, "NUMBERS", tmp_path / "numbers.json")
    monkeypatch.setattr(reliability, "PAGE", tmp_path / "page.md")
    reliability.keep_campaign({**_campaign(tmp_path, _a_tally()), "is_complete": False, "asked": 5_000})
    page = reliability.PAGE.read_text()
    assert "1,200 days of published campaigns, " in page
    assert "Days with a violation: 1, of them 0 by a fault of the program" in page
    assert "| days | 1,200 of 5,000, then cut off |" in page


def test_a_day_of_many_violations_is_kept_with_the_first_of_each_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reliability, "NUMBERS", tmp_path / "numbers.json")
    monkeypatch.setattr(reliability, "PAGE", tmp_path / "page.md")
    found = ["hint_ignored: b.1", "hint_ignored: b.2", "idle: run", "hint_ignored: b.3"]
    reliability.keep_campaign({**_campaign(tmp_path, _a_tally()), "failing": {"7": found}})
    assert reliability.kept()["campaign"]["failing"] == {"7": ["hint_ignored: b.1", "idle: run"]}


def test_the_page_says_first_what_the_simulation_cannot_show() -> None:
    sections = [line for line in reliability.page({}).splitlines() if line.startswith("## ")]
    assert sections[0] == "## What the simulation cannot show"


def test_bugs_that_were_not_tried_keep_what_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reliability, "NUMBERS", tmp_path / "numbers.json")
    monkeypatch.setattr(reliability, "PAGE", tmp_path / "page.md")
    seen = {"seed": 4, "invariant": "no_intent", "test": "", "description": "a bug", "commit": "abc1234"}
    reliability.keep_bugs({"no_collar": seen, "cancel_is_done": seen})
    reliability.keep_bugs({"no_collar": {**seen, "seed": 9}})
    assert {name: bug["seed"] for name, bug in reliability.kept()["planted_bugs"].items()} == {
        "cancel_is_done": 4,
        "no_collar": 9,
    }


def _names() -> Iterator[str]:
    """The judges' violation names: the second argument of each claim, the first of a violation."""
    for path in Path(judges.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLAIMS:
                yield from _texts(node.args[1])
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Violation":
                yield from _texts(node.args[0])


def _texts(node: ast.AST) -> list[str]:
    return [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def _campaign(folder: Path, tally: Tally) -> dict[str, Any]:
    return Campaign(range(tally.seeds), 2, folder, tally, seconds=12.4, commit="abc1234").numbers()


def _a_tally() -> Tally:
    struck = Counter({"crash_before broker.submit": 3, "abort": 2})
    return Tally(
        done=set(range(1_200)),
        orders=5,
        fills=4,
        calls=99,
        injected=struck,
        failing={7: ["left_open: {}"]},
        policies=Counter({"normal": 900}),
    )
