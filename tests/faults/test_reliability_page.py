"""The reliability page shows the saved measurements and explains every invariant."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from repeg_workbench.faults import judge, reliability
from repeg_workbench.faults.baselines import BASELINES
from repeg_workbench.faults.campaign import Tally
from repeg_workbench.faults.planted_bugs import PLANTED_BUGS


def test_the_reliability_page_is_up_to_date() -> None:
    assert reliability.PAGE.read_text() == reliability.page(reliability.kept())


def test_the_page_explains_exactly_the_judges_invariants() -> None:
    assert set(_names()) == reliability.INVARIANTS.keys()


def test_every_measured_planted_bug_exists() -> None:
    assert reliability.kept()["planted_bugs"].keys() == PLANTED_BUGS.keys()


def test_every_measured_baseline_exists() -> None:
    assert list(reliability.kept()["baselines"]["wrong"]) == [label for label, _ in BASELINES.values()]


def test_a_new_measurement_replaces_only_its_own_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reliability, "NUMBERS", tmp_path / "numbers.json")
    monkeypatch.setattr(reliability, "PAGE", tmp_path / "page.md")
    reliability.keep("baselines", {"seeds": 8, "wrong": {"careless": {"overfill": 2}}})
    reliability.keep("campaign", reliability.campaign_numbers(Tally(seeds=1), 1.0, 2))
    reliability.keep("campaign", reliability.campaign_numbers(_a_tally(), 12.4, 2))
    page = reliability.PAGE.read_text()
    assert page == reliability.page(reliability.kept())
    assert "| careless | 25.0% |" in page
    assert "| days | 1,200 |" in page
    assert "| **violations** | **1** |" in page
    assert "| `broker.submit` | 3 |" in page
    assert "| `abort` | 2 |" in page


def _names() -> Iterator[str]:
    """The judge's violation names: the second argument of each check, or the names that a loop passes to it."""
    for node in ast.walk(ast.parse(Path(judge.__file__).read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "_check":
            yield from _texts(node.args[1])
        if isinstance(node, ast.For):
            yield from _texts(node.iter)


def _texts(node: ast.AST) -> list[str]:
    return [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def _a_tally() -> Tally:
    struck = Counter({"crash_before broker.submit": 3, "abort": 2})
    return Tally(seeds=1_200, orders=5, fills=4, calls=99, injected=struck, failing={7: ["left_open: {}"]})
