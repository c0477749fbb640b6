"""The table's twin, watched: when each intent was written, and when each run stopped taking any."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from repeg.domain.limits import BudgetEntry
from repeg.domain.parent_order import Intent, ParentOrder
from repeg.domain.run import Run, RunState
from repeg_workbench.twins.memory_store import MemoryStore


class WatchedStore(MemoryStore):
    """Answers as the twin does. Times are those of the world's clock, in nanoseconds."""

    def __init__(self, now: Callable[[], int]) -> None:
        super().__init__()
        self._now = now
        self.written: dict[str, int] = {}
        self.closing: dict[str, int] = {}

    def write_intent(
        self, order: ParentOrder, intent: Intent, epoch: int, budgets: Sequence[BudgetEntry]
    ) -> ParentOrder:
        """As the twin; remembers when an intent was first there."""
        saved = super().write_intent(order, intent, epoch, budgets)
        self.written.setdefault(intent.client_order_id, self._now())
        return saved

    def set_run_state(self, run_id: str, epoch: int, state: RunState) -> Run:
        """As the twin; remembers when a run first left the state in which it may trade."""
        run = super().set_run_state(run_id, epoch, state)
        if state is not RunState.RUNNING:
            self.closing.setdefault(run_id, self._now())
        return run
