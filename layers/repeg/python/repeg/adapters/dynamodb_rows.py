"""What stands in which row: keys, the attributes that conditions look at, and one `body` of JSON for the rest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_core import to_json

from repeg.adapters.dynamodb_wire import Key, Row
from repeg.adapters.refusals import Guard, Spent
from repeg.broker import Execution
from repeg.errors import StoreUnavailable
from repeg.order import Intent, ParentOrder
from repeg.run import KillSwitch, Run, RunState

Model = TypeVar("Model", bound=BaseModel)

ACCOUNT = "ACCOUNT"
KILL = Key(ACCOUNT, "KILL")
RUN = "RUN#"
ORDER = "ORDER#"
INTENT = "INTENT#"
FILL = "FILL#"

# What a run is at the moment stands in its guard row. What it was opened with never changes and stands apart, because
# every intent is conditional on the guard row, and a condition is billed by the size of the row that it looks at.
_OF_THE_MOMENT = {"owner", "epoch", "state", "is_planned", "report", "is_announced"}


def partition(run_id: str) -> str:
    """The partition of a run's rows."""
    return RUN + run_id


def guard_key(run_id: str) -> Key:
    """The small row that every write of a run is conditional on."""
    return Key(partition(run_id), "RUN")


def opening_key(run_id: str) -> Key:
    """The row of what a run was opened with."""
    return Key(partition(run_id), "OPENING")


def report_key(run_id: str) -> Key:
    """The row of a run's report."""
    return Key(partition(run_id), "REPORT")


def lease_key(bucket: str) -> Key:
    """The row that counts the requests of a few seconds; the only kind of row that expires."""
    return Key(ACCOUNT, f"REQUESTS#{bucket}")


def lease_expiry(bucket: str) -> int:
    """When a bucket's row may be dropped, in seconds since 1970: a day after the bucket."""
    return int(datetime.fromisoformat(bucket).timestamp()) + 86_400


def owner_key(owner: str) -> Key:
    """The row that says which run an execution has held."""
    return Key(f"OWNER#{owner}", "RUN")


def day_partition(day: date) -> str:
    """The partition that lists the runs of a trading date."""
    return f"DAY#{day.isoformat()}"


def turn_key(run_id: str) -> Key:
    """The row of a run's last turn."""
    return Key(partition(run_id), "TURN")


def budget_key(key: str) -> Key:
    """The row of a budget: `run:<run id>` stands with its run, `day:<date>` and the like with the account."""
    scope, _, name = key.partition(":")
    if not name:
        raise ValueError(f"a budget is named <scope>:<name>, not {key!r}")
    return Key(partition(name), "BUDGET") if scope == "run" else Key(ACCOUNT, f"{scope.upper()}#{name}")


def fill_key(run_id: str, activity_id: str) -> Key:
    """The row of one execution."""
    return Key(partition(run_id), FILL + activity_id)


def guard_row(run: Run) -> Row:
    """The guard row of a run that is being claimed."""
    key = guard_key(run.run_id)
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
    return _row(opening_key(run.run_id), run.model_dump_json(exclude=_OF_THE_MOMENT))


def owner_row(owner: str, run_id: str) -> Row:
    """The run that an execution holds."""
    key = owner_key(owner)
    return {"pk": key.pk, "sk": key.sk, "run_id": run_id}


def day_row(run: Run) -> Row:
    """A run's entry in the list of its trading date."""
    return {"pk": day_partition(run.trading_day.day), "sk": RUN + run.run_id, "run_id": run.run_id}


def turn_row(run_id: str, at: datetime) -> Row:
    """When a run last turned."""
    key = turn_key(run_id)
    return {"pk": key.pk, "sk": key.sk, "at": at.isoformat()}


def report_row(run_id: str, report: dict[str, Any]) -> Row:
    """A report; its amounts are kept as strings."""
    return _row(report_key(run_id), to_json(report).decode())


def order_row(order: ParentOrder) -> Row:
    """A parent order at its version."""
    row = _row(Key(partition(order.run_id), ORDER + order.symbol), order.model_dump_json())
    return {**row, "version": order.version}


def intent_row(run_id: str, intent: Intent) -> Row:
    """An intent; the amount stands outside the body too, for whoever looks into the table."""
    row = _row(Key(partition(run_id), INTENT + intent.client_order_id), intent.model_dump_json())
    return {**row, "notional": intent.notional}


def fill_row(run_id: str, execution: Execution) -> Row:
    """A booked execution."""
    return _row(fill_key(run_id, execution.activity_id), execution.model_dump_json())


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
