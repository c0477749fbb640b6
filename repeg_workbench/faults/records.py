"""What is kept of a seed: its journal, what was published, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from repeg.domain.journal import Entry


class MemoryJournal:
    """Keeps the story of a seed, to be told if it fails."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def record(self, entry: Entry) -> None:
        """Add one entry."""
        self.entries.append(entry)


class QuietNotifier:
    """Keeps what was published."""

    def __init__(self) -> None:
        self.published: list[tuple[str, dict[str, Any]]] = []

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        """Keep one event."""
        self.published.append((kind, detail))


@dataclass
class Result:
    """What a seed came to."""

    seed: int
    violations: list[str]
    statuses: list[str]
    path: list[str]
    orders: int
    fills: int
    injected: dict[str, int]
    calls: int
    journal: list[Entry]
    outcomes: list[str]
    causes: list[str]
