"""Gives each event its schema, its id, the mode and the stack, and a text for people."""

from __future__ import annotations

from typing import Any

from repeg.domain.notice import described
from repeg.domain.page_address import PageAddress
from repeg.ports import Notifier


class DescribingNotifier:
    """A Notifier that completes each event before another one publishes it. `pages` is where runs' pages are."""

    def __init__(self, notifier: Notifier, stack: str, pages: PageAddress, *, is_live: bool) -> None:
        self._notifier = notifier
        self._stack = stack
        self._pages = pages
        self._is_live = is_live

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        """Publish one event, completed."""
        complete = described(kind, detail, is_live=self._is_live, stack=self._stack, pages=self._pages)
        self._notifier.publish(kind, complete)
