"""A store, with the time of each intent, of each run's planning and of the start of its closing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from repeg.domain.intent import Intent
from repeg.domain.limits import BudgetEntry
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import Run, RunState
from repeg.domain.store_rules import Guard
from repeg.ports import Store
from repeg_workbench.twins.memory_store import MemoryStore


class WatchedStore:
    """Forwards to a store and records times on the world's clock, in nanoseconds. `on_planned` is called with the id of
    each run when its orders are written for the first time."""

    def __init__(self, now: Callable[[], int], inner: Store | None = None) -> None:
        self._now = now
        self._inner = inner or MemoryStore()
        self.written: dict[str, int] = {}
        self.closing: dict[str, int] = {}
        self.planned: dict[str, int] = {}
        self.on_planned: list[Callable[[str], None]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def add_orders(
        self, run_id: str, epoch: int, orders: Sequence[ParentOrder], planning_version: int | None = None
    ) -> Run:
        """As the store; records when the run was first planned."""
        run = self._inner.add_orders(run_id, epoch, orders, planning_version)
        if run_id not in self.planned:
            self.planned[run_id] = self._now()
            for listener in self.on_planned:
                listener(run_id)
        return run

    def write_intent(
        self, order: ParentOrder, intent: Intent, epoch: int, budgets: Sequence[BudgetEntry], funded_by: str = ""
    ) -> ParentOrder:
        """As the store; records when each intent was first written."""
        saved = self._inner.write_intent(order, intent, epoch, budgets, funded_by)
        self.written.setdefault(intent.client_order_id, self._now())
        return saved

    def set_run_state(self, run_id: str, epoch: int, state: RunState) -> Guard:
        """As the store; records when each run first left RUNNING, the only state in which it may trade."""
        guard = self._inner.set_run_state(run_id, epoch, state)
        if state is not RunState.RUNNING:
            self.closing.setdefault(run_id, self._now())
        return guard
