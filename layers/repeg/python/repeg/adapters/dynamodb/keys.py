"""Where each row stands: partition and sort key, by what it is about."""

from __future__ import annotations

from datetime import date, datetime

from repeg.adapters.dynamodb.wire import Key

ACCOUNT = "ACCOUNT"
KILL = Key(ACCOUNT, "KILL")
RUN = "RUN#"
ORDER = "ORDER#"
INTENT = "INTENT#"
FILL = "FILL#"


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
