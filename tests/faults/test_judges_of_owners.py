"""Whose cancel it was, as a judge knows it: the owner's, the run's own, or one that nothing tells apart."""

from __future__ import annotations

import pytest

from tests.faults.day_by_hand import at, day_with_arrival


@pytest.mark.parametrize(
    ("marked", "struck", "answered", "found"),
    [
        (609, True, False, False),
        (609, False, False, True),
        (609, True, True, True),
        (488, True, False, False),
        (487, True, False, True),
        (612, True, False, False),
        (613, True, False, True),
    ],
)
def test_a_cancel_after_a_mark_whose_step_died_may_be_the_runs_own(
    marked: float, struck: bool, answered: bool, found: bool
) -> None:
    """Within two minutes of the mark, when its request has arrived or never will. Clocks differ by two seconds."""
    day = day_with_arrival()
    order = day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10")
    day.ended(order, 610, asked=False)
    step = day.called("RepegOrders", marked, marked + 1, answered=answered, struck=struck)
    day.record.cancels.mark(at(marked), [order], step)
    day.placed(2, 620, "1", "100.01", bid="100.00", ask="100.10")
    assert ("sent_after_owner" in day.violations()) is found


def test_a_mark_of_another_order_says_nothing() -> None:
    day = day_with_arrival()
    order = day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10")
    day.ended(order, 610, asked=False)
    day.record.cancels.mark(at(609), ["another"], day.called("RepegOrders", 609, 610, answered=False, struck=True))
    day.placed(2, 620, "1", "100.01", bid="100.00", ask="100.10")
    assert "sent_after_owner" in day.violations()


def test_the_first_mark_of_an_order_in_a_step_is_kept() -> None:
    cancels = day_with_arrival().record.cancels
    for time, step in ((609, 7), (610, 7), (611, 8)):
        cancels.mark(at(time), ["order"], step)
    assert [(mark.at, mark.invocation) for mark in cancels.marks] == [(at(609), 7), (at(611), 8)]
