"""What an execution's tasks have used: each try from its scheduling to its end, and the list prices of us-east-1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

# Dollars of a state transition, of a GB-second and of a request of a function, and of one write or read of an item of
# a table on demand. A transaction costs two writes for each of its items; of those, the workflow has two at most.
TRANSITION, GB_SECOND, INVOCATION = 25e-6, 16.6667e-6, 0.2e-6
WRITE, READ = 0.625e-6, 0.125e-6
MEMORY_GB = 0.5

_CALLS: Mapping[str, float] = {
    "GetItem": READ, "Query": READ, "BatchGetItem": READ, "TransactGetItems": 2 * READ, "PutItem": WRITE,
    "UpdateItem": WRITE, "DeleteItem": WRITE, "BatchWriteItem": WRITE, "TransactWriteItems": 4 * WRITE,
}  # fmt: skip


class Attempt(NamedTuple):
    """One try of a task, from its scheduling to its end."""

    state: str
    began: datetime
    ended: datetime
    has_failed: bool

    @property
    def seconds(self) -> float:
        """Its duration in seconds."""
        return (self.ended - self.began).total_seconds()


def attempts(history: list[dict[str, Any]]) -> Iterator[Attempt]:
    """Every try of every task of an execution."""
    state, began = "", None
    for event in history:
        kind = event["type"]
        if kind == "TaskStateEntered":
            state = event["stateEnteredEventDetails"]["name"]
        elif kind == "TaskScheduled":
            began = datetime.fromisoformat(event["timestamp"])
        elif kind in {"TaskSucceeded", "TaskFailed", "TaskTimedOut"} and began is not None:
            yield Attempt(state, began, datetime.fromisoformat(event["timestamp"]), kind != "TaskSucceeded")
            began = None


def dollars(transitions: int, tries: int, seconds: float, calls: Mapping[str, int]) -> dict[str, float]:
    """What a run costs at AWS: its transitions, its functions' tries and seconds, and the table's calls by operation.

    Raises KeyError for an operation without a price.
    """
    return {
        "transitions": transitions * TRANSITION,
        "functions": tries * INVOCATION + seconds * MEMORY_GB * GB_SECOND,
        "table": sum(count * _CALLS[operation] for operation, count in calls.items()),
    }
