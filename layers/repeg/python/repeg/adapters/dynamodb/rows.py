"""What stands in which row: the attributes that conditions look at, and one `body` of JSON for the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_core import to_json

from repeg.adapters.dynamodb import keys
from repeg.adapters.dynamodb.wire import Key, Row
from repeg.domain.broker import Execution
from repeg.domain.errors import StoreUnavailable
from repeg.domain.parent_order import Intent, ParentOrder
from repeg.domain.run import KillSwitch, Run, RunState
from repeg.domain.store_rules import Guard, Spent

Item = TypeVar("Item")
Model = TypeVar("Model", bound=BaseModel)

# What a run is at the moment stands in its guard row. What it was opened with never changes and stands apart, because
# every intent is conditional on the guard row, and a condition is billed by the size of the row that it looks at.
_OF_THE_MOMENT = {"owner", "epoch", "state", "is_planned", "report", "is_announced"}


def guard_row(run: Run) -> Row:
    """The guard row of a run that is being claimed."""
    key = keys.guard_key(run.run_id)
    return {
        "pk": key.pk,
        "sk": key.sk,
        "owner": run.owner,
        "epoch": run.epoch,
        "state": run.state.value,
        "is_planned": run.is_planned,
        "is_reported": False,
    }


def opening_row(run: Run) -> Row:
    """What a run was opened with."""
    return _row(keys.opening_key(run.run_id), run.model_dump_json(exclude=_OF_THE_MOMENT))


def owner_row(owner: str, run_id: str) -> Row:
    """The run that an execution holds."""
    key = keys.owner_key(owner)
    return {"pk": key.pk, "sk": key.sk, "run_id": run_id}


def day_row(run: Run) -> Row:
    """A run's entry in the list of its trading date."""
    return {"pk": keys.day_partition(run.trading_day.day), "sk": keys.RUN + run.run_id, "run_id": run.run_id}


def turn_row(run_id: str, at: datetime) -> Row:
    """When a run last turned."""
    key = keys.turn_key(run_id)
    return {"pk": key.pk, "sk": key.sk, "at": at.isoformat()}


def report_row(run_id: str, report: dict[str, Any]) -> Row:
    """A report; its amounts are kept as strings."""
    return _row(keys.report_key(run_id), to_json(report).decode())


def order_row(order: ParentOrder) -> Row:
    """A parent order at its version."""
    key = Key(keys.partition(order.run_id), keys.ORDER + order.symbol)
    body = order.model_dump_json(exclude_defaults=True)  # a write is billed by its size
    return {**_row(key, body), "version": order.version}


def intent_row(run_id: str, intent: Intent) -> Row:
    """An intent; the amount stands outside the body too, for whoever looks into the table."""
    row = _row(Key(keys.partition(run_id), keys.INTENT + intent.client_order_id), intent.model_dump_json())
    return {**row, "notional": intent.notional}


def fill_row(run_id: str, execution: Execution) -> Row:
    """A booked execution."""
    return _row(keys.fill_key(run_id, execution.activity_id), execution.model_dump_json())


def read_opening(row: Row) -> Run:
    """The run as it was opened; what it is at the moment has to be laid over it."""
    with _reading(row):
        return Run.model_validate({**json.loads(_body(row)), "owner": ""})


def read_run(opening: Run, row: Row) -> Run:
    """The run as it stands, without its report."""
    guard = read_guard(row)
    with _reading(row):
        return opening.model_copy(
            update={
                "owner": guard.owner,
                "epoch": guard.epoch,
                "state": RunState(guard.state),
                "is_planned": bool(row["is_planned"]),
                "is_announced": bool(row.get("is_announced", False)),
            }
        )


def read_report(row: Row) -> dict[str, Any]:
    """A report as it was kept."""
    with _reading(row):
        return dict(json.loads(_body(row)))


def read_owned(row: Row) -> str:
    """The run that an owner's or a date's row names."""
    with _reading(row):
        return str(row["run_id"])


def read_turn(row: Row | None) -> datetime | None:
    """When a run last turned; None where it never has."""
    if row is None:
        return None
    with _reading(row):
        return datetime.fromisoformat(str(row["at"]))


def read_guard(row: Row) -> Guard:
    """The guard row's attributes."""
    with _reading(row):
        return Guard(owner=str(row["owner"]), epoch=int(row["epoch"]), state=str(row["state"]))


def read_spent(row: Row | None) -> Spent:
    """What a budget row holds; nothing where there is none yet."""
    if row is None:
        return Spent()
    with _reading(row):
        return Spent(Decimal(row["notional"]), int(row["orders"]))


def read_version(row: Row | None) -> int | None:
    """The version of an order's row; None where there is no row."""
    if row is None:
        return None
    with _reading(row):
        return int(row["version"])


def read_kill_switch(row: Row | None) -> KillSwitch:
    """The brake; a row that was never written is an open road, one that cannot be read is not."""
    if row is None:
        return KillSwitch.ACTIVE
    with _reading(row):
        return KillSwitch(str(row["state"]))


def read_model(model: type[Model], row: Row) -> Model:
    """The model that a row's body holds."""
    with _reading(row):
        return model.model_validate_json(_body(row))


def read_order(row: Row) -> ParentOrder:
    """The order that a row's body holds. Most orders have not changed since they were last read, and a frozen model of
    the same text is the same order: it is parsed once."""
    with _reading(row):
        return _order_of(_body(row))


@lru_cache(maxsize=2_048)
def _order_of(body: str) -> ParentOrder:
    return ParentOrder.model_validate_json(body)


def present(found: Item | None) -> Item:
    """What must be there, because rows are never deleted and this one has just been seen or written."""
    if found is None:
        raise StoreUnavailable("a row that was written cannot be found")
    return found


def _row(key: Key, body: str) -> Row:
    return {"pk": key.pk, "sk": key.sk, "body": body}


def _body(row: Row) -> str:
    return str(row["body"])


@contextmanager
def _reading(row: Row) -> Iterator[None]:
    try:
        yield
    except (KeyError, ValueError) as error:
        raise StoreUnavailable(f"a row of {row.get('pk')} cannot be read ({type(error).__name__})") from None
