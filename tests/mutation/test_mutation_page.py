"""The page on mutation shows what is known, and groups the survivors by their reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from repeg_workbench.mutation import mutation_page
from repeg_workbench.mutation.mutants import MutatedModule
from repeg_workbench.mutation.published import records
from repeg_workbench.mutation.results import KILLED, SAME_CODE, SURVIVED, Record, Results

MODULES = {"domain.limits": MutatedModule("domain.limits"), "domain.weights": MutatedModule("domain.weights")}

SEEDS = (0, 0, 1, 0, 0)


def results(folder: Path) -> Results:
    """Of two modules' mutants: one killed by a test, one by a seed, two that survive, one that changes nothing.

    A seed runs the line of one survivor, and none of the other's.
    """
    kept = Results(folder / "results.jsonl", MODULES)
    fates = [(KILLED, "tests/a.py::test_b"), (KILLED, "seed 7"), (SURVIVED, ""), (SURVIVED, ""), (SAME_CODE, "")]
    for mutant, (verdict, by), seeds in zip(MODULES["domain.limits"].mutants.values(), fates, SEEDS, strict=False):
        record = Record(mutant.module, MODULES[mutant.module].digest, mutant.key, mutant.operator, verdict, by, cpu=0.5)
        kept.add(replace(record, seeds=seeds, chosen_from=60 if verdict == SURVIVED else 0))
    return kept


def fate(record: Record) -> tuple[str, str, int, int]:
    return record.verdict, record.by, record.seeds, record.chosen_from


def test_the_summary_counts_who_has_killed_and_what_is_not_known(tmp_path: Path) -> None:
    known = results(tmp_path)
    lines = mutation_page.summary(known, MODULES).splitlines()
    left = len(MODULES["domain.limits"].mutants) - 5
    assert lines[1].split() == ["domain.limits", "4", "1", "1", "2", "50.0%", str(left), "2"]
    assert lines[2].split()[:6] == ["domain.weights", "0", "0", "0", "0", "–"]
    assert lines[-1] == "4 mutants: 1 killed by tests, 1 by seeds alone, 2 survive; 50.0% killed; 2 s CPU"


def test_the_page_lists_each_survivor_below_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = results(tmp_path)
    first, second = [record.key for record in known.of("domain.limits") if record.verdict == SURVIVED]
    (tmp_path / "survivors.toml").write_text(f"[[reason]]\ntext = 'Only text.'\nmutants = ['''{first}''']\n")
    monkeypatch.setattr(mutation_page, "_REASONS", tmp_path / "survivors.toml")
    monkeypatch.setattr(mutation_page, "NUMBERS", tmp_path / "mutation.json")
    monkeypatch.setattr(mutation_page, "PAGE", tmp_path / "mutation.md")
    mutation_page.keep(known, MODULES)
    page = (tmp_path / "mutation.md").read_text()
    assert "| `domain.limits` | 4 | 1 | 1 | 2 | 50.0% |" in page
    assert "| **all** | 4 | 1 | 1 | 2 | 50.0% |" in page
    assert "Of 2 survivors 1 were run against days; 1 are in lines" in page
    assert "0 were not run against days." in page
    assert f"Only text.\n\n- ``{first}`` – 1 day\n" in page
    assert f"No reason is known yet.\n\n- ``{second}`` – none of 60 days runs it\n" in page
    assert page == mutation_page.page(mutation_page.kept())


def test_the_page_says_when_no_survivor_was_run_against_seeds(tmp_path: Path) -> None:
    row = [1, 0, 0, 1, "0.0%"]
    modules = {"domain.limits": {"row": row, "survive": {"a: 1 → 2": [0, 0]}}}
    page = mutation_page.page({"commit": "a", "cpu": 1, "former": 0, "not_run": 0, "total": row, "modules": modules})
    assert "Of 1 survivors 0 were run against days; 0 are in lines" in page
    assert "1 were not run against days." in page
    assert "- ``a: 1 → 2`` – not run against days\n" in page


def test_a_new_machine_begins_with_what_is_published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = results(tmp_path)
    monkeypatch.setattr(mutation_page, "NUMBERS", tmp_path / "mutation.json")
    monkeypatch.setattr(mutation_page, "PAGE", tmp_path / "mutation.md")
    mutation_page.keep(known, MODULES)
    begun = Results(tmp_path / "none.jsonl", MODULES, records(mutation_page.kept(), MODULES))
    assert {key: fate(record) for key, record in begun.records.items()} == {
        key: fate(record) for key, record in known.records.items() if record.verdict != SAME_CODE
    }
    assert sum(record.cpu for record in begun.records.values()) == pytest.approx(2.0)
    numbers = mutation_page.kept()
    numbers["modules"]["domain.limits"]["digest"] = "of other code"
    changed = Results(tmp_path / "none.jsonl", MODULES, records(numbers, MODULES))
    assert (changed.records, changed.former.keys()) == ({}, begun.records.keys())
    mutation_page.keep(changed, MODULES)
    again = Results(tmp_path / "none.jsonl", MODULES, records(mutation_page.kept(), MODULES))
    assert (again.records, again.former.keys()) == ({}, begun.records.keys())


def test_a_reason_for_a_mutant_that_is_gone_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = next(iter(MODULES["domain.weights"].mutants))
    keys = [there, "domain.weights.gone: 1 → 2", "domain.tick.gone: 1 → 2"]
    (tmp_path / "survivors.toml").write_text(f"[[reason]]\ntext = 'why'\nmutants = {keys}\n", encoding="utf-8")
    monkeypatch.setattr(mutation_page, "_REASONS", tmp_path / "survivors.toml")
    assert mutation_page.outdated(MODULES) == ["domain.weights.gone: 1 → 2"]


def test_the_page_is_up_to_date() -> None:
    assert mutation_page.PAGE.read_text(encoding="utf-8") == mutation_page.page(mutation_page.kept())


def test_every_reason_is_of_one_mutant_once() -> None:
    keys = mutation_page.listed()
    assert sorted(set(keys)) == sorted(keys)
