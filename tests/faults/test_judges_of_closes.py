"""The judges on orders that leave after their run has been closed."""

from __future__ import annotations

import pytest

from tests.faults.day_by_hand import RUN, DayByHand, closed_day


def _sent_after_the_close(day: DayByHand, run_id: str = RUN) -> set[str]:
    """What is found of an order that leaves at 1,000, by a step that the record says is of that run."""
    day.placed(3, 1_000, "1", "100.01", bid="100.00", ask="100.10", function="RepegOrders")
    day.record.invoked[-1].run_id = run_id
    return day.violations() & {"after_close"}


@pytest.mark.parametrize("duplicate", [False, True])
def test_an_opening_after_the_close_of_a_run_does_not_open_it_again(*, duplicate: bool) -> None:
    """OpenRun answers once more where an event is delivered again."""
    day = closed_day()
    day.called("OpenRun", 980, 981, duplicate=duplicate)
    assert _sent_after_the_close(day) == {"after_close"}


def test_an_order_after_the_close_is_judged_by_the_run_that_its_id_names() -> None:
    """A step that answers that it has done nothing for a run is recorded as one of no run."""
    assert _sent_after_the_close(closed_day(), "") == {"after_close"}


def test_a_close_that_did_nothing_closes_no_run() -> None:
    day = closed_day()
    day.record.invoked[-1].run_id = ""
    assert _sent_after_the_close(day) == set()
