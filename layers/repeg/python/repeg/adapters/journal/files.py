"""One step's journal file, read back: its entries, and what is wrong with the file."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from repeg.domain.journal import Entry
from repeg.domain.journal_file import SCHEMA
from repeg.domain.journalled_rules import answer_of

_GZIP = 31  # zlib's window for a gzip header and trailer
_CHUNK = 1_024  # what is read of a damaged file ends within so many bytes of the damage


class Journalled(NamedTuple):
    """An entry as it was recorded, and its decision's inputs and answer as JSON values.

    The entry has the answer as a model where this release knows the rule, and no inputs: those are for
    `journalled_rules.decide_again`.
    """

    entry: Entry
    inputs: Mapping[str, Any]
    answer: Any


@dataclass
class StepJournal:
    """The journal of one step. `problems` say, in words, what is missing from it or could not be read."""

    key: str
    run_id: str = ""
    function: str = ""
    invocation: str = ""
    began: datetime | None = None
    entries: list[Journalled] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_file(key: str, body: bytes) -> StepJournal:
    """Read a file as far as it goes. Never raises: what cannot be read is a problem of the file."""
    step = StepJournal(key)
    text, is_whole = _decompressed(body)
    lines = text.split("\n")
    if lines[-1]:
        lines.pop()  # cut off in the middle
    parsed = [_parsed(line) for line in lines if line]
    header = parsed[0] if parsed else None
    if not isinstance(header, dict) or "schema" not in header:
        step.problems.append("it has no header: nothing of it can be read")
        return step
    if header["schema"] != SCHEMA:
        step.problems.append(f"its schema is {header['schema']}; this release reads {SCHEMA}")
        return step
    step.run_id, step.function = str(header.get("run_id", "")), str(header.get("function", ""))
    step.invocation, step.began = str(header.get("invocation", "")), _instant(header.get("began"))
    _Reader(step).read(parsed[1:])
    if not is_whole:
        step.problems.append(f"it was cut off after {len(step.entries)} entries")
    return step


def entry_of(line: dict[str, Any], run_id: str, raw: Any) -> Entry:
    """The entry of a line. Raises KeyError, TypeError, ValueError or AttributeError for one that is none."""
    at = datetime.fromisoformat(line["at"])
    texts = (run_id, line["subject"], line["verb"], *(line.get(name, "") for name in ("detail", "reason", "rule")))
    "".join(texts).encode()  # what is no text, or no Unicode, is no entry
    if at.tzinfo is None:
        raise ValueError("an entry has a time with its zone")
    return Entry(
        at, run_id, line["subject"], line["verb"],
        line.get("detail", ""), line.get("reason", ""), line.get("rule", ""),
        answer=_answer(line.get("rule", ""), raw), is_abnormal=bool(line.get("is_abnormal")),
    )  # fmt: skip


class _Reader:
    """Reads the lines after the header."""

    def __init__(self, step: StepJournal) -> None:
        self._step = step
        self._values: dict[int, Any] = {}
        self._bad = 0
        self._footer: dict[str, Any] | None = None

    def read(self, lines: list[Any]) -> None:
        for line in lines:
            if not isinstance(line, dict) or self._footer is not None:
                self._bad += 1
            elif isinstance(line.get("value"), int):
                self._values[line["value"]] = line.get("is")
            elif isinstance(line.get("entries"), int):
                self._footer = line
            else:
                self._add(line)
        self._step.problems += self._problems()

    def _add(self, line: dict[str, Any]) -> None:
        try:
            inputs = {name: self._value(number) for name, number in line.get("inputs", {}).items()}
            raw = self._value(line.get("answer"))
            entry = entry_of(line, self._step.run_id, raw)
        except (KeyError, TypeError, ValueError, AttributeError):
            self._bad += 1
            return
        self._step.entries.append(Journalled(entry, inputs, raw))

    def _value(self, number: int | None) -> Any:
        return None if number is None else self._values[number]

    def _problems(self) -> Iterator[str]:
        if self._bad:
            yield f"{self._bad} of its lines could not be read"
        if self._footer is None:
            yield "it has no footer: the step's last entries may be missing"
            return
        missing = self._footer["entries"] - len(self._step.entries)
        if missing:
            yield f"{missing} of its {self._footer['entries']} entries are missing"
        if self._footer.get("dropped"):
            yield f"the step dropped {self._footer['dropped']} entries"


def _decompressed(body: bytes) -> tuple[str, bool]:
    """The text as far as it can be decompressed, and whether that is all of it."""
    inflate = zlib.decompressobj(_GZIP)
    parts, is_whole = list[bytes](), True
    try:
        # What comes before the damage stays in the list.
        parts.extend(inflate.decompress(body[start : start + _CHUNK]) for start in range(0, len(body), _CHUNK))
    except zlib.error:
        is_whole = False
    return b"".join(parts).decode(errors="ignore"), is_whole and inflate.eof


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _instant(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None


def _answer(rule: str, raw: Any) -> BaseModel | None:
    """The answer as a model; None for an observation, and for a rule or an answer that this release does not know."""
    try:
        return answer_of(rule, raw) if rule and raw is not None else None
    except (KeyError, ValidationError):
        return None
