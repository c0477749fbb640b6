"""A plan between its file and its checks: lines with the place that each came from, and the plan's own fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

Kind = Literal["targets", "orders"]
# What a file calls its numbers: weights, nothing at all, or a word of its own.
Label = Literal["weight", "nothing", "other"]


class Line(NamedTuple):
    """A line of a plan. `place` is a row of a table, such as `row 3`, or a path of a document, such as
    `plan.orders[0]`; `values` are by the plan's own names: symbol, weight, side, qty, notional."""

    place: str
    values: Mapping[str, Any]

    def field(self, name: str) -> str:
        """The name of a field of this line in an error."""
        if self.place.startswith("plan.targets."):
            return self.place
        return f"{self.place}.{name}" if self.place.startswith("plan.") else f"{self.place}, {name}"


class Draft(NamedTuple):
    """A plan as its file has it, with the names of the plan's fields and the values as written.

    `label` is what the file calls its numbers; `is_percent` is true where the heading of the weights says percent.
    `has_points` is true where a point can only separate decimals; `other_numbers` are those of unused columns, which
    may tell how the file writes numbers. `is_signed` gives an order without a side the one of its sign.
    """

    kind: Kind
    lines: tuple[Line, ...]
    fields: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    label: Label = "weight"
    is_percent: bool = False
    has_points: bool = True
    other_numbers: tuple[str, ...] = ()
    is_signed: bool = False

    @property
    def is_table(self) -> bool:
        """Whether the lines are rows of a table."""
        return any(line.place.startswith("row ") for line in self.lines)

    def without(self, line: Line) -> Draft:
        """This plan less one of its lines."""
        return self._replace(lines=tuple(other for other in self.lines if other.place != line.place))


class Remarks:
    """What a reader changed, one sentence for each kind of change, with examples."""

    MOST = 8

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    def add(self, kind: str, example: str) -> None:
        """Remember an example of a kind of change."""
        examples = self._found.setdefault(kind, [])
        if example not in examples:
            examples.append(example)

    def sentences(self) -> tuple[str, ...]:
        """The kinds of changes, each with its first examples."""
        return tuple(f"{kind}: {_listed(examples, self.MOST)}" for kind, examples in self._found.items())


def _listed(examples: list[str], most: int) -> str:
    rest = len(examples) - most
    return ", ".join(examples[:most]) + (f" and {rest} more" if rest > 0 else "")
