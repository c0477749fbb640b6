"""The tape: a day's journal as readable lines, with one line for a run of holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from repeg.domain.journal import Entry
from repeg.domain.session import NEW_YORK

_SUBJECT, _VERB, _DETAIL = 9, 8, 24

# A partial fill does not end a run of holds.
_LEAVES_HOLDS = frozenset({"fill"})

# Journalled for replay or publication only; their effects on each order are printed instead.
_UNPRINTED = frozenset({"accept", "check", "release", "held_long", "measure", "size"})

# A clause with a price, an amount or the two sides of a book differs at every look.
_VARIES = re.compile(r"[0-9×]")


class Tape:
    """Collects a line for each journal entry, and one for all holds of an order at the same limit.

    The line of a run of holds stands at its first one and says how many there were, until when, and for which reasons.
    A hold that an operator should see in the log is not joined with others, unless they repeat it word for word.
    """

    def __init__(self) -> None:
        self._lines: list[str | _Holds] = []
        self._open: dict[str, _Holds] = {}

    def see(self, entry: Entry) -> str:
        """Add one entry. Returns what a follower should print now: its line, or nothing if it only repeats a hold."""
        if entry.verb in _UNPRINTED:
            return ""
        if entry.verb == "hold":
            return _line(entry) if self._hold(entry) else ""
        if entry.verb not in _LEAVES_HOLDS:
            self._open.pop(entry.subject, None)
        self._lines.append(_line(entry))
        return _line(entry)

    def text(self) -> str:
        """The tape so far, with a newline after each line."""
        return "".join(f"{line}\n" for line in self._lines)

    def _hold(self, entry: Entry) -> bool:
        """Add a hold to its run; whether it begins one, or is the first of it for its reason."""
        current = self._open.get(entry.subject)
        if current is None or not current.continues(entry):
            current = self._open[entry.subject] = _Holds(entry, entry)
            self._lines.append(current)
        return current.add(entry)


@dataclass
class _Holds:
    """Successive holds of one order at the same limit."""

    first: Entry
    last: Entry
    reasons: Counter[str] = field(default_factory=Counter)

    def continues(self, entry: Entry) -> bool:
        """Whether an entry belongs to this run."""
        if self.first.is_abnormal or entry.is_abnormal:
            return (self.first.detail, self.first.reason) == (entry.detail, entry.reason)
        return self.first.detail == entry.detail

    def add(self, entry: Entry) -> bool:
        """Count an entry; whether its reason is new."""
        reason = _short(entry.reason)
        self.reasons[reason] += 1
        self.last = entry
        return self.reasons[reason] == 1

    def __str__(self) -> str:
        line, count = _line(self.first), self.reasons.total()
        if count == 1:
            return line
        reasons = ", ".join(f"{times} {reason}" for reason, times in self.reasons.most_common())
        of_which = f": {reasons}" if len(self.reasons) > 1 else ""
        return f"{line}; {count} holds until {_clock(self.last.at)}{of_which}"


def read(entries: Iterable[Entry]) -> str:
    """The tape of a whole journal."""
    tape = Tape()
    for entry in entries:
        tape.see(entry)
    return tape.text()


def _short(reason: str) -> str:
    """The part of a hold's reason that names its kind: the first clause without a number, or else the last one."""
    clauses = reason.split(", ")
    return next((clause for clause in clauses if not _VARIES.search(clause)), clauses[-1])


def _clock(at: datetime) -> str:
    return f"{at.astimezone(NEW_YORK):%H:%M:%S}"


def _line(entry: Entry) -> str:
    columns = f"{entry.subject:<{_SUBJECT}} {entry.verb:<{_VERB}} {entry.detail:<{_DETAIL}}  {entry.reason}"
    return " ".join(f"{_clock(entry.at)}  {columns}".splitlines()).rstrip()
