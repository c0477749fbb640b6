"""A sample of the mutants that docs/mutation.md counts as killed is killed still, each by the file of its test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from random import Random
from typing import Any

import pytest

from repeg_workbench.mutation.money_modules import MONEY_MODULES
from repeg_workbench.mutation.mutants import Mutant, MutatedModule
from repeg_workbench.mutation.mutation_page import kept
from repeg_workbench.mutation.published import files_of, killed_by_tests
from repeg_workbench.mutation.results import KILLED
from repeg_workbench.mutation.workers import Worker

SEED, SIZE = 1, 30
# With fewer, the numbers say little of the program as it is: run the mutants again and publish.
FEWEST = 0.75
AGAIN = "python -m repeg_workbench.mutation run, then publish"
# No test can see it: a child without fills adds nothing to what was paid.
EQUIVALENT = MutatedModule("domain.pricing").mutants["domain.pricing.affordable: each.filled → dropped"]

Sample = list[tuple[Mutant, str]]


@pytest.fixture(scope="module")
def known() -> Sample:
    """Every mutant that is known to be killed by a test."""
    return killed_by_tests(kept(), {name: MutatedModule(name) for name in MONEY_MODULES})


@pytest.fixture(scope="module")
def sample(known: Sample) -> Sample:
    """Thirty of them, always the same ones while the program does not change."""
    return sorted(Random(SEED).sample(known, SIZE), key=lambda each: each[0].key)


@pytest.fixture(scope="module")
def worker(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """A worker that has collected the files of the sample's tests."""
    files = files_of(test for _, test in sample)
    with closing(Worker(files, tmp_path_factory.mktemp("worker") / "worker.log")) as made:
        yield made


def survivors(worker: Worker, sample: Sample) -> list[str]:
    """The mutants of a sample that neither their test nor another one of its file kills."""
    return [f"{mutant.key} survives {test}" for mutant, test in sample if not is_killed(worker, mutant, test)]


def is_killed(worker: Worker, mutant: Mutant, test: str) -> bool:
    """Whether the named test kills a mutant. Where that test is gone, or has changed, another one of its file may."""
    file = [each for each in worker.tests if each.startswith(f"{test.partition('::')[0]}::")]
    named = [test] if test in worker.tests else []
    return _dies(worker, mutant, named) or _dies(worker, mutant, file)


def _dies(worker: Worker, mutant: Mutant, tests: list[str]) -> bool:
    job: Mapping[str, Any] = {"do": "tests", "module": mutant.module, "key": mutant.key, "tests": tests, "limit": 20}
    return bool(tests) and bool(worker.do(job)["verdict"] == KILLED)


def test_a_sample_of_killed_mutants_is_killed_still(worker: Worker, sample: Sample) -> None:
    assert survivors(worker, sample) == []


def test_a_mutant_that_survives_its_test_is_named(worker: Worker, sample: Sample) -> None:
    _, test = sample[0]
    assert survivors(worker, [sample[0], (EQUIVALENT, test)]) == [f"{EQUIVALENT.key} survives {test}"]


def test_most_of_the_published_mutants_are_mutants_of_the_program_as_it_is(known: Sample) -> None:
    published = sum(len(module["killed"]) for module in kept()["modules"].values())
    assert len(known) >= FEWEST * published, f"docs/mutation.json is of another program: {AGAIN}"
