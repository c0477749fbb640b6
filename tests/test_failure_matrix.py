"""The page of failures names tests that exist, and faults that strike."""

from __future__ import annotations

import pytest

from repeg_workbench.docs.failure_matrix import PAGE, Row, UnknownTest, names_in, page, rows
from repeg_workbench.faults.fault_plan import PortFault, WorkflowFault
from repeg_workbench.faults.seeded_days import RACES


def test_the_page_on_disk_is_the_one_the_rows_write() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(rows()), "run python -m repeg_workbench.docs.failure_matrix"


def test_every_one_of_the_thirty_faults_has_a_test() -> None:
    assert len(rows()) == 30
    assert all(row.tests for row in rows())


def test_every_kind_of_the_simulation_stands_in_the_table() -> None:
    told = {fault for row in rows() for fault in row.simulated}
    assert told >= set(PortFault) | set(WorkflowFault)
    assert told <= set(PortFault) | set(WorkflowFault) | set(RACES)


@pytest.mark.parametrize("test", ["tests/test_failure_matrix.py::test_nobody_wrote_me", "tests/nowhere.py::test_x"])
def test_a_test_that_does_not_exist_is_refused(test: str) -> None:
    with pytest.raises(UnknownTest, match=test.partition("::")[2]):
        page([Row("a fault", "nothing", (), (test,))])


def test_names_are_found_in_their_files() -> None:
    assert "test_names_are_found_in_their_files" in names_in("tests/test_failure_matrix.py")
