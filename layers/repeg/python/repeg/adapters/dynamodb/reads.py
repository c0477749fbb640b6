"""Reads of the store: runs, their guard rows, and their books. Strongly consistent and complete."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from repeg.adapters.dynamodb import keys, rows
from repeg.adapters.dynamodb.encoding import Row
from repeg.adapters.dynamodb.table import Table
from repeg.domain.books import Books
from repeg.domain.broker import Execution
from repeg.domain.errors import UnreadableRow
from repeg.domain.intent import Intent
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import KillSwitch, Run
from repeg.domain.store_rules import Guard

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = TypeVar("Item")


class StoreReads:
    """The reading half of a Store on one table; `pause` sleeps between retries of a busy table."""

    def __init__(self, client: DynamoDBClient, table_name: str, pause: Callable[[float], None]) -> None:
        self._table = Table(client, table_name, pause)
        self._openings: dict[str, Run] = {}

    def run(self, run_id: str) -> Run | None:
        """The run, or None."""
        row = self._table.read(keys.guard_key(run_id))
        return None if row is None else self._run(run_id, row)

    def guard(self, run_id: str) -> Guard | None:
        """The run's guard row alone, or None."""
        row = self._table.read(keys.guard_key(run_id))
        return None if row is None else rows.read_guard(row)

    def guard_of(self, owner: str) -> Guard | None:
        """The guard row of the run that an execution has claimed or taken over, or None."""
        row = self._table.read(keys.owner_key(owner))
        return None if row is None else self.guard(rows.read_run_id(row))

    def guards_on(self, day: date) -> list[Guard]:
        """The guard row of every run of a trading date, sorted by id."""
        found = self._table.read_all(keys.day_partition(day), keys.RUN, "run_id")
        return [rows.present(self.guard(rows.read_run_id(row))) for row in found]

    def runs_on(self, day: date) -> list[Run]:
        """Every run of a trading date, sorted by id."""
        return [rows.present(self.run(guard.run_id)) for guard in self.guards_on(day)]

    def planning_version(self, day: date) -> int:
        """How often a run of this trading date has been planned."""
        return rows.read_version(self._table.read(keys.planning_key(day))) or 0

    def books(self, run_id: str) -> Books:
        """Every order, intent and execution of the run that this release can read."""
        orders, bad_orders = self._readable(run_id, keys.ORDER, rows.read_order)
        intents, bad_intents = self._readable(run_id, keys.INTENT, partial(rows.read_model, Intent))
        executions, bad_fills = self._readable(run_id, keys.FILL, partial(rows.read_model, Execution))
        executions.sort(key=lambda e: (e.at, e.activity_id))
        return Books(tuple(orders), tuple(intents), tuple(executions), (*bad_orders, *bad_intents, *bad_fills))

    def orders(self, run_id: str) -> list[ParentOrder]:
        """Every parent order of the run, sorted by symbol."""
        found = self._table.read_all(keys.partition(run_id), keys.ORDER, "body")
        return [rows.read_order(row) for row in found]

    def intents(self, run_id: str) -> list[Intent]:
        """Every intent of the run, sorted by id."""
        found = self._table.read_all(keys.partition(run_id), keys.INTENT, "body")
        return [rows.read_model(Intent, row) for row in found]

    def executions(self, run_id: str) -> list[Execution]:
        """Every booked execution of the run, oldest first."""
        found = self._table.read_all(keys.partition(run_id), keys.FILL, "body")
        return sorted((rows.read_model(Execution, row) for row in found), key=lambda e: (e.at, e.activity_id))

    def last_turn(self, run_id: str) -> datetime | None:
        """The time of the run's latest turn, in which its step was recorded or the broker was away; or None."""
        outage = rows.read_turn(self._table.read(keys.turn_key(run_id)))
        step = rows.read_turn(self._table.read(keys.guard_key(run_id)), "turned_at")
        return max((at for at in (outage, step) if at is not None), default=None)

    def kill_switch(self) -> KillSwitch:
        """The kill switch; ACTIVE if it was never set."""
        return rows.read_kill_switch(self._table.read(keys.KILL))

    def requests_leased(self, bucket: str) -> int:
        """The requests to the broker that were leased from a bucket."""
        row = self._table.read(keys.lease_key(bucket))
        return 0 if row is None else int(row.get("leased", 0))

    def armed_until(self) -> datetime | None:
        """When the record that arms live trading expires; None without one."""
        return rows.read_armed_until(self._table.read(keys.ARMED))

    def _run(self, run_id: str, row: Row) -> Run:
        run = rows.read_run(self._opening(run_id), row)
        report = self._table.read(keys.report_key(run_id)) if row["is_reported"] else None
        return run if report is None else run.with_report(rows.read_report(report))

    def _opening(self, run_id: str) -> Run:
        """The run's opening parameters, which never change and are cached for the life of the container."""
        if run_id not in self._openings:
            self._openings[run_id] = rows.read_opening(rows.present(self._table.read(keys.opening_key(run_id))))
        return self._openings[run_id]

    def _readable(self, run_id: str, prefix: str, read: Callable[[Row], Item]) -> tuple[list[Item], list[str]]:
        """The run's rows under a prefix, and the sort keys of those that cannot be read."""
        found: list[Item] = []
        unreadable: list[str] = []
        for row in self._table.read_all(keys.partition(run_id), prefix, "body"):
            try:
                found.append(read(row))
            except UnreadableRow:
                unreadable.append(str(row["sk"]))
        return found, unreadable
