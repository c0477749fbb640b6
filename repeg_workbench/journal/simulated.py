"""The journal of a simulated day: one file of lines, with a header, and a footer that seals what stands before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from repeg.adapters.journal.files import Journalled, StepJournal, entry_of
from repeg.domain.journal import Entry
from repeg.domain.journal_file import SCHEMA

_SCHEMA, _ENTRIES, _DIGEST = "schema", "entries", "sha256"


class JournalWriter:
    """Writes a day's journal, line by line as it is made. A file without `seal` is that of a day that did not end."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._entries = 0
        self._digest = hashlib.sha256()
        self._write(_json({_SCHEMA: SCHEMA}))

    def record(self, entry: Entry) -> None:
        """Add an entry."""
        self._entries += 1
        self._write(entry.line())

    def seal(self) -> None:
        """Add the footer: the number of entries, and the digest of all lines before it."""
        self._write(_json({_ENTRIES: self._entries, _DIGEST: self._digest.hexdigest()}))

    def _write(self, line: str) -> None:
        self._digest.update(f"{line}\n".encode())
        self._file.write(f"{line}\n")


def read_lines(key: str, body: bytes) -> StepJournal:
    """Read a day's journal as far as it goes. Never raises: what is missing or was edited is a problem of the file."""
    step = StepJournal(key)
    if not body:
        step.problems.append("it is empty")
        return step
    *lines, rest = body.split(b"\n")
    header = _fields(lines[:1])
    if header.get(_SCHEMA, SCHEMA) != SCHEMA:
        step.problems.append(f"its schema is {header[_SCHEMA]}; this release reads {SCHEMA}")
        return step
    footer = _fields(lines[-1:])
    has_header, has_footer = _SCHEMA in header, _ENTRIES in footer
    bad = _read(step, lines[has_header : len(lines) - has_footer])
    if not has_header:
        step.problems.append("it has no header: its beginning is missing, or an older release wrote it")
    if bad:
        step.problems.append(f"{bad} of its lines could not be read")
    if rest:
        step.problems.append("it was cut off in the middle of a line")
    elif not has_footer:
        step.problems.append("it has no footer: its last entries may be missing")
    else:
        step.problems += _against(footer, step, body[: -len(lines[-1]) - 1])
    return step


def _read(step: StepJournal, lines: Sequence[bytes]) -> int:
    """Add the entries of lines; returns how many could not be read."""
    bad = 0
    for line in map(_parsed, filter(None, lines)):
        try:
            inputs, raw = dict(line.get("inputs", {})), line.get("answer")
            step.entries.append(Journalled(entry_of(line, line["run_id"], raw), inputs, raw))
        except (KeyError, TypeError, ValueError, AttributeError):
            bad += 1
    return bad


def _against(footer: dict[str, Any], step: StepJournal, before: bytes) -> Iterator[str]:
    """What does not agree with the footer."""
    if footer.get(_DIGEST) == hashlib.sha256(before).hexdigest():
        return
    count = footer[_ENTRIES]
    missing = count - len(step.entries) if isinstance(count, int) else 0
    if missing > 0:
        yield f"{missing} of its {count} entries are missing"
    else:
        yield "it was edited: its lines are not those that its footer was made of"


def _fields(lines: Sequence[bytes]) -> dict[str, Any]:
    found = _parsed(lines[0]) if lines else None
    return found if isinstance(found, dict) else {}


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _json(fields: dict[str, object]) -> str:
    return json.dumps(fields, separators=(",", ":"))
