"""The simulator page's tables agree with the code, and every row, quirk, fault and race has a test."""

from dataclasses import fields

import pytest

from repeg_workbench.exchange import broker_quirks
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.faults.rewrites import REWRITES
from repeg_workbench.exchange.faults.stream_faults import StreamFailure
from repeg_workbench.exchange.faults.transport_faults import Kind
from tests.conformance import experience
from tests.conformance.rows import ROWS
from tests.conformance.tables import PAGE, documented, fault_tests, page_with, row_tests, tables


def test_the_simulator_pages_tables_are_up_to_date() -> None:
    page = PAGE.read_text()
    assert page_with(tables(), page) == page, "run: python -m tests.conformance.tables"


def test_the_conformance_list_has_every_row_from_1_once() -> None:
    assert [row.number for row in ROWS] == list(range(1, len(ROWS) + 1))


def test_every_row_has_a_test_and_every_row_test_has_a_row() -> None:
    assert set(row_tests()) == {row.number for row in ROWS}


def test_every_broker_quirk_is_explained_and_belongs_to_a_row() -> None:
    named = " ".join(row.knob for row in ROWS).replace(",", "").split()
    meanings = documented(broker_quirks.__file__, "BrokerQuirks")
    for knob in fields(BrokerQuirks):
        assert knob.name in meanings
        assert knob.name in named or knob.name == "data_rate_headers"


@pytest.mark.parametrize(
    ("names", "seen"),
    [
        (Kind, experience.FAULTS),
        (StreamFailure, experience.STREAM_FAULTS),
        (Race, experience.RACES),
        (REWRITES, experience.REWRITES),
    ],
)
def test_every_fault_and_race_documents_the_clients_experience(names: object, seen: dict[str, str]) -> None:
    assert {str(name) for name in names} == set(seen)  # type: ignore[attr-defined]


def test_every_fault_and_race_has_a_test() -> None:
    assert [name for name, tests in fault_tests().items() if not tests] == []


def test_a_page_without_a_tables_markers_is_an_error() -> None:
    with pytest.raises(KeyError, match="rows"):
        page_with({"rows": ""}, "# no place")
