"""Publishes the news of single orders that a step has journalled, together, when the step has ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from datetime import datetime
from typing import Any, Protocol

from repeg.domain.journal import Entry
from repeg.domain.order_news import OrderNews
from repeg.ports import Journal

# A step waits at most this long for its news to be published. What the bus has not accepted is published by the next
# step of the container.
PATIENCE_SECONDS = 3.0
MOST_WAITING = 2_000

Event = tuple[str, dict[str, Any]]


class EventBus(Protocol):
    """Takes events, several in a request."""

    def publish_all(self, events: Sequence[Event]) -> None:
        """Publish events, each at least once. Raises if the bus does not accept them all."""


class OrderEvents:
    """A Journal that publishes the news in the entries that it passes on. Safe for threads.

    The news of an order is published once by a container, under the same id by all of them. No order waits for it.
    """

    def __init__(
        self,
        journal: Journal,
        bus: EventBus,
        complete: Callable[[str, dict[str, Any]], dict[str, Any]],
        now: Callable[[], datetime],
    ) -> None:
        self._journal = journal
        self._bus = bus
        self._now = now
        self._complete = complete
        self._lock = threading.Lock()
        self._waiting: dict[str, OrderNews] = {}
        self._published: set[str] = set()

    def record(self, entry: Entry) -> None:
        """Pass one entry on, and keep its news."""
        self._journal.record(entry)
        news = entry.news
        with self._lock:
            if news is not None and news.event_id not in self._published and len(self._waiting) < MOST_WAITING:
                self._waiting[news.event_id] = news

    def flush(self, _function: str, _invocation: str, seconds_left: float) -> None:
        """Publish the news that waits. Never raises."""
        with self._lock:
            waiting = list(self._waiting.values())
        if not waiting or seconds_left <= 2 * PATIENCE_SECONDS:
            return
        failures = [f"not accepted within {PATIENCE_SECONDS:g} seconds"]

        def publish() -> None:
            try:
                self._bus.publish_all([(news.kind, self._detail(news)) for news in waiting])
                failures.clear()
            except Exception as error:  # noqa: BLE001 - whatever the bus does, the step has done its work
                failures[:] = [str(error)]

        publishing = threading.Thread(target=copy_context().run, args=(publish,), name="events", daemon=True)
        publishing.start()
        publishing.join(PATIENCE_SECONDS)
        if failures:
            self._warn(waiting[-1], len(waiting), failures[0])
            return
        with self._lock:
            self._published.update(news.event_id for news in waiting)
            for news in waiting:
                self._waiting.pop(news.event_id, None)

    def _detail(self, news: OrderNews) -> dict[str, Any]:
        return self._complete(news.kind, {"event_id": news.event_id, **news.model_dump(mode="json")})

    def _warn(self, last: OrderNews, count: int, reason: str) -> None:
        with suppress(Exception):
            self._journal.record(
                Entry(self._now(), last.run_id, "run", "unpublished", f"{count} events", reason, is_abnormal=True)
            )
