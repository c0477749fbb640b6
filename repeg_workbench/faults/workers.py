"""Worker processes: jobs worked off in parallel, with a sign of life every few seconds, and cut off at any time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

# At least this often there is a result or a None, so that the caller can print and save what there is.
BEAT_SECONDS = 2.0


def work_off(do: Callable[[Job], Result], jobs: Iterable[Job], processes: int) -> Iterator[Result | None]:
    """Each job's result, in the order in which they end; None after BEAT_SECONDS without one.

    A process that dies raises BrokenProcessPool instead of leaving its job undone.
    """
    waiting = iter(jobs)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawn, initializer=_begin_worker) as pool:
        running = {pool.submit(do, job) for job in islice(waiting, 2 * processes)}
        try:
            while running:
                done, running = wait(running, BEAT_SECONDS, FIRST_COMPLETED)
                running |= {pool.submit(do, job) for job in islice(waiting, len(done))}
                yield from (future.result() for future in done)
                if not done:
                    yield None
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Raise KeyboardInterrupt for SIGTERM as for Ctrl-C, so that both end with what has been counted so far."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _begin_worker() -> None:
    """Leave the end to the parent: an interrupt is the parent's to handle, and its death ends the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
