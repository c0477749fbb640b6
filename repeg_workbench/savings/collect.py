"""The measured orders of many runs, from their journals, and everything that is missing or left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from pydantic import ValidationError

from repeg.adapters.journal.files import Journalled, StepJournal
from repeg.domain.journalled_rules import OBSERVATION, QUOTE_CHECK, decide_again
from repeg.domain.observed import ObservedOrder
from repeg.domain.plan import day_of

Line = tuple[str, str]
"""A line of a plan: its run and its symbol."""


@dataclass
class Collected:
    """`orders` are the measurements, the last one of each order; `drawn` the orders that a journal shows as drawn, with
    their arms; `problems` say what could not be read."""

    orders: dict[Line, ObservedOrder] = field(default_factory=dict)
    drawn: dict[Line, str] = field(default_factory=dict)
    runs: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)
    _measured_at: dict[Line, datetime] = field(default_factory=dict)

    @property
    def unmeasured(self) -> dict[Line, str]:
        """The drawn orders whose run's end is not among what was read."""
        return {line: arm for line, arm in sorted(self.drawn.items()) if line not in self.orders}

    def read(self, steps: Iterable[StepJournal], since: date | None = None) -> None:
        """Add the journals of steps; of runs before a date nothing is added."""
        for step in steps:
            self.problems += [f"{step.key}: {problem}" for problem in step.problems]
            for journalled in step.entries:
                run_id = journalled.entry.run_id
                if since is None or _day(run_id) is None or (_day(run_id) or since) >= since:
                    self._add(step.key, run_id, journalled)

    def _add(self, key: str, run_id: str, journalled: Journalled) -> None:
        entry, line = journalled.entry, (run_id, journalled.entry.subject)
        if run_id:
            self.runs.add(run_id)
        arm = journalled.answer.get("arm") if isinstance(journalled.answer, dict) else None
        if entry.rule == QUOTE_CHECK and entry.verb == "accept" and arm:
            self.drawn.setdefault(line, str(arm))
        if entry.rule != OBSERVATION or self._measured_at.get(line, entry.at) > entry.at:
            return
        measured = _measured(journalled.inputs)
        if measured is None:
            self.problems.append(f"{key}: the measurement of {entry.subject} is not readable by this release")
            return
        self._measured_at[line] = entry.at
        self.orders[line] = measured


def remarks(collected: Collected) -> Iterator[str]:
    """What a reader has to know before the figures, in sentences."""
    runs = {order.run_id for order in collected.orders.values()}
    for run_id in sorted(runs):
        mine = [order for order in collected.orders.values() if order.run_id == run_id and not order.is_preview]
        if mine and not any(order.filled for order in mine):
            yield f"{run_id}: nothing was filled; its drawn orders count as drawn."
        if any(order.off_session for order in mine):
            named = ", ".join(order.symbol for order in mine if order.off_session)
            yield f"{run_id}: {named} traded outside of the core session, and is left out."
        drawn = [order for order in mine if order.arm is not None]
        if drawn and all(order.share >= 1 for order in drawn):
            yield f"{run_id}: every order was drawn for control (control_share=1), so there is nothing to compare with."
    unmeasured = collected.unmeasured
    for run_id in sorted({run_id for run_id, _ in unmeasured}):
        lines = [f"{symbol} ({arm})" for (run, symbol), arm in unmeasured.items() if run == run_id]
        yield (
            f"{run_id}: the end of the run is not in its journal; what became of {', '.join(lines)} is not known, "
            "and they are left out although they were drawn."
        )
    for run_id in sorted(collected.runs - runs - {run_id for run_id, _ in unmeasured}):
        yield f"{run_id}: no measurement in its journal: it placed no order, or an earlier release closed it."


def _measured(inputs: Any) -> ObservedOrder | None:
    try:
        found = decide_again(OBSERVATION, inputs)
    except (KeyError, TypeError, ValueError, ValidationError):
        return None
    return found if isinstance(found, ObservedOrder) else None


def _day(run_id: str) -> date | None:
    try:
        return day_of(run_id)
    except ValueError:
        return None
