"""The judges of a line that is said to be `unknown`: its books are the ledger's, but for what nobody could know."""

from __future__ import annotations

import pytest

from repeg_workbench.exchange.units import QTY_SCALE
from repeg_workbench.faults.judges.record import BookedOrder, Unfound
from tests.faults.day_by_hand import CLOSES, DayByHand, at, day_with_arrival

WRONG = {"filled_differs", "report_differs", "outcome_untrue"}


def _unknown_day(booked: int) -> DayByHand:
    """The order has filled in full; the line is said to be unknown, with so many shares in its books and report."""
    day = day_with_arrival()
    order = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    day.filled(order, 620, "100", "100.01")
    day.looked_up(order.removeprefix("id "), 660, found=True)
    day.closed(CLOSES, "unknown", status="FAILED")
    line = BookedOrder("AAA", 1, booked * QTY_SCALE, "unknown", "")
    day.books(orders=(line,), reported={"AAA": booked * QTY_SCALE})
    return day


def test_an_unknown_line_whose_orders_were_shown_has_their_fills() -> None:
    assert _unknown_day(0).violations() & WRONG == WRONG
    assert _unknown_day(100).violations() & WRONG == {"outcome_untrue"}


@pytest.mark.parametrize(("found_again", "found"), [(-1, set()), (at(900), WRONG)])
def test_an_unknown_line_may_miss_the_fills_of_an_order_that_is_hidden(found_again: int, found: set[str]) -> None:
    """The broker does not find the order from 610 on. Its executions are listed without it."""
    day = _unknown_day(0)
    day.record.unfound.append(Unfound(day.record.ledger.events[0].order_id, at(610), found_again))
    assert day.violations() & {*WRONG, "judges_disagree"} == found


def test_a_hidden_order_excuses_no_fill_that_never_was() -> None:
    day = _unknown_day(101)
    day.record.unfound.append(Unfound(day.record.ledger.events[0].order_id, at(610)))
    assert day.violations() & WRONG == {"filled_differs", "report_differs"}
