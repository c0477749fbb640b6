"""A pytest plugin that collects the tests once, and then runs those that it is asked for, each time in a fork.

Jobs come as lines of JSON on one file descriptor, answers go to another: `--mutation-jobs 5 --mutation-answers 6`.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import Phase, settings

from repeg_workbench.faults import planting as bugs
from repeg_workbench.faults.campaign import quietly
from repeg_workbench.faults.world import World
from repeg_workbench.mutation.forking import in_fork
from repeg_workbench.mutation.line_tracer import LineTracer
from repeg_workbench.mutation.money_modules import MONEY_MODULES
from repeg_workbench.mutation.mutants import MutatedModule
from repeg_workbench.mutation.planting import NotPlanted, SameCode, functions_of_program, plant

Job = Mapping[str, Any]
Answer = dict[str, Any]

# A failing example is as good as the smallest one here.
settings.register_profile(
    "mutation", derandomize=True, database=None, deadline=None, max_examples=30, phases=(Phase.explicit, Phase.generate)
)
# A test or a seed with a mutant may take so many CPU seconds.
_MOST_OF_ONE = 15.0
# Tests that talk to another process, or over a socket, are slow, and have a twin that does not.
_SLOW = ("ministack", "loopback")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The file descriptors."""
    parser.addoption("--mutation-jobs", type=int, help="where jobs are read")
    parser.addoption("--mutation-answers", type=int, help="where answers are written")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave the slow tests out."""
    items[:] = [item for item in items if not any(word in item.nodeid or word in _fixtures(item) for word in _SLOW)]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Do jobs until there are no more."""
    bugs._import_all()  # noqa: SLF001 - a module first imported in a fork would be imported in each
    functions_of_program()
    gc.collect()
    gc.freeze()
    worker = _Worker({item.nodeid: item for item in session.items})
    with (
        os.fdopen(session.config.getoption("--mutation-jobs")) as jobs,
        os.fdopen(session.config.getoption("--mutation-answers"), "w") as answers,
    ):
        answers.write(json.dumps({"tests": list(worker.items)}) + "\n")
        answers.flush()
        for line in jobs:
            answers.write(json.dumps(worker.do(json.loads(line))) + "\n")
            answers.flush()
    return True


class _Worker:
    """Does one job after the other."""

    def __init__(self, items: Mapping[str, pytest.Item]) -> None:
        self.items = items
        # Of the tests and seeds that have failed with a mutant, whether they pass without it.
        self._pass: dict[Any, bool] = {}
        # Read now: the files may change while the worker works, and the imported modules do not.
        self._sources = {name: MutatedModule(name) for name in MONEY_MODULES}

    def do(self, job: Job) -> Answer:
        kinds: dict[str, Callable[[Job], Answer]] = {
            "map": lambda job: self._traced(job, self._test_of, job["tests"]),
            "map seeds": lambda job: self._traced(job, lambda seed: partial(_violation, seed), job["seeds"]),
            "tests": lambda job: self._mutant(job, self._test_of, job["tests"]),
            "seeds": lambda job: self._mutant(job, lambda seed: partial(_violation, seed), job["seeds"]),
        }
        return kinds[job["do"]](job)

    def _mutant(self, job: Job, runner: Callable[[Any], Callable[[], str]], names: list[Any]) -> Answer:
        """Run the mutant's tests until one fails; that one must pass without the mutant, or it is left out."""
        source = self._sources[job["module"]]
        mutant, cpu = source.mutants[job["key"]], 0.0
        while True:
            done = in_fork(
                partial(_first_failure, source, mutant, [(name, runner(name)) for name in names]), job["limit"]
            )
            cpu += done.cpu
            if done.answer is None:
                return {"verdict": "killed", "by": "no end within the limits", "cpu": cpu}
            failed = done.answer.get("failed")
            if failed is None:
                return {"verdict": "survived", "by": "", "passed": len(names), "cpu": cpu, **done.answer}
            if failed not in self._pass:
                control = in_fork(partial(_control, runner(failed)), job["limit"])
                cpu += control.cpu
                self._pass[failed] = control.answer == {"failed": ""}
            if self._pass[failed]:
                return {"verdict": "killed", "by": str(failed), "how": done.answer["how"], "cpu": cpu}
            names = [name for name in names if name != failed]

    def _test_of(self, node: str) -> Callable[[], str]:
        return partial(_failure, self.items[node])

    def _traced(self, job: Job, runner: Callable[[Any], Callable[[], str]], names: list[Any]) -> Answer:
        done = in_fork(lambda: {"runs": list(_trace(names, runner))}, job["limit"])
        return {"cpu": done.cpu, **(done.answer or {"runs": []})}


def _trace(names: list[Any], runner: Callable[[Any], Callable[[], str]]) -> Iterator[Answer]:
    tracer = LineTracer()
    tracer.start()
    for name in names:
        tracer.restart()
        started = time.process_time()
        failure = runner(name)()
        lines = {module: f"{number:x}" for module, number in tracer.lines().items()}
        yield {"name": name, "seconds": round(time.process_time() - started, 4), "failure": failure, "lines": lines}


def _first_failure(source: MutatedModule, mutant: Any, runs: list[tuple[Any, Callable[[], str]]]) -> Answer:
    try:
        plant(source, mutant)
    except SameCode:
        return {"verdict": "same code"}
    except NotPlanted:
        return {"verdict": "not planted"}
    except Exception as error:  # noqa: BLE001 - whatever it is, the module could not be imported with it
        return {"verdict": "killed", "by": "importing the module", "how": type(error).__name__}
    for name, run in runs:
        # An endless loop is not given the time of all the tests: this signal ends the process.
        signal.setitimer(signal.ITIMER_PROF, _MOST_OF_ONE)
        how = run()
        if how:
            return {"failed": name, "how": how}
    return {}


def _control(run: Callable[[], str]) -> Answer:
    return {"failed": run()}


def _failure(item: pytest.Item) -> str:
    """What fails in a test; empty if it passes."""
    item._initrequest()  # type: ignore[attr-defined]  # noqa: SLF001 - an item runs more than once
    reports = runtestprotocol(item, log=False, nextitem=None)
    return next((report.when for report in reports if report.failed), "")


def _violation(seed: int) -> str:
    """The first invariant violated on a seed's day; empty if none is."""
    with quietly():
        try:
            violations = World(seed, quiet=True).run().violations
        except Exception as error:  # noqa: BLE001 - a day that does not come to its end is a failing one
            return f"day_not_run: {type(error).__name__}"
    return violations[0].partition(":")[0] if violations else ""


def _fixtures(item: pytest.Item) -> list[str]:
    return list(getattr(item, "fixturenames", ()))
