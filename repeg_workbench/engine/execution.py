"""What one execution did: its outcome, its history, and what it used of the service's limits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

PAYLOADS = ("input", "output", "parameters", "cause")


@dataclass(frozen=True)
class Execution:
    """One execution as it stands. `output` is parsed; `history` has the service's own event types and names."""

    arn: str
    name: str
    status: str
    input: Any
    output: Any
    error: str | None
    cause: str | None
    started: datetime
    stopped: datetime | None
    history: list[dict[str, Any]]

    @property
    def events(self) -> int:
        """History events used; 25,000 is the end."""
        return len(self.history)

    @cached_property
    def transitions(self) -> int:
        """State transitions as they are billed: every state entered, and every attempt of a task after the first."""
        kinds = [event["type"] for event in self.history]
        entered = sum(kind.endswith("StateEntered") for kind in kinds)
        attempts = sum(kind in ("TaskScheduled", "LambdaFunctionScheduled") for kind in kinds)
        retried = max(0, attempts - kinds.count("TaskStateEntered"))
        return int(entered) + retried

    @cached_property
    def largest_payload(self) -> int:
        """Bytes of the largest input or output in the history; 262,144 is the end."""
        return max((len(text.encode()) for event in self.history for text in _payloads(event)), default=0)

    @property
    def states(self) -> list[str]:
        """The names of the states that it entered, in order."""
        return [
            event["stateEnteredEventDetails"]["name"] for event in self.history if "stateEnteredEventDetails" in event
        ]

    @property
    def digest(self) -> str:
        """A hash of the whole history: equal for equal runs."""
        text = json.dumps(self.history, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def _payloads(event: dict[str, Any]) -> Iterator[str]:
    for details in event.values():
        if isinstance(details, dict):
            yield from (details[name] for name in PAYLOADS if isinstance(details.get(name), str))
