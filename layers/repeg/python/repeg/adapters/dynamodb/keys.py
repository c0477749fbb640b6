"""The partition and sort key of each kind of row."""

from __future__ import annotations

from datetime import date, datetime

from repeg.adapters.dynamodb.encoding import Key

ACCOUNT = "ACCOUNT"
KILL = Key(ACCOUNT, "KILL")
FUNDING = Key(ACCOUNT, "FUNDING")
ARMED = Key(ACCOUNT, "ARMED")
RUN = "RUN#"
ORDER = "ORDER#"
INTENT = "INTENT#"
FILL = "FILL#"


def partition(run_id: str) -> str:
    """The partition that holds a run's rows."""
    return RUN + run_id


def guard_key(run_id: str) -> Key:
    """The small row that a run's writes are conditional on."""
    return Key(partition(run_id), "RUN")


def opening_key(run_id: str) -> Key:
    """The row of a run's opening parameters."""
    return Key(partition(run_id), "OPENING")


def usage_key(run_id: str) -> Key:
    """The row in which the steps of a run add up what they use."""
    return Key(partition(run_id), "USAGE")


def report_key(run_id: str) -> Key:
    """The row of a run's report."""
    return Key(partition(run_id), "REPORT")


def lease_key(bucket: str) -> Key:
    """The row that counts the requests leased from a bucket; the only kind of row that expires."""
    return Key(ACCOUNT, f"REQUESTS#{bucket}")


def lease_expiry(bucket: str) -> int:
    """When a bucket's row expires, in seconds since 1970: a day after the bucket's start, which ends its name."""
    return int(datetime.fromisoformat(bucket.rpartition("@")[2]).timestamp()) + 86_400


def owner_key(owner: str) -> Key:
    """The row that names the run that an execution has claimed or taken over."""
    return Key(f"OWNER#{owner}", "RUN")


def day_partition(day: date) -> str:
    """The partition that lists the runs of a trading date."""
    return f"DAY#{day.isoformat()}"


def planning_key(day: date) -> Key:
    """The row that counts the plans of a trading date."""
    return Key(day_partition(day), "PLANNING")


def turn_key(run_id: str) -> Key:
    """The row of a run's latest heartbeat."""
    return Key(partition(run_id), "TURN")


def budget_key(key: str) -> Key:
    """The row of a budget: that of `run:<run id>` is in the run's partition, any other in the account's."""
    scope, _, name = key.partition(":")
    if not name:
        raise ValueError(f"invalid budget key {key!r}; expected <scope>:<name>")
    return Key(partition(name), "BUDGET") if scope == "run" else Key(ACCOUNT, f"{scope.upper()}#{name}")


def fill_key(run_id: str, activity_id: str) -> Key:
    """The row of one execution."""
    return Key(partition(run_id), FILL + activity_id)
