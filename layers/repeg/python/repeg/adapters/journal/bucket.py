"""The journals in a stack's bucket, by run and in the order of their steps."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

from repeg.adapters.journal.files import Journalled, StepJournal, read_file
from repeg.domain.journal_file import prefix_of

# What the keys of all runs begin with.
ALL_RUNS = "journal/"

# The functions that a run calls again and again, in every turn.
TURNS = ("ValidateQuotes", "PlaceOrders", "RepegOrders")


class Stored(NamedTuple):
    """A stored file: its key, and its size in bytes."""

    key: str
    size: int


def steps_of(s3: Any, bucket: str, run_id: str, after: str = "") -> Iterator[StepJournal]:
    """The journal of every step of a run, in the order in which they began.

    `after` is the key of the last step that has been read: only later ones are listed, so that a run can be followed
    while it goes on. Raises what the client raises; an object that is damaged has its `problems`.
    """
    for key in keys_of(s3, bucket, run_id, after):
        yield step_of(s3, bucket, key)


def step_of(s3: Any, bucket: str, key: str) -> StepJournal:
    """One step's journal. Raises what the client raises."""
    return read_file(key, s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def keys_of(s3: Any, bucket: str, run_id: str, after: str = "") -> Iterator[str]:
    """The keys of a run's files, in the order of their steps."""
    for stored in files_of(s3, bucket, run_id, after):
        yield stored.key


def files_of(s3: Any, bucket: str, run_id: str, after: str = "") -> Iterator[Stored]:
    """A run's files, in the order of their steps."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix_of(run_id), StartAfter=after)
    for page in pages:
        for found in page.get("Contents", []):
            yield Stored(found["Key"], found["Size"])


def fitting(files: Sequence[Stored], most_bytes: int) -> list[Stored]:
    """The files to read where no more than so many bytes can be. Those of turns are left out, evenly spread, until the
    rest fits; what opens, plans and closes a run is always read."""
    turns = sum(each.size for each in files if _is_turn(each.key))
    room = max(0, most_bytes - (sum(each.size for each in files) - turns))
    if turns <= room:
        return list(files)
    kept, credit = list[Stored](), 0
    for each in files:
        credit += each.size * room if _is_turn(each.key) else 0
        if not _is_turn(each.key):
            kept.append(each)
        elif credit >= each.size * turns:
            credit -= each.size * turns
            kept.append(each)
    return kept


def _is_turn(key: str) -> bool:
    name = key.rpartition("/")[2]
    return any(f"-{function}-" in name for function in TURNS)


def keys_since(s3: Any, bucket: str, since: date | None, functions: Collection[str]) -> Iterator[str]:
    """The keys of all runs' files of these functions, from a date on, in order of date, run and time."""
    after = ALL_RUNS if since is None else f"{ALL_RUNS}{since.isoformat()}"
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=ALL_RUNS, StartAfter=after):
        for found in page.get("Contents", []):
            name = str(found["Key"]).rpartition("/")[2]
            if any(f"-{function}-" in name for function in functions):
                yield found["Key"]


def entries_of(s3: Any, bucket: str, run_id: str) -> Iterator[Journalled]:
    """Every entry of a run, step by step."""
    for step in steps_of(s3, bucket, run_id):
        yield from step.entries
