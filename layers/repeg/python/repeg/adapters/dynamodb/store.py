"""The store on DynamoDB: one table, conditional writes, and an intent in one transaction with all that guards it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from repeg.adapters.dynamodb import keys, rows
from repeg.adapters.dynamodb.intent import IntentWrite, next_version, refusal_of_run, run_is_unplanned, state_change
from repeg.adapters.dynamodb.table import TRANSACTION_LIMIT, ConditionFailed, Table, TransactionRefused
from repeg.adapters.dynamodb.wire import ABSENT, PRESENT, Action, Condition, Put, Row, Update, Value, leaves_room
from repeg.domain import store_rules
from repeg.domain.broker import Execution
from repeg.domain.errors import StoreUnavailable
from repeg.domain.limits import BudgetEntry
from repeg.domain.parent_order import Intent, ParentOrder
from repeg.domain.run import KillSwitch, Run, RunState

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoStore:
    """A Store on one table with the string keys `pk` and `sk`. It never deletes a row.

    `pause` lets a short time pass between attempts on a busy table.
    """

    def __init__(self, client: DynamoDBClient, table_name: str, pause: Callable[[float], None]) -> None:
        self._table = Table(client, table_name, pause)
        self._openings: dict[str, Run] = {}
        self._booked: dict[str, set[str]] = {}

    def claim_run(self, run: Run) -> Run:
        """Create the run; the same owner gets the row as it stands; another owner raises DuplicateRun."""
        claim: list[Action] = [
            Put(rows.guard_row(run), ABSENT),
            Put(rows.opening_row(run)),
            Put(rows.owner_row(run.owner, run.run_id)),
            Put(rows.day_row(run)),
        ]
        with suppress(TransactionRefused):  # there is one already; the next lines see whose it is
            self._table.transact(claim)
        held = rows.present(self.run(run.run_id))
        if held.owner != run.owner:
            raise store_rules.duplicate(run.run_id, held.owner)
        return held

    def run(self, run_id: str) -> Run | None:
        """The run, or None."""
        row = self._table.read(keys.guard_key(run_id))
        return None if row is None else self._run(run_id, row)

    def take_over(self, run_id: str, epoch: int, owner: str) -> Run:
        """Raise the epoch by one for a new owner; repeated by that owner it changes nothing. Raises Conflict."""
        at_epoch = Condition("#epoch = :epoch", {"epoch": epoch})
        change: dict[str, Value] = {"next": epoch + 1, "owner": owner}
        taking: list[Action] = [
            Update(keys.guard_key(run_id), "SET #epoch = :next, #owner = :owner", change, at_epoch),
            Put(rows.owner_row(owner, run_id)),
        ]
        with suppress(TransactionRefused):  # it has moved on; the next lines see to whom
            self._table.transact(taking)
        held = self.run(run_id)
        if held is None:
            raise store_rules.no_such_run(run_id)
        if (held.epoch, held.owner) != (epoch + 1, owner):
            raise store_rules.moved_run(run_id, store_rules.Guard(held.owner, held.epoch, held.state), epoch)
        return held

    def set_run_state(self, run_id: str, epoch: int, state: RunState) -> Run:
        """Change the state of a run at that epoch, as its table of transitions allows. Raises Conflict."""
        try:
            return self._run(run_id, self._table.update(state_change(run_id, epoch, state)))
        except ConditionFailed as failed:
            raise store_rules.of_state_change(run_id, self._held(run_id, failed), epoch, state) from None

    def save_report(self, run_id: str, report: dict[str, Any]) -> None:
        """Keep the report with the run; the last one wins. Raises Conflict where there is no such run."""
        self._mark(run_id, "is_reported")
        self._table.put(Put(rows.report_row(run_id, report)))

    def mark_announced(self, run_id: str) -> None:
        """Note that the run's end has been told to whoever listens. Raises Conflict where there is no such run."""
        self._mark(run_id, "is_announced")

    def add_orders(self, run_id: str, epoch: int, orders: Sequence[ParentOrder]) -> Run:
        """Add parent orders that are not there yet, then mark the run as planned; a planned run stays as it is.

        Raises RefusedRun where the run is at another epoch or no longer runs.
        """
        row = self._table.read(keys.guard_key(run_id))
        store_rules.ensure_none(store_rules.of_run(run_id, rows.read_guard(row) if row else None, epoch))
        if not rows.present(row)["is_planned"]:
            self._add_missing(run_id, epoch, orders)
            self._mark_planned(run_id, epoch)
        return rows.present(self.run(run_id))

    def orders(self, run_id: str) -> list[ParentOrder]:
        """Every parent order of the run, sorted by symbol, over all pages."""
        found = self._table.read_all(keys.partition(run_id), keys.ORDER, "body")
        return [rows.read_order(row) for row in found]

    def save_order(self, order: ParentOrder) -> ParentOrder:
        """Write the order if its version is still the one read; returned with the next version. Raises Conflict."""
        saved, put = next_version(order)
        try:
            self._table.put(put)
        except ConditionFailed as failed:
            if failed.found != put.row:
                raise store_rules.moved_order(order, rows.read_version(failed.found)) from None
        return saved

    def write_intent(
        self, order: ParentOrder, intent: Intent, epoch: int, budgets: Sequence[BudgetEntry]
    ) -> ParentOrder:
        """In one transaction: the intent, the order and the budgets, while the run and the kill switch allow it.

        Raises Conflict or RefusedRun as the port says. The same intent, already there with the order that goes with it,
        is our own earlier write whose answer was lost: it is done.
        """
        write = IntentWrite(order, intent, epoch, budgets)
        try:
            self._table.transact(write.actions)
        except TransactionRefused as refused:
            store_rules.ensure_none(write.refusal(refused.found))
        return next_version(order)[0]

    def intents(self, run_id: str) -> list[Intent]:
        """Every intent of the run by its id, over all pages."""
        found = self._table.read_all(keys.partition(run_id), keys.INTENT, "body")
        return [rows.read_model(Intent, row) for row in found]

    def book(self, run_id: str, executions: Sequence[Execution]) -> list[Execution]:
        """Keep executions by activity id, each once; returns those that were not there when the call began."""
        known = self._booked.setdefault(run_id, set())
        unseen = {e.activity_id: e for e in executions if e.activity_id not in known}
        there = self._table.existing([keys.fill_key(run_id, activity_id) for activity_id in unseen])
        new = [e for e in unseen.values() if keys.fill_key(run_id, e.activity_id) not in there]
        for execution in new:
            self._book(run_id, execution)
        known.update(unseen)
        return new

    def executions(self, run_id: str) -> list[Execution]:
        """Every booked execution of the run, by time."""
        found = self._table.read_all(keys.partition(run_id), keys.FILL, "body")
        return sorted((rows.read_model(Execution, row) for row in found), key=lambda e: (e.at, e.activity_id))

    def run_of(self, owner: str) -> Run | None:
        """The run that an execution has claimed or taken over, or None."""
        row = self._table.read(keys.owner_key(owner))
        return None if row is None else self.run(rows.read_owned(row))

    def runs_on(self, day: date) -> list[Run]:
        """Every run of a trading date, sorted by id, over all pages."""
        found = self._table.read_all(keys.day_partition(day), keys.RUN, "run_id")
        return [rows.present(self.run(rows.read_owned(row))) for row in found]

    def record_heartbeat(self, run_id: str, at: datetime) -> None:
        """Note that the run has turned. Its own row: the guard row must not change under the intents of a turn."""
        self._table.put(Put(rows.turn_row(run_id, at)))

    def last_turn(self, run_id: str) -> datetime | None:
        """When the run last turned, or None."""
        return rows.read_turn(self._table.read(keys.turn_key(run_id)))

    def lease_requests(self, bucket: str, count: int, most: int) -> bool:
        """Take so many requests out of a bucket that may give `most` in all; whether they were there."""
        values: dict[str, Value] = {"count": count, "expires": keys.lease_expiry(bucket)}
        try:
            change = "ADD #leased :count SET #expires_at = :expires"
            self._table.update(Update(keys.lease_key(bucket), change, values, leaves_room({"leased": most - count})))
        except ConditionFailed:
            return False
        return True

    def kill_switch(self) -> KillSwitch:
        """The brake as it stands; a row that was never written reads as active."""
        return rows.read_kill_switch(self._table.read(keys.KILL))

    def set_kill_switch(self, state: KillSwitch) -> None:
        """Set the brake."""
        self._table.put(Put({"pk": keys.KILL.pk, "sk": keys.KILL.sk, "state": state.value}))

    def _run(self, run_id: str, row: Row) -> Run:
        run = rows.read_run(self._opening(run_id), row)
        report = self._table.read(keys.report_key(run_id)) if row["is_reported"] else None
        return run if report is None else run.model_copy(update={"report": rows.read_report(report)})

    def _opening(self, run_id: str) -> Run:
        """What the run was opened with; it never changes, so that one read serves a container's whole life."""
        if run_id not in self._openings:
            self._openings[run_id] = rows.read_opening(rows.present(self._table.read(keys.opening_key(run_id))))
        return self._openings[run_id]

    def _mark(self, run_id: str, name: str) -> None:
        try:
            self._table.update(Update(keys.guard_key(run_id), f"SET #{name} = :yes", {"yes": True}, PRESENT))
        except ConditionFailed:
            raise store_rules.no_such_run(run_id) from None

    def _held(self, run_id: str, failed: ConditionFailed) -> store_rules.Guard:
        if failed.found is None:
            raise store_rules.no_such_run(run_id)
        return rows.read_guard(failed.found)

    def _add_missing(self, run_id: str, epoch: int, orders: Sequence[ParentOrder]) -> None:
        """Add what is not there, until somebody has planned the run.

        An attempt that loses to the same step run twice is made up anew, once.
        """
        for _ in range(2):
            there = {row["sk"] for row in self._table.read_all(keys.partition(run_id), keys.ORDER, "sk")}
            missing = [Put(row, ABSENT) for row in map(rows.order_row, orders) if row["sk"] not in there]
            try:
                self._add(run_id, epoch, missing)
            except TransactionRefused as refused:
                store_rules.ensure_none(refusal_of_run(run_id, epoch, refused.found))
                if 0 in refused.found:
                    return  # planned, by the other one
            else:
                return
        raise StoreUnavailable(f"run {run_id}: its orders are being added by somebody else")

    def _add(self, run_id: str, epoch: int, puts: Sequence[Put]) -> None:
        size = TRANSACTION_LIMIT - 1
        for start in range(0, len(puts), size):
            actions: list[Action] = [run_is_unplanned(run_id, epoch), *puts[start : start + size]]
            self._table.transact(actions)

    def _mark_planned(self, run_id: str, epoch: int) -> None:
        at_epoch = Condition("#epoch = :epoch", {"epoch": epoch})
        try:
            self._table.update(Update(keys.guard_key(run_id), "SET #is_planned = :yes", {"yes": True}, at_epoch))
        except ConditionFailed as failed:
            raise store_rules.moved_run(run_id, self._held(run_id, failed), epoch) from None

    def _book(self, run_id: str, execution: Execution) -> None:
        try:
            self._table.put(Put(rows.fill_row(run_id, execution), ABSENT))
        except ConditionFailed:
            return  # in the meantime it has been booked, by an attempt of ours whose answer was lost or by another
