"""The judge of what a run says once it is over: its lines, its open orders, and the outcomes that cannot be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from repeg_workbench.faults.judges.record import Execution, Published, Unfound
from tests.faults.day_by_hand import CLOSES, RUN, DayByHand, at, day_with_arrival


def planned_day() -> DayByHand:
    """A line of 100 shares that has rested and was cancelled when its window closed; all is as it should be."""
    day = day_with_arrival()
    day.called("PlanOrders", 595, 596)
    order = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    day.ended(order, CLOSES + 1)
    day.closed(CLOSES, "partial_deadline")
    return day


def test_a_run_that_closes_its_orders_and_names_its_lines_is_no_violation() -> None:
    assert planned_day().violations() == set()


def test_a_line_that_a_run_has_lost_is_found() -> None:
    """The plan has a second line, which is neither in the books nor in the report."""
    day = planned_day()
    run = day.record.runs[0]
    other = {"symbol": "BBB", "side": "buy", "qty": "50"}
    day.record.runs[0] = replace(run, plan={**run.plan, "orders": [*run.plan["orders"], other]})
    day.record.runs[0].targets["BBB"] = (1, Decimal(50))
    assert day.violations() == {"no_outcome", "report_differs"}


def test_a_line_that_only_the_report_lacks_is_found() -> None:
    day = planned_day()
    day.books(reported={})
    assert "report_differs" in day.violations()


@pytest.mark.parametrize(("answered", "duplicate", "is_found"), [
    (True, False, True),
    (False, False, False),
    (True, True, False),
])  # fmt: skip
def test_a_run_that_has_planned_nothing_names_no_line(answered: bool, duplicate: bool, is_found: bool) -> None:
    """The kill switch closes it before it is planned: there are no lines to name."""
    day = day_with_arrival()
    day.called("PlanOrders", 595, 596, answered=answered, duplicate=duplicate)
    day.switched(597, "cancel_all")
    day.closed(960, "killed")
    day.books(orders=(), reported={})
    assert ("no_outcome" in day.violations()) is is_found


def _left_open(day: DayByHand, settled: float = 702) -> None:
    """An order is published as settled, and cancelled five minutes later."""
    order = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    day.ended(order, 1_000)
    day.closed(settled - 2, "partial_deadline")


def test_a_run_that_is_settled_with_an_order_open_is_found() -> None:
    day = day_with_arrival()
    _left_open(day)
    assert "settled_open" in day.violations()


def _failed(day: DayByHand) -> None:
    day.record.published[0] = day.record.published[0]._replace(is_failure=True)


def _settled_later(day: DayByHand) -> None:
    """A failed end comes first, and the settled one once the order has been cancelled."""
    _failed(day)
    day.record.published.append(Published(at(1_001), RUN))


def _hidden(day: DayByHand) -> None:
    day.record.unfound.append(Unfound(day.record.ledger.events[0].order_id, at(650), at(660)))


def _held_up(day: DayByHand) -> None:
    day.record.sent[0] = day.record.sent[0]._replace(at=at(580))


@pytest.mark.parametrize("act", [_failed, _settled_later, _hidden, _held_up])
def test_a_run_may_leave_an_order_that_it_could_not_know_of(act: Callable[[DayByHand], object]) -> None:
    """It says that it has failed, or the broker has not shown the order, or the network has held it up."""
    day = day_with_arrival()
    _left_open(day)
    act(day)
    assert "settled_open" not in day.violations()


@pytest.mark.parametrize(("act", "is_found"), [
    (lambda _day: None, True),
    (_failed, False),
    (lambda day: day.record.executions.insert(0, Execution("first", RUN, at(0), at(590), "FAILED", 5)), False),
])  # fmt: skip
def test_a_run_whose_order_is_unknown_has_failed(act: Callable[[DayByHand], object], is_found: bool) -> None:
    day = day_with_arrival()
    order = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    day.ended(order, CLOSES + 1)
    day.closed(CLOSES, "unknown")
    act(day)
    assert ("unknown_settled" in day.violations()) is is_found


@pytest.mark.parametrize("outcome", ["no_trade", "not_sized", "preview", "ended_by_owner", "ended_by_unknown_hand"])
def test_a_line_that_was_worked_until_its_window_closed_was_traded(outcome: str) -> None:
    """No other hand has touched it either."""
    day = planned_day()
    day.booked(outcome)
    assert day.violations() == {"outcome_untrue"}
