"""What the steps need from the table, as a protocol."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from repeg.domain.books import Books
from repeg.domain.broker import Execution
from repeg.domain.intent import Intent
from repeg.domain.limits import BudgetEntry
from repeg.domain.parent_order import ParentOrder
from repeg.domain.report import Report
from repeg.domain.run import KillSwitch, Run, RunState
from repeg.domain.store_rules import Guard


class Store(Protocol):
    """The table. Reads are strongly consistent and complete; writes are conditional. May raise StoreUnavailable."""

    def claim_run(self, run: Run) -> Run:
        """Create the run. Its owner may repeat this and gets the stored run; another owner raises DuplicateRun."""

    def run(self, run_id: str) -> Run | None:
        """The run, or None."""

    def guard(self, run_id: str) -> Guard | None:
        """The run's guard row alone, or None. Readable even if the run's other rows are not."""

    def guard_of(self, owner: str) -> Guard | None:
        """The guard row of the run that an execution claimed or took over, or None."""

    def guards_on(self, day: date) -> list[Guard]:
        """The guard row of every run of a trading date, sorted by id."""

    def books(self, run_id: str) -> Books:
        """The run's rows for ending it, and the names of those that cannot be read; the other reads raise then."""

    def take_over(self, run_id: str, epoch: int, owner: str) -> Guard:
        """Raise the epoch by one for a new owner; repeated, it changes nothing. Raises Conflict for another owner."""

    def set_run_state(self, run_id: str, epoch: int, state: RunState) -> Guard:
        """Change a run's state as RunState's transitions allow. Raises Conflict at another epoch or after its end."""

    def save_report(self, run_id: str, report: Report) -> None:
        """Store the report with the run; the last one wins."""

    def mark_announced(self, run_id: str) -> None:
        """Mark the run's end as published. Raises Conflict if there is no such run."""

    def mark_reconciled(self, run_id: str) -> None:
        """Mark the run's books as equal to the broker's after the session. Raises Conflict if there is no such run."""

    def planning_version(self, day: date) -> int:
        """How often a run of this trading date has been planned: read before the orders of other runs."""

    def add_orders(self, run_id: str, epoch: int, orders: Sequence[ParentOrder], version: int | None = None) -> Run:
        """Write the orders and mark the run as planned, once. Raises Conflict if the planning version is another."""

    def orders(self, run_id: str) -> list[ParentOrder]:
        """Every parent order of the run, sorted by symbol, over all pages."""

    def save_order(self, order: ParentOrder, budgets: Sequence[BudgetEntry] = ()) -> ParentOrder:
        """Store the order if its version is as read, and change `budgets`, whatever their limits. Raises Conflict."""

    def write_intent(
        self,
        order: ParentOrder,
        intent: Intent,
        epoch: int,
        budgets: Sequence[BudgetEntry],
        funded_by: str = "",
        step: int = 0,
    ) -> ParentOrder:
        """The intent, the order at its version and the budgets in one transaction, if the run runs at this epoch, its
        latest step is `step`, the kill switch is active, a live stack armed, and `funded_by` holds its lease. Raises
        Conflict or RefusedRun."""

    def reserve(self, order: ParentOrder, epoch: int, budgets: Sequence[BudgetEntry], step: int = 0) -> ParentOrder:
        """Store the order under the conditions of `write_intent` but for arming: with its successor's budgets before a
        cancel, or before a child is sent again."""

    def acquire_funding(self, holder: str, now: datetime, until: datetime) -> bool:
        """Take or extend the lease that lets a run commit the account's cash to buys; False while another has it."""

    def release_funding(self, holder: str) -> None:
        """Give the funding lease back; does nothing unless it is held by `holder`."""

    def intents(self, run_id: str) -> list[Intent]:
        """Every intent of the run, over all pages."""

    def book(self, run_id: str, executions: Sequence[Execution]) -> list[Execution]:
        """Store executions by activity id, each once; returns the new ones."""

    def executions(self, run_id: str) -> list[Execution]:
        """Every booked execution of the run, by time."""

    def runs_on(self, day: date) -> list[Run]:
        """Every run of a trading date, sorted by id."""

    def take_step(self, run_id: str, epoch: int, at: datetime) -> int:
        """Record a turn, and make its step the run's latest in the same write; returns the step's number.

        Raises RefusedRun at another epoch, or if the run does not run."""

    def keep_step(self, run_id: str, epoch: int, step: int, at: datetime) -> None:
        """Record a further turn of a step. Raises Conflict if it is not the latest any more, RefusedRun as above."""

    def record_heartbeat(self, run_id: str, at: datetime) -> None:
        """Record a turn in which nothing could be sent."""

    def last_turn(self, run_id: str) -> datetime | None:
        """The time of the run's last turn, or None."""

    def lease_requests(self, bucket: str, count: int, most: int) -> bool:
        """Reserve `count` requests from the account's bucket, capped at `most`. Returns False if it is exhausted."""

    def kill_switch(self) -> KillSwitch:
        """The kill switch; a row that was never written reads as ACTIVE."""

    def set_kill_switch(self, state: KillSwitch) -> None:
        """Set the kill switch."""

    def armed_until(self) -> datetime | None:
        """When the record that arms live trading expires; None if there is none, or it was taken back."""

    def set_armed_until(self, until: datetime | None) -> None:
        """Arm live trading until a time, or take the record back (None)."""

    def is_armed(self, now: datetime) -> bool:
        """Whether the record arms this stack's trading at that time; always, for a paper stack, which needs none."""
