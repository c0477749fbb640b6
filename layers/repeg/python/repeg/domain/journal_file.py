"""The file of one step's journal: lines of JSON, compressed, with a header and a footer.

The header names the schema, the run and the step. A value that a decision was made from (a quote, an order, the
settings) stands once, on a line of its own before the first entry that uses it; entries refer to it by its number. The
footer counts the entries, so that a file without one was cut off.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from pydantic import BaseModel

from repeg.domain.journal import Entry
from repeg.domain.plan import day_of

# Raised when a line changes its meaning; a new field does not change it.
SCHEMA = 1

# Speed matters more than size: a step waits for it.
_LEVEL = 3


class StepName(NamedTuple):
    """A step of a run: its function, when it began by our own clock, and the id of its invocation."""

    run_id: str
    function: str
    began: datetime
    invocation: str


def prefix_of(run_id: str) -> str:
    """What the keys of a run's files begin with. They sort by the time at which their steps began."""
    try:
        day = day_of(run_id).isoformat()
    except ValueError:
        day = "none"
    return f"journal/{day}/{run_id or 'none'}/"


def key_of(step: StepName) -> str:
    """The key of a step's file: run, time, function, invocation."""
    began = step.began.astimezone(UTC)
    return f"{prefix_of(step.run_id)}{began:%Y%m%dT%H%M%S.%fZ}-{step.function}-{step.invocation}.jsonl.gz"


def encode(step: StepName, entries: Sequence[Entry], *, dropped: int = 0) -> bytes:
    """The compressed file of a step. `dropped` counts the entries that it should have had and has not."""
    text = "".join(f"{line}\n" for line in _lines(step, entries, dropped))
    return gzip.compress(text.encode(), _LEVEL, mtime=0)


def _lines(step: StepName, entries: Sequence[Entry], dropped: int) -> Iterator[str]:
    began = step.began.astimezone(UTC).isoformat()
    header = {"schema": SCHEMA, "run_id": step.run_id, "function": step.function, "began": began}
    yield _json({**header, "invocation": step.invocation})
    values = _Values()
    for entry in entries:
        inputs = {name: values.number(value) for name, value in entry.inputs.items()}
        answer = values.number(entry.answer)
        yield from values.fresh()
        fields = {"at": entry.at.isoformat(), "subject": entry.subject, "verb": entry.verb}
        optional = {"detail": entry.detail, "reason": entry.reason, "rule": entry.rule}
        fields |= {name: text for name, text in optional.items() if text}
        decided = {"inputs": inputs, "answer": answer} if entry.rule else {}
        yield _json({**fields, **decided, **({"is_abnormal": True} if entry.is_abnormal else {})})
    yield _json({"entries": len(entries), "dropped": dropped})


class _Values:
    """Numbers the values of a file. Equal values get one number: looks of a turn share orders, settings and quotes."""

    def __init__(self) -> None:
        self._by_object: dict[int, int] = {}
        self._by_text: dict[str, int] = {}
        self._fresh: list[str] = []

    def number(self, value: BaseModel | None) -> int | None:
        """A value's number; None for no value. The caller keeps the value alive, which makes its identity unique."""
        if value is None:
            return None
        known = self._by_object.get(id(value))
        if known is None:
            known = self._by_object[id(value)] = self._number_of_text(value.model_dump_json())
        return known

    def fresh(self) -> Iterator[str]:
        """The lines of the values that have been numbered since the last call."""
        yield from self._fresh
        self._fresh.clear()

    def _number_of_text(self, text: str) -> int:
        known = self._by_text.get(text)
        if known is None:
            known = self._by_text[text] = len(self._by_text)
            self._fresh.append(f'{{"value":{known},"is":{text}}}')
        return known


def _json(fields: dict[str, object]) -> str:
    return json.dumps(fields, separators=(",", ":"))
