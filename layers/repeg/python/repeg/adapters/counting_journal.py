"""Counts decisions in metrics as they are journalled."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from repeg.domain.journal import Entry
from repeg.domain.journalled_rules import QUOTE_CHECK
from repeg.domain.quote import QuoteVerdict
from repeg.domain.quote_check import QuoteCheck
from repeg.ports import Journal

# The metric of each verb that is counted, and of each verdict on a quote that holds an order.
VERBS = {"fill": "Fills", "move": "Moves", "cross": "Crosses"}
HOLDS: Mapping[QuoteVerdict, str] = {
    verdict: f"Held{''.join(word.title() for word in verdict.split('_'))}"
    for verdict in QuoteVerdict
    if verdict is not QuoteVerdict.OK
}


class CountingJournal:
    """A Journal that counts what it passes on to another one: fills, moves, and holds by the reason of the quote."""

    def __init__(self, journal: Journal, count: Callable[[str, int], None]) -> None:
        self._journal = journal
        self._count = count

    def record(self, entry: Entry) -> None:
        """Record one entry, and count it if it is one of those."""
        self._journal.record(entry)
        metric = VERBS.get(entry.verb) or _hold(entry)
        if metric is not None:
            self._count(metric, 1)


def _hold(entry: Entry) -> str | None:
    """The metric of a hold that a quote check decided."""
    if entry.rule != QUOTE_CHECK or entry.verb != "hold" or not isinstance(entry.answer, QuoteCheck):
        return None
    return HOLDS.get(entry.answer.gate)
