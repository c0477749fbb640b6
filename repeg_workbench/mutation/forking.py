"""Runs a task in a fork of this process, within limits of time and memory, and returns its answer."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# A mutant may loop for ever or fill the memory. Both end its process, and count as a difference that was seen. The
# memory is beside what its parent has reserved: a process that has compiled the replay has reserved gigabytes.
_MOST_MEMORY = 3 << 30
_PAGES = Path("/proc/self/statm")


@dataclass(frozen=True)
class Forked:
    """What became of a task: its answer and its CPU seconds.

    The answer is None if the task raised, or if its process was ended by a limit or died; `failure` says which.
    """

    answer: dict[str, Any] | None
    cpu: float
    failure: str = ""


def in_fork(task: Callable[[], dict[str, Any]], cpu_limit: float) -> Forked:
    """Run a task in a forked process, which has ten times its limit of CPU seconds by the clock on the wall."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        os.close(reading)
        _run(task, writing, cpu_limit)
    os.close(writing)
    written = _read(reading, time.monotonic() + 10 * cpu_limit)
    if written is None:
        os.kill(process, signal.SIGKILL)
    _, status, used = os.wait4(process, 0)
    cpu = round(used.ru_utime + used.ru_stime, 3)
    if not written:
        return Forked(None, cpu, f"exit status {os.waitstatus_to_exitcode(status)} after {cpu} s CPU")
    answer, failure = json.loads(written)
    return Forked(answer, cpu, failure)


def _run(task: Callable[[], dict[str, Any]], writing: int, cpu_limit: float) -> None:
    """In the forked process: never returns."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_limit) + 1, int(cpu_limit) + 2))
    most = _reserved() + _MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    try:
        with os.fdopen(writing, "w") as pipe:
            json.dump(_outcome(task), pipe)
    finally:
        os._exit(0)


def _outcome(task: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any] | None, str]:
    """The task's answer, or the traceback of what it raised."""
    try:
        return task(), ""
    except BaseException:  # noqa: BLE001 - whatever a mutant raises ends it
        return None, traceback.format_exc()


def _reserved() -> int:
    """Bytes of address space that this process has; 0 where the system does not say."""
    return int(_PAGES.read_text().split()[0]) * resource.getpagesize() if _PAGES.exists() else 0


def _read(reading: int, until: float) -> bytes | None:
    """All that the process writes; None if it is not at its end in time."""
    parts: list[bytes] = []
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                return None
            part = pipe.read(1 << 16)
            if not part:
                return b"".join(parts)
            parts.append(part)
