"""Violations, as both judges report them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from repeg_workbench.faults.judges.placed import Parent
from repeg_workbench.faults.judges.record import SECOND


@dataclass(frozen=True)
class Violation:
    """A violated rule: its name, when (0: at the end of the day), which order or run it concerns, and what was seen."""

    name: str
    at: int
    subject: str
    observed: str = ""

    def __str__(self) -> str:
        when = f" at {self.at / SECOND:.3f}" if self.at else ""
        return f"{self.name}: {self.subject}{when} {self.observed}".rstrip()


class LinesJudge(Protocol):
    """A part of the first judge that judges the lines of plans: their orders, and the runs that they are of."""

    found: list[Violation]

    def judge(self, parents: Iterable[Parent], /) -> None:
        """Judge every line; what is violated is in `found`."""
