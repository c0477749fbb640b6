"""Rows that earlier releases stored, read by this one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from repeg.adapters.dynamodb import rows
from repeg.adapters.dynamodb.encoding import decode_row
from repeg.domain.broker import Execution
from repeg.domain.intent import Intent
from repeg.domain.outcome import HoldReason
from tests.contracts.tables import a_client
from tests.stored_rows.record import every_kind
from tests.stored_rows.recording import KINDS, Recorder, can_be_held, held_by, kind_of

RELEASES = sorted(Path(__file__).parent.glob("*.json"))
NEWEST = max(RELEASES, key=lambda path: len(json.loads(path.read_text()).get("after", ())))
Row = dict[str, Any]

READERS: dict[str, Callable[[Row], object]] = {
    "run_guard": rows.read_guard,
    "opening": rows.read_opening,
    "owner": rows.read_run_id,
    "day": rows.read_run_id,
    "turn": rows.read_turn,
    "report": rows.read_report,
    "order": rows.read_order,
    "intent": lambda row: rows.read_model(Intent, row),
    "fill": lambda row: rows.read_model(Execution, row),
    "run_budget": rows.read_spent,
    "day_budget": rows.read_spent,
    "kill_switch": rows.read_kill_switch,
    "arming": lambda row: row["until"] == "" or rows.read_armed_until(row),
    # Read by the table's own condition only.
    "planning": rows.read_version,
    "funding_lease": lambda row: row["holder"],
    "request_lease": lambda row: int(row["granted"]) if "granted" in row else row,
}

# Written by no release: how a reason that this one does not know is read, and what was wrong with a quote that no order
# is decided on.
NEVER_STORED = {"ParentOrder.held is other", "Quote.impossible"}


def stored() -> Iterator[Any]:
    """Every stored row of every release, as the table's client returns it."""
    for release in RELEASES:
        for number, row in enumerate(json.loads(release.read_text())["rows"]):
            item = decode_row(row["item"])
            yield pytest.param(row["kind"], item, id=f"{release.stem}-{row['kind']}-{number}")


@pytest.mark.parametrize(("kind", "row"), list(stored()))
def test_a_row_of_an_earlier_release_can_be_read(kind: str, row: Row) -> None:
    assert READERS[kind](row) is not None


@pytest.mark.parametrize(("kind", "row"), [each for each in stored() if each.values[0] == "order"])
def test_a_stored_order_keeps_everything_that_was_written(kind: str, row: Row) -> None:
    """Nothing that the row says is lost or changed by reading it."""
    body = json.loads(row["body"])
    read = json.loads(rows.read_order(row).model_dump_json())
    held = body.pop("held", None)
    assert read["held"] == (HoldReason(held) if held else None)
    assert {name: read[name] for name in body if name != "children"} == {
        n: v for n, v in body.items() if n != "children"
    }
    for child, found in zip(body.get("children", []), read["children"], strict=True):
        assert {name: found[name] for name in child} == child


def test_the_newest_file_holds_every_field_and_every_state_that_is_stored() -> None:
    """Where this fails, the release stores something new: `python -m tests.stored_rows.record NAME` records it."""
    held: set[str] = set()
    for row in json.loads(NEWEST.read_text())["rows"]:
        held |= held_by(row["item"])
    assert can_be_held() - held - NEVER_STORED == set()
    assert NEVER_STORED.isdisjoint(held)


def test_the_newest_file_holds_every_kind_of_row_with_its_present_attributes() -> None:
    """A day of today is played to its end, and each of its rows has no attribute that the file does not know."""
    held: set[str] = set()
    for row in json.loads(NEWEST.read_text())["rows"]:
        held |= held_by(row["item"])
    recorder = Recorder()
    with mock_aws():
        every_kind(recorder, a_client())
    assert {name for row in recorder.rows for name in held_by(row["item"])} <= held
    assert {kind_of(row["item"]) for row in recorder.rows} == {kind for _, _, kind in KINDS}


def test_the_store_of_a_release_without_a_field_is_noticed() -> None:
    """A file without one order's field, as it would be after the model gained it."""
    order = next(row["item"] for row in json.loads(NEWEST.read_text())["rows"] if row["kind"] == "order")
    body = json.loads(order["body"]["S"])
    del body["retry_at"]
    assert "ParentOrder.retry_at" in can_be_held()
    assert "ParentOrder.retry_at" not in held_by({**order, "body": {"S": json.dumps(body)}})
