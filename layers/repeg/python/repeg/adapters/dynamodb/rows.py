"""The content of each kind of row: attributes that conditions use, and one `body` of JSON for the rest."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from types import TracebackType
from typing import TypeVar

from pydantic import BaseModel

from repeg.adapters.dynamodb import keys, packing
from repeg.adapters.dynamodb.encoding import Condition, Key, Row
from repeg.domain.arming import LONGEST
from repeg.domain.broker import Execution
from repeg.domain.errors import StoreUnavailable, UnreadableRow
from repeg.domain.intent import Intent
from repeg.domain.parent_order import ParentOrder
from repeg.domain.report import Report
from repeg.domain.run import KillSwitch, Run, RunState
from repeg.domain.store_rules import Guard, Spent
from repeg.domain.symbol_settings import STORED

Item = TypeVar("Item")
Model = TypeVar("Model", bound=BaseModel)

# The schema version, stored in each row that is written as a whole. Rows of ff73b05 have none.
SCHEMA = 2

# A run's changing fields are in its guard row. Its opening parameters never change and have a row of their own, because
# every intent is conditional on the guard row, and DynamoDB bills a condition by the size of the row it reads.
_CHANGING_FIELDS = {"owner", "epoch", "state", "is_planned", "report", "is_announced"}


def guard_row(run: Run) -> Row:
    """The guard row of a newly claimed run."""
    key = keys.guard_key(run.run_id)
    return {
        "pk": key.pk,
        "sk": key.sk,
        "schema": SCHEMA,
        "owner": run.owner,
        "epoch": run.epoch,
        "state": run.state.value,
        "is_planned": run.is_planned,
        "is_reported": False,
        "step": 0,
        "account_number": run.account_number,
        "id_prefix": run.id_prefix,
    }


def opening_row(run: Run) -> Row:
    """A run's opening parameters."""
    return _row(keys.opening_key(run.run_id), run.model_dump_json(exclude=_CHANGING_FIELDS))


def owner_row(owner: str, run_id: str) -> Row:
    """The run that an execution holds."""
    key = keys.owner_key(owner)
    return {"pk": key.pk, "sk": key.sk, "schema": SCHEMA, "run_id": run_id}


def day_row(run: Run) -> Row:
    """A run's entry in the list of its trading date."""
    key = Key(keys.day_partition(run.trading_day.day), keys.RUN + run.run_id)
    return {"pk": key.pk, "sk": key.sk, "schema": SCHEMA, "run_id": run.run_id}


def turn_row(run_id: str, at: datetime) -> Row:
    """A run's heartbeat."""
    key = keys.turn_key(run_id)
    return {"pk": key.pk, "sk": key.sk, "schema": SCHEMA, "at": at.isoformat()}


def report_row(run_id: str, report: Report) -> Row:
    """A report; its amounts are strings. One of hundreds of orders is packed, because a row has at most 400 KB."""
    return packing.packed(_row(keys.report_key(run_id), ""), report.model_dump_json())


def order_row(order: ParentOrder) -> Row:
    """A parent order at its version, with every field: a default left out would change with the next release."""
    key = Key(keys.partition(order.run_id), keys.ORDER + order.symbol)
    return {**_row(key, order.model_dump_json()), "version": order.version}


def intent_row(run_id: str, intent: Intent) -> Row:
    """An intent; `notional` is repeated outside the body, to be readable in the console."""
    row = _row(Key(keys.partition(run_id), keys.INTENT + intent.client_order_id), intent.model_dump_json())
    return {**row, "notional": intent.notional}


def fill_row(run_id: str, execution: Execution) -> Row:
    """A booked execution."""
    return _row(keys.fill_key(run_id, execution.activity_id), execution.model_dump_json())


def read_opening(row: Row) -> Run:
    """The run as opened; `read_run` adds its changing fields. Settings that this release lacks are ignored."""
    with _reading(row):
        return Run.model_validate({**json.loads(_body(row)), "owner": ""}, context=STORED)


def read_run(opening: Run, row: Row) -> Run:
    """The run with its present state, without its report."""
    guard = read_guard(row)
    with _reading(row):
        return opening.held_by(guard.owner, guard.epoch).in_state(
            RunState(guard.state),
            is_planned=bool(row["is_planned"]),
            is_announced=bool(row.get("is_announced", False)),
        )


