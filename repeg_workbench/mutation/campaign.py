"""Runs mutants against the tests that run their lines, and those that survive against seeds."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from repeg_workbench.faults.commit import ROOT, current_commit
from repeg_workbench.mutation import mutation_page
from repeg_workbench.mutation.mutants import Mutant, MutatedModule
from repeg_workbench.mutation.published import records
from repeg_workbench.mutation.results import KILLED, SAME_CODE, SURVIVED, Record, Results
from repeg_workbench.mutation.run_map import RunMap, digest_of, map_seeds, map_tests
from repeg_workbench.mutation.uses import lines_to_run
from repeg_workbench.mutation.workers import Worker, work_off

FOLDER = ROOT / "out" / "mutation"
# How many seeds a mutant is run against, and of how many times as many those are chosen that run its lines.
SEEDS_EACH, _SEED_CHOICE = 30, 6
# A mutant may take this many CPU seconds, and so many times as long as its tests take without it.
_LEAST_LIMIT, _SLOWER = 10.0, 5.0
_BEAT_SECONDS = 10.0
# How many of a module's most frequent killers are tried early.
_OFTEN = 5


class Campaign:
    """Mutants to run, and what is known of them. What has run before, and is unchanged, is not run again.

    `numbers` are the published ones, if they count as what has run before.
    """

    def __init__(self, modules: Sequence[str], folder: Path = FOLDER, numbers: Mapping[str, Any] | None = None) -> None:
        self.modules = {name: MutatedModule(name) for name in modules}
        earlier = records(numbers, self.modules) if numbers is not None else ()
        self.results = Results(folder / "results.jsonl", self.modules, earlier)
        self.tests = RunMap(folder / "tests.json")
        self.seeds = RunMap(folder / "seeds.json")
        self._killers: defaultdict[str, list[str]] = defaultdict(list)
        self._often: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._available: set[str] = set()
        self._listed = set(mutation_page.listed())
        self._commit = current_commit()
        self._said = time.monotonic()

    def chosen(self, first: int, sample: int, seed: int) -> list[Mutant]:
        """The mutants from the first on, or a sample of them."""
        every = [mutant for module in self.modules.values() for mutant in module.mutants.values()][first:]
        if not sample or sample >= len(every):
            return every
        keys = set(Random(seed).sample(sorted(mutant.key for mutant in every), sample))
        return [mutant for mutant in every if mutant.key in keys]

    def run_tests(
        self,
        mutants: Sequence[Mutant],
        workers: Sequence[Worker],
        say: Callable[[str], None],
        most_seconds: float = 0,
    ) -> None:
        """Run each mutant that is not known to be killed against the tests that run its lines, and were not tried: all
        of them, or the first that together take so many seconds."""
        map_tests(self.tests, workers, say)
        self._available = set(workers[0].tests)
        left = [mutant for mutant in mutants if self._is_open(mutant)]
        left.sort(key=self._urgency)
        say(f"{len(mutants)} mutants, of which {len(mutants) - len(left)} need no test any more")

        def done(job: Mapping[str, Any], answer: dict[str, Any]) -> None:
            self._keep_tests(job, answer)
            self._report(say, left)

        work_off(workers, self._test_jobs(left, most_seconds), done)

    def run_seeds(
        self,
        mutants: Sequence[Mutant],
        workers: Sequence[Worker],
        say: Callable[[str], None],
        each: int = SEEDS_EACH,
    ) -> None:
        """Run each mutant that survives the tests against so many seeds that run its lines, those that run least."""
        choice = each * _SEED_CHOICE
        left = [m for m in mutants if (record := self.results.records.get(m.key)) and record.verdict == SURVIVED
                and record.chosen_from < choice]  # fmt: skip
        if not left:
            return
        say(f"{len(left)} mutants go against seeds")
        map_seeds(self.seeds, workers, range(choice), say)

        def done(job: Mapping[str, Any], answer: dict[str, Any]) -> None:
            before = self.results.records[job["key"]]
            by = f"seed {answer['by']}" if answer["by"].isdecimal() else answer["by"]
            self.results.add(replace(
                before, verdict=answer["verdict"], by=by, how=answer.get("how", ""), seeds=answer.get("passed", 0),
                chosen_from=choice, cpu=round(before.cpu + answer["cpu"], 3),
            ))  # fmt: skip
            self._report(say, left)

        work_off(workers, self._seed_jobs(left, each), done)

    def _urgency(self, mutant: Mutant) -> int:
        """Mutants that have never run come first, then survivors without a reason, then those of former code."""
        if mutant.key in self.results.records:
            return 3 if mutant.key in self._listed else 1
        return 2 if mutant.key in self.results.former else 0

    def _is_open(self, mutant: Mutant) -> bool:
        """Whether nothing that still exists is known to kill it. What could not be planted is tried again."""
        known = self.results.records.get(mutant.key)
        if known is None or known.verdict not in {KILLED, SAME_CODE}:
            return True
        if known.verdict == KILLED and not known.is_killed_by_seed and "::" in known.by:
            return known.by not in self.tests.entries
        return known.is_killed_by_seed

    def _as_long_as(self, tests: Sequence[str], most_seconds: float) -> Iterator[str]:
        """The first of the tests, until they take so many seconds; all of them if that is 0."""
        spent = 0.0
        for test in tests:
            if most_seconds and spent > most_seconds:
                return
            spent += self.tests.entries[test].seconds
            yield test

    def _test_jobs(self, mutants: Iterable[Mutant], most_seconds: float) -> Iterator[dict[str, Any]]:
        for mutant in mutants:
            known = self.results.records.get(mutant.key)
            tried = known.tried if known is not None else {}
            tests = [
                each
                for each in self.tests.running(lines_to_run(mutant))
                if each in self._available and tried.get(_file(each)) != digest_of(each)
            ]
            if known is not None and not tests and known.verdict in {SURVIVED, KILLED}:
                continue
            # First what has killed it in former code, then what has killed its neighbours, and most in the module.
            near = [self.results.killers.get(mutant.key, ""), *reversed(self._killers[mutant.scope.name])]
            often = (test for test, _ in self._often[mutant.module].most_common(_OFTEN))
            ordered = list(dict.fromkeys([*(each for each in (*near, *often) if each in tests), *tests]))
            tests = list(self._as_long_as(ordered, most_seconds))
            left = ordered[len(tests) :]
            seconds = sum(self.tests.entries[each].seconds for each in tests)
            limit = max(_LEAST_LIMIT, _SLOWER * seconds)
            about = {"module": mutant.module, "key": mutant.key, "limit": limit}
            yield {"do": "tests", "tests": tests, "left": left, **about}

    def _seed_jobs(self, mutants: Iterable[Mutant], most: int) -> Iterator[dict[str, Any]]:
        for mutant in mutants:
            running = map(int, self.seeds.running(lines_to_run(mutant)))
            seeds = [seed for seed in running if seed < most * _SEED_CHOICE][:most]
            seconds = sum(self.seeds.entries[str(seed)].seconds for seed in seeds)
            limit = max(_LEAST_LIMIT, _SLOWER * seconds)
            yield {"do": "seeds", "module": mutant.module, "key": mutant.key, "seeds": seeds, "limit": limit}

    def _keep_tests(self, job: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        module = self.modules[job["module"]]
        mutant, before = module.mutants[job["key"]], self.results.records.get(job["key"])
        if answer["verdict"] == SURVIVED and before is not None and before.is_killed_by_seed:
            return
        has_survived = answer["verdict"] == SURVIVED
        partly = {_file(test) for test in job["left"]}
        tried = {_file(test): digest_of(test) for test in job["tests"] if has_survived and _file(test) not in partly}
        if "::" in answer["by"]:
            self._killers[mutant.scope.name].append(answer["by"])
            self._often[mutant.module][answer["by"]] += 1
        self.results.add(Record(
            module=module.name, digest=module.digest, key=mutant.key, operator=mutant.operator,
            verdict=answer["verdict"], by=answer["by"], how=answer.get("how", ""), tests=len(job["tests"]),
            tried={**(before.tried if before else {}), **tried}, commit=self._commit,
            cpu=round((before.cpu if before else 0) + answer["cpu"], 3),
        ))  # fmt: skip

    def _report(self, say: Callable[[str], None], mutants: Sequence[Mutant]) -> None:
        if time.monotonic() - self._said < _BEAT_SECONDS:
            return
        self._said = time.monotonic()
        known = [self.results.records[mutant.key] for mutant in mutants if mutant.key in self.results.records]
        killed = sum(record.verdict == KILLED for record in known)
        say(f"{len(known)} of {len(mutants)}: {killed} killed, {sum(record.cpu for record in known):.0f} s CPU")


def _file(test: str) -> str:
    return test.partition("::")[0]
