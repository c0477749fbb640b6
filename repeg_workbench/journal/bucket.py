"""The journals in a stack's bucket, by run and in the order of their steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from repeg.domain.journal_file import prefix_of
from repeg_workbench.journal.files import Journalled, StepJournal, read_file


def steps_of(s3: Any, bucket: str, run_id: str, after: str = "") -> Iterator[StepJournal]:
    """The journal of every step of a run, in the order in which they began.

    `after` is the key of the last step that has been read: only later ones are listed, so that a run can be followed
    while it goes on. Raises what the client raises; an object that is damaged has its `problems`.
    """
    for key in keys_of(s3, bucket, run_id, after):
        yield read_file(key, s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def keys_of(s3: Any, bucket: str, run_id: str, after: str = "") -> Iterator[str]:
    """The keys of a run's files, in the order of their steps."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix_of(run_id), StartAfter=after)
    for page in pages:
        for found in page.get("Contents", []):
            yield found["Key"]


def entries_of(s3: Any, bucket: str, run_id: str) -> Iterator[Journalled]:
    """Every entry of a run, step by step."""
    for step in steps_of(s3, bucket, run_id):
        yield from step.entries