def read_report(row: Row) -> Report:
    """A saved report."""
    with _reading(row):
        return Report.model_validate_json(packing.unpacked(row))


def read_run_id(row: Row) -> str:
    """The run that an owner's or a date's row names."""
    with _reading(row):
        return str(row["run_id"])


def read_turn(row: Row | None, attribute: str = "at") -> datetime | None:
    """The time of a turn in a heartbeat's row, or in the guard row (`turned_at`); None if it has none."""
    if row is None or attribute not in row:
        return None
    with _reading(row):
        return datetime.fromisoformat(str(row[attribute]))


def read_guard(row: Row) -> Guard:
    """The guard row's attributes."""
    with _reading(row):
        return Guard(
            run_id=str(row["pk"]).removeprefix(keys.RUN),
            owner=str(row["owner"]),
            epoch=int(row["epoch"]),
            state=str(row["state"]),
            is_announced=bool(row.get("is_announced", False)),
            is_reconciled=bool(row.get("is_reconciled", False)),
            account_number=str(row.get("account_number", "")),
            id_prefix=str(row.get("id_prefix", "")),
            step=int(row.get("step", 0)),
        )


def read_spent(row: Row | None) -> Spent:
    """The amounts debited from a budget; zero if it has no row yet."""
    if row is None:
        return Spent()
    with _reading(row):
        return Spent(Decimal(row["notional"]), int(row["orders"]))


def read_version(row: Row | None) -> int | None:
    """The version of an order's row, or None."""
    if row is None:
        return None
    with _reading(row):
        return int(row["version"])


def read_kill_switch(row: Row | None) -> KillSwitch:
    """The kill switch; a missing row means ACTIVE, an unreadable one raises StoreUnavailable."""
    if row is None:
        return KillSwitch.ACTIVE
    with _reading(row):
        return KillSwitch(str(row["state"]))


def armed_row(until: datetime | None) -> Row:
    """The record that arms live trading; empty if it was taken back, because no row is ever deleted."""
    return {"pk": keys.ARMED.pk, "sk": keys.ARMED.sk, "schema": SCHEMA, "until": _utc(until) if until else ""}


def read_armed_until(row: Row | None) -> datetime | None:
    """When the arming record expires; None without a record, or with one that was taken back."""
    if row is None or not row.get("until"):
        return None
    with _reading(row):
        return datetime.fromisoformat(str(row["until"]))


def armed_at(now: datetime) -> Condition:
    """The condition of the arming record under which it arms trading at a time. A missing record fails it."""
    return Condition("#until > :now AND #until <= :latest", {"now": _utc(now), "latest": _utc(now + LONGEST)})


def read_model(model: type[Model], row: Row) -> Model:
    """The model in a row's body."""
    with _reading(row):
        return model.model_validate_json(_body(row))


def read_order(row: Row) -> ParentOrder:
    """The order in a row's body. Parsed orders are cached by their text: most have not changed since the last read, and
    the models are frozen."""
    with _reading(row):
        return _order_of(_body(row))


@lru_cache(maxsize=2_048)
def _order_of(body: str) -> ParentOrder:
    return ParentOrder.model_validate_json(body)


def present(found: Item | None) -> Item:
    """The row, which must exist: it has just been read or written, and rows are never deleted."""
    if found is None:
        raise StoreUnavailable("an existing row was not found")
    return found


def _row(key: Key, body: str) -> Row:
    return {"pk": key.pk, "sk": key.sk, "schema": SCHEMA, "body": body}


def _body(row: Row) -> str:
    return str(row["body"])


def _utc(instant: datetime) -> str:
    """A time in whole seconds of UTC, so that texts compare like times."""
    return instant.astimezone(UTC).isoformat(timespec="seconds")


class _reading:  # noqa: N801 - it is used like a function
    """Raise UnreadableRow, naming the row, if its content does not have the expected form.

    A class, because it is entered for every order: a generator takes four times as long.
    """

    __slots__ = ("_row",)

    def __init__(self, row: Row) -> None:
        self._row = row

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if isinstance(error, (KeyError, ValueError)):
            name = f"{self._row.get('pk')} {self._row.get('sk')}"
            raise UnreadableRow(f"row {name} cannot be read ({type(error).__name__})") from None
