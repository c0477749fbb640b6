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


def _bought_again(status: str, when: float, qty: str) -> set[str]:
    """What is found of the quantities where the owner's move of a first order to 150 shares ends at 611 with that
    status, and a second order buys so many."""
    day = day_with_arrival()
    first = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    moved = day.arrived("the broker's own id", 610, "150", "99.50", replaces=first)
    if status == "replaced":
        day.ended(first, 611, status, asked=False)
    else:
        day.ended(moved, 611, status, asked=False)
    if when > 700:
        day.ended(first, 700)
    day.filled(day.placed(2, when, qty, "100.01", bid="100.00", ask="100.10"), when + 9, qty, "100.01")
    return day.violations() & {"more_than_target", "two_live_children", "judges_disagree"}


@pytest.mark.parametrize(("qty", "found"), [("100", set()), ("101", {"more_than_target"})])
def test_a_rejected_move_of_the_owners_changes_no_limit_of_a_line(qty: str, found: set[str]) -> None:
    assert _bought_again("rejected", 701, qty) == found


def test_an_order_beside_the_first_after_a_rejected_move_is_a_second() -> None:
    assert _bought_again("rejected", 650, "100") == {"more_than_target", "two_live_children"}


@pytest.mark.parametrize(("qty", "found"), [("100", set()), ("101", {"more_than_target"})])
def test_an_order_of_ours_keeps_the_target_beside_what_its_owner_moved(qty: str, found: set[str]) -> None:
    """The owner's 150 shares are no fault of the program's; its own order may be as large as the target."""
    assert _bought_again("replaced", 650, qty) == found
