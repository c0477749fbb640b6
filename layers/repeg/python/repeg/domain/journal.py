"""The journal: every decision with its reason and its inputs, one entry a decision."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Entry:
    """Something decided or seen. `subject` is a symbol or a part of the run (`session`, `run`).

    `rule` names the pure function that decided, and `inputs` are its arguments, so that the same question can be put
    again; both are empty where something was only seen (a fill, an answer of the broker).
    """

    at: datetime
    run_id: str
    subject: str
    verb: str
    detail: str = ""
    reason: str = ""
    rule: str = ""
    inputs: Mapping[str, BaseModel | None] = field(default_factory=dict)
    answer: BaseModel | None = None

    def line(self) -> str:
        """The entry as one line of JSON. Serialised only when somebody keeps it: most holds are never looked at."""
        return json.dumps(
            {
                "at": self.at.isoformat(),
                "run_id": self.run_id,
                "subject": self.subject,
                "verb": self.verb,
                "detail": self.detail,
                "reason": self.reason,
                "rule": self.rule,
                "inputs": {name: _json(value) for name, value in self.inputs.items()},
                "answer": _json(self.answer),
            },
            separators=(",", ":"),
        )


def _json(value: BaseModel | None) -> object:
    return None if value is None else value.model_dump(mode="json")
