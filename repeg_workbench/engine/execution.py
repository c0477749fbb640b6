"""One execution: its outcome, its history, and its use of Step Functions' limits."""

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
    """The state of one execution. `output` is parsed JSON; `history` has Step Functions' own event types and names."""

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
        """History events used, of at most 25,000."""
        return len(self.history)

    @cached_property
    def transitions(self) -> int:
        """Billed state transitions: every state entered and every retry of a task."""
        kinds = [event["type"] for event in self.history]
        entered = sum(kind.endswith("StateEntered") for kind in kinds)
        attempts = sum(kind in ("TaskScheduled", "LambdaFunctionScheduled") for kind in kinds)
        retried = max(0, attempts - kinds.count("TaskStateEntered"))
        return int(entered) + retried

    @cached_property
    def largest_payload(self) -> int:
        """Bytes of the largest input or output in the history, of at most 262,144."""
        return max((len(text.encode()) for event in self.history for text in _payloads(event)), default=0)

    @property
    def states(self) -> list[str]:
        """The names of the states entered, in order."""
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
