"""The processes that do the work: each is a pytest that has collected the tests, and forks for each mutant."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from repeg_workbench.faults.commit import ROOT

# The fast tests of what is mutated. Whole simulated days are the seeds' part.
TESTS = (
    "tests/domain", "tests/plans", "tests/functions", "tests/guards", "tests/contracts", "tests/adapters",
    "tests/regressions",
)  # fmt: skip


class WorkerDied(Exception):
    """A worker has ended by itself; its log says why."""


class Worker:
    """One process. Its output goes to a log file."""

    def __init__(self, tests: Sequence[str], log: Path) -> None:
        jobs, self._writing = os.pipe()
        self._reading, answers = os.pipe()
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        plugin = ("-p", "no:cacheprovider", "-p", "no:randomly", "-p", "repeg_workbench.mutation.worker_plugin")
        pipes = ("--mutation-jobs", str(jobs), "--mutation-answers", str(answers))
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-s",
            *plugin,
            "--hypothesis-profile",
            "mutation",
            *pipes,
            *tests,
        ]
        with log.open("w") as output:
            self._process = subprocess.Popen(  # noqa: S603
                command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, pass_fds=(jobs, answers)
            )
        os.close(jobs)
        os.close(answers)
        self._jobs = os.fdopen(self._writing, "w")
        self._answers = os.fdopen(self._reading)
        self.tests: list[str] = self._answer()["tests"]

    def do(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Do one job and return its answer. Raises WorkerDied."""
        self._jobs.write(json.dumps(job) + "\n")
        self._jobs.flush()
        return self._answer()

    def close(self) -> None:
        """End the process."""
        self._jobs.close()
        self._answers.close()
        self._process.terminate()
        self._process.wait()

    def _answer(self) -> dict[str, Any]:
        line = self._answers.readline()
        if not line:
            raise WorkerDied(f"a worker has ended; see {self._log}")
        return dict(json.loads(line))


def work_off(
    workers: Sequence[Worker],
    jobs: Iterable[Mapping[str, Any]],
    done: Callable[[Mapping[str, Any], dict[str, Any]], None],
) -> None:
    """Give each job to the next free worker, and its answer to `done`, one at a time. The first error ends it."""
    waiting, lock = iter(jobs), threading.Lock()
    errors: list[Exception] = []

    def work(worker: Worker) -> None:
        while True:
            with lock:
                job = None if errors else next(waiting, None)
            if job is None:
                return
            try:
                answer = worker.do(job)
                with lock:
                    done(job, answer)
            except Exception as error:  # noqa: BLE001 - raised below, in the caller's thread
                errors.append(error)
                return

    threads = [threading.Thread(target=work, args=(worker,), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
