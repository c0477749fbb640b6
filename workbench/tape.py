"""The tape: a day's journal as lines that a person can read."""

from __future__ import annotations

from collections.abc import Iterable

from repeg.journal import Entry
from repeg.peg import Decision
from repeg.session import NEW_YORK

_SUBJECT, _VERB, _DETAIL = 9, 7, 24


class Tape:
    """Turns journal entries into lines, one by one.

    A hold is shown when it is news: the same order, at the same limit, held for the same reason is not.
    """

    def __init__(self) -> None:
        self._told: dict[str, tuple[str, str]] = {}

    def line(self, entry: Entry) -> str | None:
        """The entry's line; None where it says nothing new."""
        if entry.verb != "hold":
            if entry.verb not in _LEAVES_HOLD:
                self._told.pop(entry.subject, None)
            return _line(entry)
        hold = (entry.detail, _why(entry))
        if self._told.get(entry.subject) == hold:
            return None
        self._told[entry.subject] = hold
        return _line(entry)


def read(entries: Iterable[Entry]) -> str:
    """A whole day, a line for each entry that says something new."""
    tape = Tape()
    lines = (tape.line(entry) for entry in entries)
    return "".join(f"{line}\n" for line in lines if line is not None)


# A fill in part leaves an order where it is held: the same hold afterwards is no news.
_LEAVES_HOLD = frozenset({"fill"})


def _why(entry: Entry) -> str:
    """What a hold is recognised by: the rule's one word for it, for its sentence has the turn's prices in it."""
    return entry.answer.reason if isinstance(entry.answer, Decision) else entry.reason


def _line(entry: Entry) -> str:
    clock = f"{entry.at.astimezone(NEW_YORK):%H:%M:%S}"
    columns = f"{clock}  {entry.subject:<{_SUBJECT}} {entry.verb:<{_VERB}}{entry.detail:<{_DETAIL}}  {entry.reason}"
    return " ".join(columns.splitlines()).rstrip()
