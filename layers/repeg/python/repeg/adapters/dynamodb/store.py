"""The store on DynamoDB: one table with conditional writes; an intent and its conditions are one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from repeg.adapters.dynamodb import keys, rows
from repeg.adapters.dynamodb.account import DynamoAccount
from repeg.adapters.dynamodb.encoding import ABSENT, PRESENT, Action, Condition, Put, Update, Value
from repeg.adapters.dynamodb.order_write import (
    OrderWrite,
    credit,
    next_version,
    state_change,
    step_kept,
    step_taken,
)
from repeg.adapters.dynamodb.plan_write import PlanWrite
from repeg.adapters.dynamodb.table import ConditionFailed, TransactionRefused
from repeg.domain import store_rules
from repeg.domain.broker import Execution
from repeg.domain.intent import Intent
from repeg.domain.limits import BudgetEntry
from repeg.domain.parent_order import ParentOrder
from repeg.domain.report import Report
from repeg.domain.run import Run, RunState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoStore(DynamoAccount):
    """A Store on one table. It never deletes a row; `pause` sleeps between retries of a busy table.

    `needs_arming` is true for a live stack: no intent is written then unless live trading is armed.
    """

    def __init__(
        self, client: DynamoDBClient, table_name: str, pause: Callable[[float], None], *, needs_arming: bool = False
    ) -> None:
        super().__init__(client, table_name, pause, needs_arming=needs_arming)
        self._booked: dict[str, set[str]] = {}

    def claim_run(self, run: Run) -> Run:
        """Create the run, or return it if this owner has claimed it before. Raises DuplicateRun for another owner."""
        claim: list[Action] = [
            Put(rows.guard_row(run), ABSENT),
            Put(rows.opening_row(run)),
            Put(rows.owner_row(run.owner, run.run_id)),
            Put(rows.day_row(run)),
        ]
        with suppress(TransactionRefused):  # the run exists; checked below: whose it is
            self._table.transact(claim)
        held = rows.present(self.run(run.run_id))
        if held.owner != run.owner:
            raise store_rules.duplicate(run.run_id, held.owner)
        return held

    def take_over(self, run_id: str, epoch: int, owner: str) -> store_rules.Guard:
        """Raise the epoch by one for a new owner; a repetition by that owner changes nothing. Raises Conflict."""
        at_epoch = Condition("#epoch = :epoch", {"epoch": epoch})
        change: dict[str, Value] = {"next": epoch + 1, "owner": owner}
        takeover: list[Action] = [
            Update(keys.guard_key(run_id), "SET #epoch = :next, #owner = :owner", change, at_epoch),
            Put(rows.owner_row(owner, run_id)),
        ]
        with suppress(TransactionRefused):  # the epoch has changed; checked below: for whom
            self._table.transact(takeover)
        held = self.guard(run_id)
        if held is None:
            raise store_rules.no_such_run(run_id)
        if (held.epoch, held.owner) != (epoch + 1, owner):
            raise store_rules.moved_run(run_id, held, epoch)
        return held

    def set_run_state(self, run_id: str, epoch: int, state: RunState) -> store_rules.Guard:
        """Change the state of a run at that epoch, if the transition is allowed. Raises Conflict."""
        try:
            return rows.read_guard(self._table.update(state_change(run_id, epoch, state)))
        except ConditionFailed as failed:
            raise store_rules.of_state_change(run_id, self._held(run_id, failed), epoch, state) from None

    def save_report(self, run_id: str, report: Report) -> None:
        """Save the report with the run; the last one wins. Raises Conflict if there is no such run."""
        self._mark(run_id, "is_reported")
        self._table.put(Put(rows.report_row(run_id, report)))

    def mark_announced(self, run_id: str) -> None:
        """Mark the run's end as published. Raises Conflict if there is no such run."""
        self._mark(run_id, "is_announced")

    def mark_reconciled(self, run_id: str) -> None:
        """Mark the run's books as equal to the broker's. Raises Conflict if there is no such run."""
        self._mark(run_id, "is_reconciled")

    def add_orders(self, run_id: str, epoch: int, orders: Sequence[ParentOrder], version: int | None = None) -> Run:
        """Write the parent orders and mark the run as planned; a planned run does not change.

        Raises RefusedRun if the run is at another epoch or not running, Conflict if the planning version has risen.
        """
        row = self._table.read(keys.guard_key(run_id))
        store_rules.raise_if(store_rules.of_run(run_id, rows.read_guard(row) if row else None, epoch))
        if not rows.present(row)["is_planned"]:
            day = self._opening(run_id).trading_day.day
            self._write_plan(PlanWrite(run_id, epoch, day, orders, version))
        return rows.present(self.run(run_id))

    def save_order(self, order: ParentOrder, budgets: Sequence[BudgetEntry] = ()) -> ParentOrder:
        """Write the order if its version is unchanged; returned with the next version. Raises Conflict."""
        if budgets:
            return self._save_with_credits(order, budgets)
        saved, put = next_version(order)
        try:
            self._table.put(put)
        except ConditionFailed as failed:
            if failed.found != put.row:
                raise store_rules.moved_order(order, rows.read_version(failed.found)) from None
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
        """Write the intent, the order and the budgets in one transaction, if the run and the kill switch allow it.

        Raises Conflict or RefusedRun as described in the port. If the same intent and order are already there, an
        earlier attempt succeeded and its answer was lost; that is a success.
        """
        return self._write_order(OrderWrite(order, intent, epoch, budgets, step, funded_by, self._needs_arming))

    def reserve(self, order: ParentOrder, epoch: int, budgets: Sequence[BudgetEntry], step: int = 0) -> ParentOrder:
        """Write the order and commit budgets for its next child in one transaction. Raises Conflict or RefusedRun."""
        return self._write_order(OrderWrite(order, None, epoch, budgets, step))

    def book(self, run_id: str, executions: Sequence[Execution]) -> list[Execution]:
        """Save executions by activity id, each once; returns those that were new when the call began."""
        known = self._booked.setdefault(run_id, set())
        unseen = {e.activity_id: e for e in executions if e.activity_id not in known}
        existing = self._table.existing([keys.fill_key(run_id, activity_id) for activity_id in unseen])
        new = [e for e in unseen.values() if keys.fill_key(run_id, e.activity_id) not in existing]
        for execution in new:
            self._book(run_id, execution)
        known.update(unseen)
        return new

    def take_step(self, run_id: str, epoch: int, at: datetime) -> int:
        """Begin the run's next step; returns its number. Raises RefusedRun.

        A repetition after a lost answer takes a further number: only the last one counts, and this step has it.
        """
        try:
            return rows.read_guard(self._table.update(step_taken(run_id, epoch, at))).step
        except ConditionFailed as failed:
            found = None if failed.found is None else rows.read_guard(failed.found)
            raise store_rules.of_run(run_id, found, epoch) or store_rules.no_such_run(run_id) from None

    def keep_step(self, run_id: str, epoch: int, step: int, at: datetime) -> None:
        """Save the time of a further turn of the latest step. Raises Conflict or RefusedRun."""
        try:
            self._table.update(step_kept(run_id, epoch, step, at))
        except ConditionFailed as failed:
            found = None if failed.found is None else rows.read_guard(failed.found)
            raise store_rules.of_step(run_id, found, epoch, step) or store_rules.no_such_run(run_id) from None

    def record_heartbeat(self, run_id: str, at: datetime) -> None:
        """Save the time of a turn in which nothing could be sent, in a row of its own: an older twin may be sending."""
        self._table.put(Put(rows.turn_row(run_id, at)))

    def _write_order(self, write: OrderWrite) -> ParentOrder:
        try:
            self._table.transact(write.actions)
        except TransactionRefused as refused:
            store_rules.raise_if(write.refusal(refused.found))
        return next_version(write.order)[0]

    def _save_with_credits(self, order: ParentOrder, budgets: Sequence[BudgetEntry]) -> ParentOrder:
        """One transaction, so that a repetition finds the order as it left it and credits nothing again."""
        saved, put = next_version(order)
        try:
            self._table.transact([put, *(credit(entry) for entry in budgets)])
        except TransactionRefused as refused:
            found = refused.found[0]
            if found != put.row:
                raise store_rules.moved_order(order, rows.read_version(found)) from None
        return saved

    def _mark(self, run_id: str, name: str) -> None:
        try:
            self._table.update(Update(keys.guard_key(run_id), f"SET #{name} = :yes", {"yes": True}, PRESENT))
        except ConditionFailed:
            raise store_rules.no_such_run(run_id) from None

    def _held(self, run_id: str, failed: ConditionFailed) -> store_rules.Guard:
        if failed.found is None:
            raise store_rules.no_such_run(run_id)
        return rows.read_guard(failed.found)

    def _write_plan(self, write: PlanWrite) -> None:
        try:
            for actions in write.transactions:
                self._table.transact(actions)
        except TransactionRefused as refused:
            store_rules.raise_if(write.refusal(refused.found))

    def _book(self, run_id: str, execution: Execution) -> None:
        try:
            self._table.put(Put(rows.fill_row(run_id, execution), ABSENT))
        except ConditionFailed:
            return  # already booked, by an earlier attempt whose answer was lost or by another container
