"""The books of a run: its orders, intents and executions, as far as they can be read."""

from __future__ import annotations

from dataclasses import dataclass

from repeg.domain.broker import Execution
from repeg.domain.intent import Intent
from repeg.domain.parent_order import ParentOrder


@dataclass(frozen=True)
class Books:
    """A run's stored orders by symbol, intents by id and executions by time.

    `unreadable` names the rows that this release cannot read: they are missing from the rest.
    """

    orders: tuple[ParentOrder, ...]
    intents: tuple[Intent, ...]
    executions: tuple[Execution, ...]
    unreadable: tuple[str, ...] = ()
