"""Rows that earlier releases stored, read by this one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from repeg.adapters.dynamodb import rows
from repeg.adapters.dynamodb.encoding import decode_row
from repeg.domain.broker import Execution
from repeg.domain.intent import Intent
from repeg.domain.outcome import HoldReason

RELEASES = sorted(Path(__file__).parent.glob("*.json"))
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
    # Read by the table's own condition only.
    "request_lease": lambda row: int(row["granted"]) if "granted" in row else row,
}


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
