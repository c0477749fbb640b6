"""A mutant that a test sees is killed, an equivalent one survives, and what was run once is not run again."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from repeg_workbench.mutation.campaign import Campaign
from repeg_workbench.mutation.mutants import MutatedModule
from repeg_workbench.mutation.results import KILLED, SURVIVED, Record
from repeg_workbench.mutation.workers import Worker

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="tests are chosen by sys.monitoring, new in 3.12")

SEEN = "domain.limits.require_within_limits: amount > limit → amount >= limit"
SEEN_BY = "tests/domain/test_limits.py::test_an_order_over_its_limit_refuses_the_run_by_name"
# A child without fills adds nothing to what was paid.
EQUIVALENT = "domain.pricing.affordable: each.filled → dropped"
FILES = ("tests/domain/test_limits.py", "tests/domain/test_affordable_price.py")


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """A worker that has collected few tests."""
    with closing(Worker(FILES, tmp_path_factory.mktemp("worker") / "worker.log")) as made:
        yield made


def run(folder: Path, worker: Worker, *keys: str) -> list[Record]:
    """Run mutants as far as it is necessary; returns what is kept of them."""
    campaign = Campaign(["domain.limits", "domain.pricing", "domain.child_order"], folder)
    mutants = [mutant for mutant in campaign.chosen(0, 0, 0) if mutant.key in keys]
    assert len(mutants) == len(keys)
    campaign.run_tests(mutants, [worker], lambda _: None)
    return [campaign.results.records[key] for key in keys]


SURVIVOR = Record("domain.pricing", MutatedModule("domain.pricing").digest, EQUIVALENT, "dropped", SURVIVED)


def lines(folder: Path) -> int:
    return len((folder / "results.jsonl").read_text().splitlines())


def test_a_mutant_is_killed_by_the_test_that_sees_it(tmp_path: Path, worker: Worker) -> None:
    (record,) = run(tmp_path, worker, SEEN)
    assert (record.verdict, record.by, record.how) == (KILLED, SEEN_BY, "call")


def test_an_equivalent_mutant_survives_every_test_of_its_line(tmp_path: Path, worker: Worker) -> None:
    (record,) = run(tmp_path, worker, EQUIVALENT)
    assert (record.verdict, record.by) == (SURVIVED, "")
    assert record.tests > 0


def test_a_mutant_leaves_nothing_behind_for_the_next_one(worker: Worker) -> None:
    job = {"do": "tests", "module": "domain.limits", "tests": [SEEN_BY], "limit": 10}
    other = "domain.limits.market_order_collar: '0.04' → '0.05'"
    assert worker.do({**job, "key": SEEN})["verdict"] == KILLED
    assert worker.do({**job, "key": other})["verdict"] == SURVIVED


@pytest.mark.parametrize(
    "key",
    [
        "domain.limits._UNSEEN: ChildState.LOST → dropped",
        "domain.child_order.Child.notional: 0 → 1",
        "domain.child_order.NOTE_LENGTH: 68 → 67",
        "domain.child_order.CLOSED: frozenset(ChildState) - UNRESOLVED → frozenset(ChildState) + UNRESOLVED",
    ],
)
def test_a_constant_and_a_fields_default_can_be_planted(key: str, worker: Worker) -> None:
    module = key.partition(".")[0] + "." + key.split(".")[1]
    answer = worker.do({"do": "tests", "module": module, "key": key, "tests": [], "limit": 10})
    assert answer.get("verdict") in {SURVIVED, KILLED}


def test_a_mutant_that_has_run_is_not_run_again(tmp_path: Path, worker: Worker) -> None:
    first = run(tmp_path, worker, SEEN, EQUIVALENT)
    assert run(tmp_path, worker, SEEN, EQUIVALENT) == first
    assert lines(tmp_path) == 2


def test_a_line_that_was_cut_off_is_run_again(tmp_path: Path, worker: Worker) -> None:
    run(tmp_path, worker, SEEN)
    file = tmp_path / "results.jsonl"
    file.write_text(file.read_text()[:-20])
    (record,) = run(tmp_path, worker, SEEN)
    assert record.verdict == KILLED


def test_a_mutant_that_could_not_be_planted_is_run_again(tmp_path: Path, worker: Worker) -> None:
    run(tmp_path, worker, SEEN)
    file = tmp_path / "results.jsonl"
    file.write_text(file.read_text().replace(f'"{KILLED}"', '"not planted"'))
    (record,) = run(tmp_path, worker, SEEN)
    assert record.verdict == KILLED


def test_a_mutant_is_run_again_after_a_change_of_its_module(tmp_path: Path, worker: Worker) -> None:
    run(tmp_path, worker, SEEN)
    file = tmp_path / "results.jsonl"
    file.write_text(file.read_text().replace(MutatedModule("domain.limits").digest, "0" * 16))
    run(tmp_path, worker, SEEN)
    assert lines(tmp_path) == 2


def test_the_test_that_killed_a_mutant_in_former_code_is_tried_first(tmp_path: Path, worker: Worker) -> None:
    run(tmp_path, worker, SEEN)
    file = tmp_path / "results.jsonl"
    last = "tests/domain/test_limits.py::test_a_run_limit_counts_buys_and_sells"
    file.write_text(file.read_text().replace(MutatedModule("domain.limits").digest, "0" * 16).replace(SEEN_BY, last))
    campaign = Campaign(["domain.limits"], tmp_path)
    assert campaign.results.records == {}
    assert campaign.results.killers == {SEEN: last}
    assert [record.key for record in campaign.results.with_former("domain.limits")] == [SEEN]


def test_a_survivor_is_run_against_tests_that_are_new(tmp_path: Path, worker: Worker) -> None:
    (before,) = run(tmp_path, worker, EQUIVALENT)
    file = tmp_path / "results.jsonl"
    digest = before.tried["tests/domain/test_affordable_price.py"]
    file.write_text(file.read_text().replace(digest, "0" * 16))
    (after,) = run(tmp_path, worker, EQUIVALENT)
    assert lines(tmp_path) == 2
    assert after.tried == before.tried


def test_a_survivor_of_new_tests_keeps_its_seeds(tmp_path: Path, worker: Worker) -> None:
    campaign = Campaign(["domain.pricing"], tmp_path)
    campaign.results.add(replace(SURVIVOR, seeds=2, chosen_from=12, cpu=1000.0))
    (after,) = run(tmp_path, worker, EQUIVALENT)
    assert (after.verdict, after.seeds, after.chosen_from) == (SURVIVED, 2, 12)
    assert after.tests > 0
    assert after.cpu > 1000
    (read,) = Campaign(["domain.pricing"], tmp_path).results.records.values()
    assert read == after


def test_a_survivor_has_no_seeds_of_former_code(tmp_path: Path) -> None:
    campaign = Campaign(["domain.pricing"], tmp_path)
    campaign.results.add(replace(SURVIVOR, digest="of other code", seeds=2, chosen_from=12))
    campaign.results.add(SURVIVOR)
    assert campaign.results.records == {EQUIVALENT: SURVIVOR}


def test_a_mutant_whose_test_is_gone_is_run_again(tmp_path: Path, worker: Worker) -> None:
    run(tmp_path, worker, SEEN)
    file = tmp_path / "results.jsonl"
    file.write_text(file.read_text().replace("refuses_the_run_by_name", "is_gone"))
    (record,) = run(tmp_path, worker, SEEN)
    assert record.by == SEEN_BY


def test_a_sample_depends_on_its_seed_alone(tmp_path: Path) -> None:
    campaign = Campaign(["domain.limits", "domain.tick"], tmp_path)
    first, again, other = (campaign.chosen(0, 9, seed) for seed in (1, 1, 2))
    assert first == again
    assert len(first) == 9
    assert first != other
    assert campaign.chosen(5, 0, 1) == campaign.chosen(0, 0, 1)[5:]


class SeedsByHand(Worker):
    """A worker without a process. Of the seeds the odd ones run the module, later ones less of it and more slowly, and
    no mutant is seen by a seed."""

    def __init__(self) -> None:
        self.tests: list[str] = []
        self.mapped: list[int] = []
        self.tried: list[list[int]] = []

    def do(self, job: Mapping[str, Any]) -> dict[str, Any]:
        if job["do"] == "seeds":
            self.tried.append(job["seeds"])
            return {"verdict": SURVIVED, "by": "", "passed": len(job["seeds"]), "cpu": 1.0}
        self.mapped += job["seeds"]
        lines = [{"domain.pricing": hex((1 << 1000 - 40 * seed) - 1) if seed % 2 else "0"} for seed in job["seeds"]]
        runs = [
            {"name": str(seed), "seconds": seed, "lines": run, "failure": ""}
            for seed, run in zip(job["seeds"], lines, strict=True)
        ]
        return {"runs": runs, "cpu": 1.0}


def test_a_survivor_is_run_against_seeds_that_run_little_but_its_line(tmp_path: Path) -> None:
    worker = SeedsByHand()
    campaign = Campaign(["domain.pricing"], tmp_path)
    (mutant,) = [each for each in campaign.chosen(0, 0, 0) if each.key == EQUIVALENT]
    campaign.results.add(SURVIVOR)
    campaign.run_seeds([mutant], [worker], lambda _: None, each=2)
    assert (sorted(worker.mapped), worker.tried) == (list(range(12)), [[11, 7]])
    again = Campaign(["domain.pricing"], tmp_path)
    assert (again.results.records[EQUIVALENT].seeds, again.results.records[EQUIVALENT].chosen_from) == (2, 12)
    again.run_seeds([mutant], [worker], lambda _: None, each=2)
    assert len(worker.tried) == 1
    again.run_seeds([mutant], [worker], lambda _: None, each=3)
    assert worker.tried[1:] == [[17, 11, 13]]
    again.run_seeds([mutant], [worker], lambda _: None, each=1)
    again.results.records[EQUIVALENT] = replace(again.results.records[EQUIVALENT], chosen_from=0)
    again.run_seeds([mutant], [worker], lambda _: None, each=2)
    assert worker.tried[2:] == [[11, 7]]
