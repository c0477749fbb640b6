"""Keeps every journal entry of a step in memory, and stores them as one object a run when the step ends."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Protocol

from repeg.domain.journal import Entry
from repeg.domain.journal_file import StepName, encode, key_of
from repeg.ports import Journal

# A step waits at most this long for its journal to be stored. What is not stored by then is lost.
PATIENCE_SECONDS = 3.0

# A step keeps at most so many entries in memory, a few hundred bytes each.
MOST_ENTRIES = 20_000


class Objects(Protocol):
    """Where objects are stored."""

    def put(self, key: str, body: bytes) -> None:
        """Store one object. May raise anything, and may take any time."""


class DurableJournal:
    """A Journal that passes entries on and keeps them until `flush`. Safe for threads.

    Nothing that it does can stop an order: `record` only adds to a list, and `flush`, after the step's work, neither
    raises nor waits for long. What it loses it counts.
    """

    def __init__(self, journal: Journal, objects: Objects, count: Callable[[str, int], None]) -> None:
        self._journal = journal
        self._objects = objects
        self._count = count
        self._lock = threading.Lock()
        self._entries: list[Entry] = []
        self._dropped = 0

    def record(self, entry: Entry) -> None:
        """Keep one entry and pass it on; the inner journal's failure is its own."""
        with self._lock:
            if len(self._entries) < MOST_ENTRIES:
                self._entries.append(entry)
            else:
                self._dropped += 1
        self._journal.record(entry)

    def flush(self, function: str, invocation: str, seconds_left: float) -> None:
        """Store what has been recorded since the last call, one object for each run. Never raises.

        `seconds_left` is what the function's time limit leaves: a step must not be cut off for its journal.
        """
        with self._lock:
            entries, dropped = self._entries, self._dropped
            self._entries, self._dropped = [], 0
        if not entries:
            return
        by_run: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            by_run[entry.run_id].append(entry)
        stored: list[int] = []
        failures = [f"not stored within {PATIENCE_SECONDS:g} seconds"]

        def store() -> None:
            for run_id, own in by_run.items():
                step = StepName(run_id, function, own[0].at, invocation)
                try:
                    self._objects.put(key_of(step), encode(step, own, dropped=dropped))
                    stored.append(len(own))
                except Exception as error:  # noqa: BLE001 - whatever the store does, the step has done its work
                    failures[:] = [f"{type(error).__name__}: {error}"]

        if seconds_left > 2 * PATIENCE_SECONDS:
            # In a thread, because no timeout of a client covers the whole of a request. It ends with the process.
            storing = threading.Thread(target=copy_context().run, args=(store,), name="journal", daemon=True)
            storing.start()
            storing.join(PATIENCE_SECONDS)
        else:
            failures = [f"{seconds_left:.1f} seconds before the function's time limit"]
        lost = len(entries) + dropped - sum(stored)
        if lost:
            self._count("JournalLost", lost)
            self._warn(entries[-1], lost, failures[0] if len(entries) > sum(stored) else f"over {MOST_ENTRIES} entries")

    def _warn(self, last: Entry, lost: int, reason: str) -> None:
        """Write the reason to the log, which needs no store."""
        with suppress(Exception):
            self._journal.record(
                Entry(last.at, last.run_id, "journal", "lost", f"{lost} entries", reason, is_abnormal=True)
            )
