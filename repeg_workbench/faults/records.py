"""Records of one seed: its journal, its published events, its violations and its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from repeg.domain.journal import Entry


class MemoryJournal:
    """A Journal that keeps every entry, for the report of a failed seed."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def record(self, entry: Entry) -> None:
        """Add one entry."""
        self.entries.append(entry)


class QuietNotifier:
    """A Notifier that keeps every event."""

    def __init__(self) -> None:
        self.published: list[tuple[str, dict[str, Any]]] = []

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        """Keep one event."""
        self.published.append((kind, detail))


@dataclass
class Result:
    """The result of a seed's day."""

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
