"""The requests to cancel orders, as they left the program, and what it learned from their answers; and its marks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class SentCancel(NamedTuple):
    """A request to cancel the order with that id. `is_too_late`: its answer said that the order was not open."""

    at: int
    broker_id: str
    invocation: int
    is_too_late: bool = False


class Marked(NamedTuple):
    """An order that the program marked in its table, in that invocation, before it was to request the cancel."""

    at: int
    broker_id: str
    invocation: int


class SentCancels(list[SentCancel]):
    """Requests in the order in which they left the program."""

    def __init__(self, sent: Iterable[SentCancel] = ()) -> None:
        super().__init__(sent)
        self.marks: list[Marked] = []

    def mark(self, at: int, broker_ids: Iterable[str], invocation: int) -> None:
        """Keep the first mark of each order by an invocation."""
        known = {(mark.broker_id, mark.invocation) for mark in self.marks}
        self.marks += [Marked(at, each, invocation) for each in broker_ids if (each, invocation) not in known]

    def came_too_late(self, broker_id: str, invocation: int) -> None:
        """The answer to an invocation's latest request for an order said that the order was not open."""
        index = max(n for n, sent in enumerate(self) if (sent.broker_id, sent.invocation) == (broker_id, invocation))
        self[index] = self[index]._replace(is_too_late=True)

    def first(self, broker_id: str) -> SentCancel | None:
        """The first request for an order, if there was one."""
        return next((sent for sent in self if sent.broker_id == broker_id), None)
