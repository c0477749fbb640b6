"""Each input in events/ starts a run as it is, and docs/operations.md names every field of an input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from functions.open_run.app import open_run
from repeg.workflow.opening import _FIELDS
from tests.functions.books import AAPL, KO
from tests.functions.desk import EXECUTION, Desk, OpenDesk

ROOT = Path(__file__).parents[2]
INPUTS = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "events").glob("execute_plan*.json"))}
STORED = {"s3://my-plans/rebalance.json": json.dumps(INPUTS["execute_plan"]["plan"])}


@pytest.fixture
def desk(open_desk: OpenDesk) -> Desk:
    """AAPL and KO, and the plan that is stored as an object."""
    return open_desk({"AAPL": AAPL, "KO": KO}, plans=STORED)


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_starts_a_run_as_it_is(desk: Desk, name: str) -> None:
    given: dict[str, Any] = INPUTS[name]
    run_id = open_run(given, EXECUTION, {}, desk.ports).run_id
    run = desk.store.run(run_id)
    assert run is not None
    assert run.preview is given.get("preview", False)
    assert run_id.endswith("-r2") == ("run_number" in given)


def test_the_inputs_use_every_field_that_a_person_gives() -> None:
    used = {field for given in INPUTS.values() for field in given}
    assert used == set(_FIELDS) - {"scheduled_time", "renewal"}


def test_the_operations_page_names_every_field_and_file() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for name in _FIELDS:
        assert f"| `{name}` |" in page, name
    for name in INPUTS:
        assert f"events/{name}.json" in page, name
