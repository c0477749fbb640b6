"""The in-memory store, with the time of each intent and of the start of each run's closing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from repeg.domain.intent import Intent
from repeg.domain.limits import BudgetEntry
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import RunState
from repeg.domain.store_rules import Guard
from repeg_workbench.twins.memory_store import MemoryStore


class WatchedStore(MemoryStore):
    """A MemoryStore that records times on the world's clock, in nanoseconds."""

    def __init__(self, now: Callable[[], int]) -> None:
        super().__init__()
        self._now = now
        self.written: dict[str, int] = {}
        self.closing: dict[str, int] = {}

    def write_intent(
        self, order: ParentOrder, intent: Intent, epoch: int, budgets: Sequence[BudgetEntry], funded_by: str = ""
    ) -> ParentOrder:
        """As MemoryStore; records when each intent was first written."""
        saved = super().write_intent(order, intent, epoch, budgets, funded_by)
        self.written.setdefault(intent.client_order_id, self._now())
        return saved

    def set_run_state(self, run_id: str, epoch: int, state: RunState) -> Guard:
        """As MemoryStore; records when each run first left RUNNING, the only state in which it may trade."""
        guard = super().set_run_state(run_id, epoch, state)
        if state is not RunState.RUNNING:
            self.closing.setdefault(run_id, self._now())
        return guard
