"""Runs a task in a fork of this process, within limits of time and memory, and returns its answer."""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import time
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
    """What became of a task: its answer, or None if its process was ended by a limit or died; and its CPU seconds."""

    answer: dict[str, Any] | None
    cpu: float


def in_fork(task: Callable[[], dict[str, Any]], cpu_limit: float) -> Forked:
    """Run a task in a forked process, which has ten times its limit of CPU seconds by the clock on the wall."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        os.close(reading)
        _run(task, writing, cpu_limit)
    os.close(writing)
    answer = _read(reading, time.monotonic() + 10 * cpu_limit)
    if answer is None:
        os.kill(process, signal.SIGKILL)
    _, _, used = os.wait4(process, 0)
    return Forked(json.loads(answer) if answer else None, round(used.ru_utime + used.ru_stime, 3))


def _run(task: Callable[[], dict[str, Any]], writing: int, cpu_limit: float) -> None:
    """In the forked process: never returns."""
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu_limit) + 1, int(cpu_limit) + 2))
    most = _reserved() + _MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    try:
        with os.fdopen(writing, "w") as pipe:
            json.dump(task(), pipe)
    finally:
        os._exit(0)


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
