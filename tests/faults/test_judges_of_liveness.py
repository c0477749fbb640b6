"""The judge of what should have happened: an order that is never sent or cancelled, an end that is not published."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from repeg_workbench.faults.judges.placed import Placed, due_once_found
from repeg_workbench.faults.judges.record import Published, Unfound
from tests.faults.day_by_hand import CLOSES, LAST, RUN, DayByHand, at, clean_day, day_with_arrival

STEPS = (600, 630, 660)


def waiting_day(ask: str = "100.10", settings: dict[str, Any] | None = None, **account: Any) -> DayByHand:
    """A run whose placing steps are served quotes and send nothing, until its window closes."""
    day = day_with_arrival(settings, **account)
    for begins in STEPS:
        number = day.called("PlaceOrders", begins, begins + 1)
        day.quoted(begins + 0.5, "100.00", ask, invocation=number)
    day.closed(CLOSES, "partial_deadline")
    return day


def test_a_line_that_could_trade_and_is_never_sent_is_idle() -> None:
    assert waiting_day().violations() == {"idle"}
    assert waiting_day(side=-1, held="100").violations() == {"idle"}


def test_a_line_that_is_sent_hours_late_was_idle_although_it_has_filled() -> None:
    day = waiting_day()
    order = day.placed(1, CLOSES - 200, "100", "100.01", bid="100.00", ask="100.10")
    day.filled(order, CLOSES - 150, "100", "100.01")
    day.closed(CLOSES)
    assert day.violations() == {"idle"}


@pytest.mark.parametrize(("ask", "places", "is_struck", "found"), [
    ("100.10", False, False, {"idle"}),
    ("100.10", True, False, set()),
    ("100.10", False, True, set()),
    ("101.00", False, False, set()),
])  # fmt: skip
def test_a_line_is_idle_if_its_quote_is_accepted_and_no_step_places(
    ask: str, places: bool, is_struck: bool, found: set[str]
) -> None:
    """The second of two accepted quotes is half a minute after the first; a placing step has its own quotes."""
    day = DayByHand()
    for begins in (600, 630):
        number = day.looked_at(begins, "100.00", ask)
        day.record.invoked[number].is_struck = is_struck and begins == 630
        if places:
            day.called("PlaceOrders", begins + 1, begins + 2)
    day.closed(CLOSES, "partial_deadline")
    assert day.violations() & {"idle"} == found


@pytest.mark.parametrize(
    ("duplicate", "ends", "found"), [(False, 602, {"idle"}), (True, 602, set()), (False, 615, set())]
)
def test_a_line_is_not_idle_after_a_quote_step_that_nothing_follows(
    duplicate: bool, ends: float, found: set[str]
) -> None:
    """A placing step begins at 601; half a minute lies between the accepted quotes after it."""
    day = DayByHand()
    day.looked_at(600, "100.00", "100.10")
    day.called("PlaceOrders", 601, ends)
    day.record.invoked[day.looked_at(610, "100.00", "100.10")].is_duplicate = duplicate
    day.looked_at(640, "100.00", "100.10")
    day.closed(CLOSES, "partial_deadline")
    assert day.violations() & {"idle"} == found


@pytest.mark.parametrize("account", [{"cash": "29000"}, {"settings": {"max_run_orders": 1}}, {"ask": "101.00"}])
def test_a_line_waits_for_cash_for_a_budget_or_for_its_quote(account: dict[str, Any]) -> None:
    assert waiting_day(**account).violations() == set()


@pytest.mark.parametrize(("reserve", "found"), [("0.9", {"idle"}), ("0.98", set())])
def test_a_line_waits_for_the_cash_beside_what_its_plan_keeps(reserve: str, found: set[str]) -> None:
    """A million dollars, of which all buys three times over take 30,030."""
    day = waiting_day()
    run = replace(day.record.runs[0], plan={**day.record.runs[0].plan, "cash_reserve": reserve})
    day.record.runs[0] = run
    assert day.violations() == found


@pytest.mark.parametrize(("side", "found"), [(1, set()), (-1, {"idle"})])
def test_a_line_waits_for_the_cash_that_its_owner_has_spent(side: int, found: set[str]) -> None:
    """A million dollars, of which the owner spends 990,000; or sells as much."""
    day = waiting_day()
    day.filled(day.arrived("by hand", 595, "9900", "100.00", side=side), 595, "9900", "100.00")
    day.record.ledger.executions[0] = day.record.ledger.executions[0]._replace(symbol="BBB")
    assert day.violations() & {"idle"} == found


@pytest.mark.parametrize(("due", "found"), [(900, 700 + 720), (5_000, 5_000)])
def test_a_request_that_was_held_up_brings_no_limit_forward(due: int, found: int) -> None:
    day = clean_day()
    day.record.sent = [sent._replace(at=at(600), arrived=at(700)) for sent in day.record.sent[:1]]
    order = Placed(day.record.ledger.events[0], 100, None, is_owners=False)
    assert due_once_found(day.record, [order], at(650), at(due), at(720) - at(0)) == at(found)


def test_a_line_is_not_idle_while_a_fault_strikes_its_steps() -> None:
    day = waiting_day()
    day.record.invoked[2].is_struck = True
    assert day.violations() == set()


def test_a_line_is_not_idle_while_faults_keep_its_arrival_from_being_stored() -> None:
    day = waiting_day()
    day.called("ValidateQuotes", 629, 629.5, struck=True)
    day.record.invoked.sort(key=lambda each: each.began)
    assert day.violations() == set()


def test_a_line_is_not_idle_while_an_order_of_it_is_open() -> None:
    day = day_with_arrival()
    day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    for begins in (900, 930, 960):
        number = day.called("PlaceOrders", begins, begins + 1)
        day.quoted(begins + 0.5, "100.00", "100.10", invocation=number)
    day.ended(f"id {day.record.sent[0].client_order_id}", CLOSES)
    day.closed(CLOSES, "partial_deadline")
    assert day.violations() == set()


def _cancelled_at(when: float) -> DayByHand:
    day = day_with_arrival()
    order = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    day.switched(700, "cancel_all")
    day.ended(order, when)
    day.closed(when + 1, "killed")
    return day


def test_cancel_all_closes_every_order_in_time() -> None:
    """Two turns of 30 seconds, and 210 seconds for the step and its cancel."""
    assert _cancelled_at(969).violations() == set()
    assert _cancelled_at(971).violations() == {"not_cancelled"}


@pytest.mark.parametrize(
    ("lifted", "state", "found"),
    [(700, "halt_new", set()), (789, "active", set()), (791, "active", {"not_cancelled"}),
     (701, "cancel_all", {"not_cancelled"})],
)  # fmt: skip
def test_cancel_all_that_is_lifted_before_a_turn_has_read_it_closes_nothing(
    lifted: float, state: str, found: set[str]
) -> None:
    """A turn of 30 seconds, and a minute for it to begin."""
    day = _cancelled_at(1_300)
    day.switched(lifted, state)
    assert day.violations() == found


@pytest.mark.parametrize(("is_event_lost", "is_found"), [(True, False), (False, True)])
def test_cancel_all_waits_for_the_watchdog_where_the_runs_end_is_not_known(is_event_lost: bool, is_found: bool) -> None:
    day = _cancelled_at(1_300)
    day.record.executions[0].status, day.record.executions[0].ended = "ABORTED", at(690)
    day.record.executions[0].is_event_lost = is_event_lost
    assert ("not_cancelled" in day.violations()) is is_found


def test_cancel_all_has_more_time_after_a_fault() -> None:
    day = _cancelled_at(971)
    day.record.invoked[1].is_struck = True
    day.record.invoked[1].began, day.record.invoked[1].ended = at(720), at(721)
    assert day.violations() == set()


def test_cancel_all_has_more_time_during_an_outage() -> None:
    day = _cancelled_at(971)
    day.away(720, 730)
    assert day.violations() == set()


@pytest.mark.parametrize(("when", "found"), [(963 + 299, set()), (963 + 301, {"published_late"})])
def test_the_end_of_a_run_is_published_in_time(when: float, found: set[str]) -> None:
    day = clean_day()
    day.closed(960)
    day.record.published = [Published(at(when), RUN)]
    assert day.violations() == found


def test_an_end_that_is_never_published_is_a_violation() -> None:
    day = clean_day()
    day.closed(960)
    day.record.published.clear()
    assert day.violations() == {"published_late"}


@pytest.mark.parametrize(("began", "ended", "closed", "due"), [
    (650, 800, 900, 800 + 720),
    (650, 690, 900, 700 + 720),
    (650, 800, 1_500, 1_500 + 120),
    (650, 800, 1_521, 800 + 720),
])  # fmt: skip
def test_the_end_of_a_dead_run_waits_for_its_last_step_and_its_last_order(
    began: float, ended: float, closed: float, due: float
) -> None:
    """Its execution died at 700, and the event of that was lost. The broker closes its order at some time."""
    for when, found in ((due - 1, False), (due + 1, True)):
        day = day_with_arrival()
        order = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
        day.called("RepegOrders", began, ended)
        day.closed(700, "partial_deadline", status="ABORTED")
        day.record.invoked.pop()
        day.record.executions[0].ended, day.record.executions[0].is_event_lost = at(700), True
        day.ended(order, closed)
        day.record.published = [Published(at(when), RUN)]
        assert ("published_late" in day.violations()) is found


def _hidden_day(found: float, published: float) -> DayByHand:
    """A run that fails because the broker does not find its open order, and whose end is published later."""
    day = day_with_arrival()
    order = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    day.record.unfound.append(Unfound(order, at(700), at(found)))
    day.ended(order, min(found + 60, LAST))
    day.closed(960, "partial_deadline", status="FAILED")
    day.record.published = [Published(at(published), RUN)]
    return day


def _late(day: DayByHand) -> set[str]:
    return day.violations() & {"published_late", "unswept"}


def test_an_end_may_wait_until_the_broker_finds_an_order_again() -> None:
    """Twelve minutes, two passes of the watchdog, count from that moment."""
    assert _late(_hidden_day(found=5_000, published=5_000 + 719)) == set()
    assert _late(_hidden_day(found=5_000, published=5_000 + 721)) == {"published_late"}


def test_an_end_waits_no_longer_than_the_session_for_an_order() -> None:
    day = _hidden_day(found=LAST + 900, published=LAST + 719)
    assert _late(day) == set()
    day.record.published = [Published(at(LAST + 721), RUN)]
    assert _late(day) == {"published_late"}
    day.record.unfound[0].until = -1
    assert _late(day) == {"published_late"}
    day.record.published = [Published(at(LAST + 719), RUN)]
    assert _late(day) == set()


def test_an_end_does_not_wait_for_an_order_that_was_found_before() -> None:
    day = _hidden_day(found=5_000, published=1_700)
    day.record.unfound[0].until = at(950)
    assert _late(day) == {"published_late", "unswept"}


def test_an_order_that_was_found_before_the_end_gives_no_more_time() -> None:
    day = clean_day()
    day.closed(960)
    day.record.unfound.append(Unfound(day.record.ledger.events[0].order_id, at(700), at(950)))
    day.record.published = [Published(at(963 + 301), RUN)]
    assert day.violations() == {"published_late"}


def test_an_end_does_not_wait_for_an_order_of_another_run() -> None:
    day = _hidden_day(found=5_000, published=1_700)
    day.record.unfound[0].order_id = "another run's"
    assert _late(day) == {"published_late", "unswept"}


def test_cancel_all_may_wait_until_the_broker_finds_an_order_again() -> None:
    day = _cancelled_at(1_500)
    day.record.unfound.append(Unfound(day.record.ledger.events[0].order_id, at(690), at(800)))
    assert day.violations() == set()
    day.record.unfound[0].until = at(779)
    assert day.violations() == {"not_cancelled"}
