"""The durable journal: what it stores, and that no failure of its store reaches a step."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3  # noqa: TID251 - the adapter's tests bring it its client
import pytest
from botocore.config import Config  # noqa: TID251 - as above

from repeg import lambda_step
from repeg.adapters import durable_journal
from repeg.adapters.aws import AWS_ONCE
from repeg.adapters.durable_journal import DurableJournal
from repeg.adapters.journal.files import StepJournal, read_file
from repeg.adapters.s3 import S3Objects
from repeg.domain.journal import Entry
from repeg.domain.steps import AnyEvent, RunsWatched
from repeg_workbench.faults.records import MemoryJournal
from tests.adapters.scripted_server import answer, drip, say_nothing, scripted

NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)
RUN_ID = "core-2026-11-23"
PLENTY = 30.0


class Shelf:
    """Objects in memory; `act` is called before each is stored."""

    def __init__(self, act: Callable[[], object] = lambda: None) -> None:
        self.objects: dict[str, bytes] = {}
        self._act = act

    def put(self, key: str, body: bytes) -> None:
        self._act()
        self.objects[key] = body

    def files(self) -> list[StepJournal]:
        return [read_file(key, body) for key, body in sorted(self.objects.items())]


def an_entry(run_id: str = RUN_ID, detail: str = "40 @ 189.41") -> Entry:
    return Entry(NOON, run_id, "AAPL", "fill", detail)


def a_journal(shelf: Any) -> tuple[DurableJournal, MemoryJournal, Counter[str]]:
    """A journal on a shelf, the journal behind it, and what it counts."""
    inner, counts = MemoryJournal(), Counter[str]()

    def count(metric: str, value: int) -> None:
        counts[metric] += value

    return DurableJournal(inner, shelf, count), inner, counts


def refuse() -> None:
    raise OSError("AccessDenied")


def test_an_entry_is_passed_on_at_once_and_stored_at_the_end_of_the_step() -> None:
    shelf = Shelf()
    journal, inner, counts = a_journal(shelf)
    journal.record(an_entry())
    assert (inner.entries, shelf.objects) == ([an_entry()], {})
    journal.flush("RepegOrders", "42", PLENTY)
    (file,) = shelf.files()
    assert [each.entry for each in file.entries] == [an_entry()]
    assert (file.run_id, file.function, file.invocation) == (RUN_ID, "RepegOrders", "42")
    assert (file.problems, counts) == ([], {})


def test_a_step_that_records_nothing_stores_nothing() -> None:
    shelf = Shelf()
    journal, _, _ = a_journal(shelf)
    journal.record(an_entry())
    journal.flush("RepegOrders", "42", PLENTY)
    journal.flush("RepegOrders", "43", PLENTY)
    assert len(shelf.objects) == 1


def test_a_step_that_works_on_two_runs_stores_a_file_for_each() -> None:
    shelf = Shelf()
    journal, _, _ = a_journal(shelf)
    for run_id in ("core-2026-11-23", "core-2026-11-20-r2", ""):
        journal.record(an_entry(run_id))
    journal.flush("WatchRuns", "42", PLENTY)
    assert sorted(shelf.objects) == [
        "journal/2026-11-20/core-2026-11-20-r2/20261123T170000.000000Z-WatchRuns-42.jsonl.gz",
        "journal/2026-11-23/core-2026-11-23/20261123T170000.000000Z-WatchRuns-42.jsonl.gz",
        "journal/none/none/20261123T170000.000000Z-WatchRuns-42.jsonl.gz",
    ]


def test_a_store_that_fails_loses_the_entries_counts_them_and_says_why() -> None:
    journal, inner, counts = a_journal(Shelf(refuse))
    for _ in range(3):
        journal.record(an_entry())
    journal.flush("RepegOrders", "42", PLENTY)
    assert counts == {"JournalLost": 3}
    lost = inner.entries[-1]
    assert (lost.verb, lost.detail, lost.reason, lost.is_abnormal) == (
        "lost",
        "3 entries",
        "OSError: AccessDenied",
        True,
    )


def test_a_store_that_fails_once_does_not_lose_the_next_steps_entries() -> None:
    failing = [True]
    shelf = Shelf(lambda: refuse() if failing.pop() else None)
    journal, _, counts = a_journal(shelf)
    journal.record(an_entry())
    journal.flush("RepegOrders", "42", PLENTY)
    failing += [False]
    journal.record(an_entry())
    journal.flush("RepegOrders", "43", PLENTY)
    assert (len(shelf.objects), counts) == (1, {"JournalLost": 1})


def test_a_store_that_never_answers_holds_a_step_for_its_patience_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_journal, "PATIENCE_SECONDS", 0.05)
    release = threading.Event()
    journal, inner, counts = a_journal(Shelf(lambda: release.wait(30) and None))
    journal.record(an_entry())
    began = time.monotonic()
    journal.flush("RepegOrders", "42", PLENTY)
    took = time.monotonic() - began
    release.set()
    assert took < 5
    assert (counts, inner.entries[-1].reason) == ({"JournalLost": 1}, "not stored within 0.05 seconds")


@pytest.mark.parametrize("reply", [say_nothing, drip])
def test_a_real_client_of_a_silent_store_holds_a_step_for_its_patience_only(
    reply: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable_journal, "PATIENCE_SECONDS", 0.5)
    with scripted(reply) as server:
        journal, _, counts = a_journal(S3Objects(lambda: a_client(server.url), "journal"))
        journal.record(an_entry())
        began = time.monotonic()
        journal.flush("RepegOrders", "42", PLENTY)
        took = time.monotonic() - began
    assert (took < 5, counts) == (True, {"JournalLost": 1})


@pytest.mark.parametrize("status", [403, 503])
def test_a_real_client_asks_a_store_that_refuses_once(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_journal, "PATIENCE_SECONDS", 10)
    with scripted(*[answer(status)] * 3) as server:
        journal, inner, counts = a_journal(S3Objects(lambda: a_client(server.url), "journal"))
        journal.record(an_entry())
        journal.flush("RepegOrders", "42", PLENTY)
        assert (len(server.asked), counts) == (1, {"JournalLost": 1})
    assert f"({status})" in inner.entries[-1].reason


def a_client(url: str) -> Any:
    """A client configured as deployed, of a server on this machine."""
    config = AWS_ONCE.merge(Config(s3={"addressing_style": "path"}))
    return boto3.client(
        "s3", endpoint_url=url, config=config, region_name="us-east-1",
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip


def test_a_step_near_its_time_limit_does_not_wait_for_its_journal() -> None:
    shelf = Shelf()
    journal, inner, counts = a_journal(shelf)
    journal.record(an_entry())
    journal.flush("RepegOrders", "42", 5.9)
    assert (shelf.objects, counts) == ({}, {"JournalLost": 1})
    assert inner.entries[-1].reason == "5.9 seconds before the function's time limit"


def test_a_step_with_endless_entries_keeps_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_journal, "MOST_ENTRIES", 2)
    shelf = Shelf()
    journal, _, counts = a_journal(shelf)
    for number in range(5):
        journal.record(an_entry(detail=str(number)))
    journal.flush("RepegOrders", "42", PLENTY)
    (file,) = shelf.files()
    assert [each.entry.detail for each in file.entries] == ["0", "1"]
    assert (file.problems, counts) == (["the step dropped 3 entries"], {"JournalLost": 3})


class FailingJournal(MemoryJournal):
    """A journal whose log is broken."""

    def record(self, entry: Entry) -> None:
        raise OSError("no space left on device")


def test_a_broken_log_does_not_break_the_loss_of_a_journal() -> None:
    journal = DurableJournal(FailingJournal(), Shelf(refuse), lambda _metric, _value: None)
    with pytest.raises(OSError, match="no space"):
        journal.record(an_entry())
    journal.flush("RepegOrders", "42", PLENTY)


# The end of a step


CONTEXT: Any = SimpleNamespace(
    function_name="repeg-paper-WatchRuns-1A2B", memory_limit_in_mb=512, invoked_function_arn="arn",
    aws_request_id="id-1", get_remaining_time_in_millis=lambda: 30_000,
)  # fmt: skip


@pytest.mark.parametrize("fails", [False, True])
def test_every_step_flushes_the_journal_also_one_that_fails(monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    monkeypatch.setenv("STACK_NAME", "repeg-paper")
    flushed: list[tuple[str, str, float]] = []

    @lambda_step.lambda_step
    def handler(_payload: AnyEvent, _context: Any) -> RunsWatched:
        if fails:
            raise ValueError("broken")
        return RunsWatched(alerts=())

    lambda_step.flush_at_end(lambda *given: flushed.append(given))
    try:
        if fails:
            with pytest.raises(ValueError, match="broken"):
                handler({}, CONTEXT)
        else:
            handler({}, CONTEXT)
    finally:
        lambda_step.flush_at_end()
    assert flushed == [("WatchRuns", "id-1", 30.0)]
