"""Gives each event its schema, its id, the mode and the stack, and a text for people."""

from __future__ import annotations

from typing import Any

from repeg.domain.notice import described
from repeg.ports import Notifier


class DescribingNotifier:
    """A Notifier that completes each event before another one publishes it."""

    def __init__(self, notifier: Notifier, stack: str, *, is_live: bool) -> None:
        self._notifier = notifier
        self._stack = stack
        self._is_live = is_live

    def publish(self, kind: str, detail: dict[str, Any]) -> None:
        """Publish one event, completed."""
        self._notifier.publish(kind, described(kind, detail, is_live=self._is_live, stack=self._stack))
