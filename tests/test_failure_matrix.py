"""The failure matrix names existing tests and every simulated fault."""

from __future__ import annotations

import pytest

from repeg_workbench.docs.failure_matrix import PAGE, Row, UnknownTest, names_in, page, rows
from repeg_workbench.faults.fault_plan import PortFault, WorkflowFault
from repeg_workbench.faults.seeded_days import RACES


def test_the_failure_matrix_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(rows()), "run python -m repeg_workbench.docs.failure_matrix"


def test_each_of_the_32_faults_has_a_test() -> None:
    assert len(rows()) == 32
    assert all(row.tests for row in rows())


def test_every_simulated_fault_is_in_the_table() -> None:
    simulated = {fault for row in rows() for fault in row.simulated}
    assert simulated >= set(PortFault) | set(WorkflowFault)
    assert simulated <= set(PortFault) | set(WorkflowFault) | set(RACES)


@pytest.mark.parametrize("test", ["tests/test_failure_matrix.py::test_absent", "tests/nowhere.py::test_x"])
def test_a_missing_test_is_refused(test: str) -> None:
    with pytest.raises(UnknownTest, match=test.partition("::")[2]):
        page([Row("a fault", "nothing", (), (test,))])


def test_names_are_found_in_their_files() -> None:
    assert "test_names_are_found_in_their_files" in names_in("tests/test_failure_matrix.py")
