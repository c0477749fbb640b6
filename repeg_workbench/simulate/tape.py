"""The tape: a day's journal as readable lines."""

from __future__ import annotations

from collections.abc import Iterable

from repeg.domain.decision import Decision
from repeg.domain.journal import Entry
from repeg.domain.session import NEW_YORK

_SUBJECT, _VERB, _DETAIL = 9, 8, 24


# A partial fill does not end a hold; the same hold after it is not printed again.
_LEAVES_HOLD = frozenset({"fill"})

# Journalled for replay or publication only; their effects on each order are printed instead.
_UNPRINTED = frozenset({"accept", "check", "release", "held_long", "measure", "size"})


class Tape:
    """Collects a line for each journal entry, without repeated holds.

    A hold is printed if its order, its limit or its reason differs from the previous one.
    """

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._holds: dict[str, tuple[str, str]] = {}

    def see(self, entry: Entry) -> None:
        """Add one entry."""
        if self._is_news(entry):
            self.lines.append(_line(entry))

    def text(self) -> str:
        """The tape so far, with a newline after each line."""
        return "".join(f"{line}\n" for line in self.lines)

    def _is_news(self, entry: Entry) -> bool:
        if entry.verb in _UNPRINTED:
            return False
        if entry.verb != "hold":
            if entry.verb not in _LEAVES_HOLD:
                self._holds.pop(entry.subject, None)
            return True
        hold = (entry.detail, _why(entry))
        is_news = self._holds.get(entry.subject) != hold
        self._holds[entry.subject] = hold
        return is_news


def read(entries: Iterable[Entry]) -> str:
    """The tape of a whole journal."""
    tape = Tape()
    for entry in entries:
        tape.see(entry)
    return tape.text()


def _why(entry: Entry) -> str:
    """The reason that identifies a hold: the rule's one word, because its sentence contains the turn's prices."""
    return entry.answer.reason if isinstance(entry.answer, Decision) else entry.reason


def _line(entry: Entry) -> str:
    clock = f"{entry.at.astimezone(NEW_YORK):%H:%M:%S}"
    columns = f"{clock}  {entry.subject:<{_SUBJECT}} {entry.verb:<{_VERB}} {entry.detail:<{_DETAIL}}  {entry.reason}"
    return " ".join(columns.splitlines()).rstrip()
