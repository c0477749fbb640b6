"""What the step that writes pages needs from the world: what runs have left, and where pages are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from repeg.domain.run_page.page import RunPage


class EndedRuns(Protocol):
    """What the stack's runs have left behind."""

    def page_of(self, run_id: str, kind: str) -> RunPage | None:
        """The page of a run, None if there is no such run. `kind` is that of the event which asks for it.

        What the event promises may not be stored yet: it is waited for, for some seconds. Raises StoreUnavailable.
        """


class Pages(Protocol):
    """Where pages are kept."""

    def put(self, page: RunPage) -> str:
        """Store a run's page in place of an earlier one; returns its key. Raises StoreUnavailable."""


@dataclass(frozen=True)
class PagePorts:
    """Everything that the step may touch. It has no broker, and writes nothing that a run reads."""

    runs: EndedRuns
    pages: Pages
