"""The store in memory, with the table's versions, transactions and refusals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from repeg.domain import store_rules
from repeg.domain.books import Books
from repeg.domain.broker import Execution
from repeg.domain.errors import RepegError
from repeg.domain.intent import Intent
from repeg.domain.limits import BudgetEntry
from repeg.domain.parent_order import ParentOrder
from repeg.domain.report import Report
from repeg.domain.run import Run, RunState, may_become
from repeg.domain.time_limits import FUNDING_LEASE
from repeg_workbench.twins.memory_account import MemoryAccount
from repeg_workbench.twins.memory_rows import guard_of_run, in_state


class MemoryStore(MemoryAccount):
    """A Store for one thread at a time. The rows it returns are frozen. `needs_arming` is true for a live stack."""

    def __init__(self, *, needs_arming: bool = False) -> None:
        super().__init__(needs_arming=needs_arming)
        self._runs: dict[str, Run] = {}
        self._reports: dict[str, str] = {}
        self._orders: defaultdict[str, dict[str, ParentOrder]] = defaultdict(dict)
        self._intents: defaultdict[str, dict[str, Intent]] = defaultdict(dict)
        self._fills: defaultdict[str, dict[str, Execution]] = defaultdict(dict)
        self._spent: defaultdict[str, store_rules.Spent] = defaultdict(store_rules.Spent)
        self._plannings: defaultdict[date, int] = defaultdict(int)
        self._owned: dict[str, str] = {}
        self._turned: dict[str, datetime] = {}
        self._steps: defaultdict[str, int] = defaultdict(int)
        self._reconciled: set[str] = set()

    def claim_run(self, run: Run) -> Run:
        """Create the run. The same owner gets the existing row; another owner raises DuplicateRun."""
        self._runs.setdefault(run.run_id, run.with_report(None))
        held = self._existing(run.run_id)
        if held.owner != run.owner:
            raise store_rules.duplicate(run.run_id, held.owner)
        self._owned[run.owner] = run.run_id
        return held

    def run(self, run_id: str) -> Run | None:
        """The run, or None."""
        return self._existing(run_id) if run_id in self._runs else None

    def guard(self, run_id: str) -> store_rules.Guard | None:
        """The run's guard, or None."""
        if run_id not in self._runs:
            return None
        held = guard_of_run(self._existing(run_id))
        return replace(held, is_reconciled=run_id in self._reconciled, step=self._steps[run_id])

    def guard_of(self, owner: str) -> store_rules.Guard | None:
        """The guard of the run claimed or taken over by an execution, or None."""
        run_id = self._owned.get(owner)
        return None if run_id is None else self.guard(run_id)

    def guards_on(self, day: date) -> list[store_rules.Guard]:
        """The guard of every run of a trading date, sorted by id."""
        ids = [run_id for run_id, run in sorted(self._runs.items()) if run.trading_day.day == day]
        return [guard for guard in map(self.guard, ids) if guard is not None]

    def books(self, run_id: str) -> Books:
        """Every order, intent and execution of the run; all can be read."""
        return Books(tuple(self.orders(run_id)), tuple(self.intents(run_id)), tuple(self.executions(run_id)))

    def take_over(self, run_id: str, epoch: int, owner: str) -> store_rules.Guard:
        """Raise the epoch by one for a new owner; a repeated call by that owner has no effect. Raises Conflict."""
        held = self._existing(run_id)
        if held.epoch == epoch:
            self._owned[owner] = run_id
            return guard_of_run(self._change(held.held_by(owner, epoch + 1)))
        if (held.epoch, held.owner) != (epoch + 1, owner):
            raise store_rules.moved_run(run_id, guard_of_run(held), epoch)
        return guard_of_run(held)

    def set_run_state(self, run_id: str, epoch: int, state: RunState) -> store_rules.Guard:
        """Change the state of a run at that epoch. Raises Conflict if the transition is not allowed."""
        held = self._existing(run_id)
        if held.epoch != epoch or held.state not in may_become(state):
            raise store_rules.of_state_change(run_id, guard_of_run(held), epoch, state)
        return guard_of_run(self._change(in_state(held, state=state)))

    def save_report(self, run_id: str, report: Report) -> None:
        """Keep the report with the run; the last one wins. Raises Conflict where there is no such run."""
        self._existing(run_id)
        self._reports[run_id] = report.model_dump_json()

    def mark_announced(self, run_id: str) -> None:
        """Record that the run-ended event was published. Raises Conflict if there is no such run."""
        self._change(in_state(self._existing(run_id), is_announced=True))

    def mark_reconciled(self, run_id: str) -> None:
        """Record that the run's books equal the broker's. Raises Conflict if there is no such run."""
        self._reconciled.add(self._existing(run_id).run_id)

    def planning_version(self, day: date) -> int:
        """How often a run of this trading date has been planned."""
        return self._plannings[day]

    def add_orders(self, run_id: str, epoch: int, orders: Sequence[ParentOrder], version: int | None = None) -> Run:
        """Write the parent orders and mark the run as planned; a planned run is not changed. Raises Conflict."""
        store_rules.raise_if(self._refusal_of_run(run_id, epoch))
        held = self._existing(run_id)
        if held.is_planned:
            return held
        day = held.trading_day.day
        if version not in {None, self._plannings[day]}:
            raise store_rules.moved_planning(day, self._plannings[day], version or 0)
        self._plannings[day] += 1
        self._orders[run_id].update({order.symbol: order for order in orders})
        return self._change(in_state(held, is_planned=True))

    def orders(self, run_id: str) -> list[ParentOrder]:
        """Every parent order of the run, sorted by symbol."""
        return [order for _, order in sorted(self._orders[run_id].items())]

    def save_order(self, order: ParentOrder, budgets: Sequence[BudgetEntry] = ()) -> ParentOrder:
        """Write the order if its version is still current; returns it with the next version. Raises Conflict.

        The budgets change whatever their limits.
        """
        saved = order.next_version()
        found = self._orders[order.run_id].get(order.symbol)
        if found != saved:
            self._commit(order, found, [replace(entry, max_notional=None, max_orders=None) for entry in budgets])
        return saved

    def write_intent(
        self,
        order: ParentOrder,
        intent: Intent,
        epoch: int,
        budgets: Sequence[BudgetEntry],
        funded_by: str = "",
        step: int = 0,
    ) -> ParentOrder:
        """Write the intent, the order and the budgets in one transaction. Raises Conflict or RefusedRun."""
        self._require_trading(order, epoch, step)
        if self._needs_arming:
            store_rules.raise_if(store_rules.of_arming(self._armed_until, intent.decided_at))
        saved = order.next_version()
        there = self._intents[order.run_id].get(intent.client_order_id)
        found = self._orders[order.run_id].get(order.symbol)
        if there == intent and found == saved:
            return saved
        if funded_by:
            store_rules.raise_if(store_rules.of_funding(self._funding[0], funded_by))
        if there is not None:
            raise store_rules.other_intent(intent.client_order_id)
        self._commit(order, found, budgets)
        if funded_by:
            self._funding = (funded_by, intent.decided_at + FUNDING_LEASE)
        self._intents[order.run_id][intent.client_order_id] = intent
        return saved

    def reserve(self, order: ParentOrder, epoch: int, budgets: Sequence[BudgetEntry], step: int = 0) -> ParentOrder:
        """Write the order and commit budgets for its next child in one transaction. Raises Conflict or RefusedRun."""
        self._require_trading(order, epoch, step)
        found = self._orders[order.run_id].get(order.symbol)
        if found != order.next_version():
            self._commit(order, found, budgets)
        return order.next_version()

    def intents(self, run_id: str) -> list[Intent]:
        """Every intent of the run by its id."""
        return [intent for _, intent in sorted(self._intents[run_id].items())]

    def book(self, run_id: str, executions: Sequence[Execution]) -> list[Execution]:
        """Book executions by activity id, each once; returns the new ones."""
        booked = self._fills[run_id]
        new = {e.activity_id: e for e in executions if e.activity_id not in booked}
        booked.update(new)
        return list(new.values())

    def executions(self, run_id: str) -> list[Execution]:
        """Every booked execution of the run, by time."""
        return sorted(self._fills[run_id].values(), key=lambda e: (e.at, e.activity_id))

    def runs_on(self, day: date) -> list[Run]:
        """Every run of a trading date, sorted by id."""
        return [self._existing(guard.run_id) for guard in self.guards_on(day)]

    def take_step(self, run_id: str, epoch: int, at: datetime) -> int:
        """Record a turn of the run's next step; returns its number. Raises RefusedRun."""
        store_rules.raise_if(self._refusal_of_run(run_id, epoch))
        self._turned[run_id] = at
        self._steps[run_id] += 1
        return self._steps[run_id]

    def keep_step(self, run_id: str, epoch: int, step: int, at: datetime) -> None:
        """Record a further turn of the latest step. Raises Conflict or RefusedRun."""
        store_rules.raise_if(store_rules.of_step(run_id, self.guard(run_id), epoch, step))
        self._turned[run_id] = at

    def record_heartbeat(self, run_id: str, at: datetime) -> None:
        """Record the time of the run's latest turn."""
        self._turned[run_id] = at

    def last_turn(self, run_id: str) -> datetime | None:
        """The time of the run's latest turn, or None."""
        return self._turned.get(run_id)

    def spent(self, key: str) -> store_rules.Spent:
        """The amounts booked on a budget; not part of the port, for checks of the store."""
        return self._spent[key]

    def _existing(self, run_id: str) -> Run:
        if run_id not in self._runs:
            raise store_rules.no_such_run(run_id)
        report = self._reports.get(run_id)
        run = self._runs[run_id]
        return run if report is None else run.with_report(Report.model_validate_json(report))

    def _change(self, run: Run) -> Run:
        self._runs[run.run_id] = run.with_report(None)
        return self._existing(run.run_id)

    def _refusal_of_run(self, run_id: str, epoch: int) -> RepegError | None:
        run = self._runs.get(run_id)
        return store_rules.of_run(run_id, guard_of_run(run) if run else None, epoch)

    def _require_trading(self, order: ParentOrder, epoch: int, step: int) -> None:
        store_rules.raise_if(store_rules.of_step(order.run_id, self.guard(order.run_id), epoch, step))
        store_rules.raise_if(store_rules.of_kill_switch(self._kill_switch))

    def _commit(self, order: ParentOrder, found: ParentOrder | None, budgets: Sequence[BudgetEntry]) -> None:
        self._ensure_unmoved(order, found)
        for entry in budgets:
            store_rules.raise_if(store_rules.of_budget(entry, self._spent[entry.key]))
        for entry in budgets:
            spent = self._spent[entry.key]
            self._spent[entry.key] = store_rules.Spent(spent.notional + entry.notional, spent.orders + entry.orders)
        self._orders[order.run_id][order.symbol] = order.next_version()

    @staticmethod
    def _ensure_unmoved(order: ParentOrder, found: ParentOrder | None) -> None:
        if found is None or found.version != order.version:
            raise store_rules.moved_order(order, None if found is None else found.version)
