"""The transactions that write a run's orders, and the error that a failed condition means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from repeg.adapters.dynamodb import keys, rows
from repeg.adapters.dynamodb.encoding import Action, Check, Condition, Put, Row, Update
from repeg.adapters.dynamodb.order_write import refusal_of_run, run_is_unplanned
from repeg.adapters.dynamodb.table import TRANSACTION_LIMIT
from repeg.domain import store_rules
from repeg.domain.errors import RepegError
from repeg.domain.parent_order import ParentOrder

# The index of the planning version in each transaction; the run comes first.
_VERSION = 1
_PUTS = TRANSACTION_LIMIT - 2


@dataclass(frozen=True)
class PlanWrite:
    """The orders of a run that is not planned yet.

    `version` is the day's planning version that they were sized at; None if they do not depend on it. The last
    transaction marks the run as planned and increments the day's version.
    """

    run_id: str
    epoch: int
    day: date
    orders: Sequence[ParentOrder]
    version: int | None

    @property
    def transactions(self) -> Iterator[list[Action]]:
        """All orders in one transaction if they fit; else in several, each under the same conditions.

        An order that an interrupted attempt has written is written again: it may have been sized before another run.
        """
        puts = [Put(rows.order_row(order)) for order in self.orders]
        last = max(0, (len(puts) - 1) // _PUTS * _PUTS)
        for start in range(0, last, _PUTS):
            yield [*self._conditions, *puts[start : start + _PUTS]]
        yield [*self._completion, *puts[last:]]

    def refusal(self, found: Mapping[int, Row | None]) -> RepegError | None:
        """The error that the failed conditions mean; None if another attempt has planned the run meanwhile."""
        if _VERSION in found and self.version is not None and 0 not in found:
            return store_rules.moved_planning(self.day, rows.read_version(found[_VERSION]) or 0, self.version)
        return refusal_of_run(self.run_id, self.epoch, found)

    @property
    def _conditions(self) -> list[Action]:
        checks: list[Action] = [run_is_unplanned(self.run_id, self.epoch)]
        is_unmoved = self._is_unmoved
        return checks if is_unmoved is None else [*checks, Check(keys.planning_key(self.day), is_unmoved)]

    @property
    def _completion(self) -> list[Action]:
        run = run_is_unplanned(self.run_id, self.epoch)
        return [
            Update(run.key, "SET #is_planned = :yes", {"yes": True}, run.condition),
            Update(keys.planning_key(self.day), "ADD #version :one", {"one": 1}, self._is_unmoved),
        ]

    @property
    def _is_unmoved(self) -> Condition | None:
        if self.version is None:
            return None
        if self.version == 0:
            return Condition("attribute_not_exists(#version)")
        return Condition("#version = :read", {"read": self.version})
