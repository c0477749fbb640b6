"""The tape: a day's journal as lines that a person can read."""

from __future__ import annotations

from collections.abc import Iterable

from repeg.domain.journal import Entry
from repeg.domain.peg import Decision
from repeg.domain.session import NEW_YORK

_SUBJECT, _VERB, _DETAIL = 9, 8, 24


# A fill in part leaves an order where it is held: the same hold afterwards is no news.
_LEAVES_HOLD = frozenset({"fill"})

# Kept in the journal so that they can be decided again; what comes of them is told order by order.
_UNTOLD = frozenset({"accept", "release"})


class Tape:
    """Takes journal entries as they come, and keeps a line of each that says something new.

    A hold is news when it holds another order, at another limit or for another reason than the one before.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._told: dict[str, tuple[str, str]] = {}

    def see(self, entry: Entry) -> None:
        """Take one entry."""
        if self._is_news(entry):
            self.lines.append(_line(entry))

    def text(self) -> str:
        """The tape so far, each line ended."""
        return "".join(f"{line}\n" for line in self.lines)

    def _is_news(self, entry: Entry) -> bool:
        if entry.verb in _UNTOLD:
            return False
        if entry.verb != "hold":
            if entry.verb not in _LEAVES_HOLD:
                self._told.pop(entry.subject, None)
            return True
        hold = (entry.detail, _why(entry))
        is_news = self._told.get(entry.subject) != hold
        self._told[entry.subject] = hold
        return is_news


def read(entries: Iterable[Entry]) -> str:
    """A whole day as text."""
    tape = Tape()
    for entry in entries:
        tape.see(entry)
    return tape.text()


def _why(entry: Entry) -> str:
    """What a hold is recognised by: the rule's one word for it, for its sentence has the turn's prices in it."""
    return entry.answer.reason if isinstance(entry.answer, Decision) else entry.reason


def _line(entry: Entry) -> str:
    clock = f"{entry.at.astimezone(NEW_YORK):%H:%M:%S}"
    columns = f"{clock}  {entry.subject:<{_SUBJECT}} {entry.verb:<{_VERB}} {entry.detail:<{_DETAIL}}  {entry.reason}"
    return " ".join(columns.splitlines()).rstrip()
