"""The judges at the end of a day, and of what must be over in time: found where violated, silent on the clean day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from repeg_workbench.exchange.units import QTY_SCALE
from repeg_workbench.faults.judges.record import ALL_THREADS, BookedOrder, Execution, HeldUp, Unfound
from tests.faults.day_by_hand import CLOSES, RUN, DayByHand, at, closed_day, day_with_arrival


def _open(day: DayByHand) -> None:
    day.placed(3, 961, "0", "100.01", bid="100.00", ask="100.10")


def _not_run(day: DayByHand) -> None:
    day.record.books.clear()


ENDS: dict[str, tuple[str, Callable[[DayByHand], None]]] = {
    "an order left open": ("left_open", _open),
    "orders without a run": ("orders_without_run", _not_run),
    "no report": ("no_report", lambda day: day.books(reported=None)),
    "no event": ("not_published_once", lambda day: day.books(published=())),
    "two events": ("not_published_once", lambda day: day.books(published=("a", "b"))),
    "a fill that is not booked": ("books_differ", lambda day: day.books(executions=())),
    "no outcome": ("no_outcome", lambda day: day.books(orders=(_line(outcome=""),))),
    "another quantity": ("filled_differs", lambda day: day.books(orders=(_line(filled=99),))),
    "another quantity in the report": ("report_differs", lambda day: day.books(reported={"AAA": 99 * QTY_SCALE})),
    "a full order called partial": ("outcome_untrue", lambda day: day.books(orders=(_line("partial_deadline"),))),
    "no line in the report": ("report_differs", lambda day: day.books(reported={})),
    "killed without a kill switch": ("killed_without_switch", lambda day: day.books(orders=(_line("killed"),))),
}


def _line(outcome: str = "filled", filled: int = 100) -> BookedOrder:
    return BookedOrder("AAA", 1, filled * QTY_SCALE, outcome, "")


@pytest.mark.parametrize(("name", "spoil"), ENDS.values(), ids=list(ENDS))
def test_the_judge_finds_at_the_end(name: str, spoil: Callable[[DayByHand], None]) -> None:
    day = closed_day()
    spoil(day)
    assert name in day.violations()
    assert "judges_disagree" not in day.violations()


def test_a_request_that_the_network_held_up_is_no_violation() -> None:
    """It left in time; what counts is that its order is closed and its fills are booked."""
    day = day_with_arrival()
    order = day.placed(1, CLOSES + 30, "100", "100.01", bid="100.00", ask="100.10", left=CLOSES - 10)
    day.filled(order, CLOSES + 40, "40", "100.01")
    day.ended(order, CLOSES + 50)
    day.closed(CLOSES + 45, "partial_deadline")
    assert day.violations() == set()


def test_a_request_that_left_too_late_is_a_violation_even_if_held_up() -> None:
    day = day_with_arrival()
    day.placed(1, CLOSES + 30, "100", "100.01", bid="100.00", ask="100.10", left=CLOSES - 4)
    assert "outside_window" in day.violations()


@pytest.mark.parametrize("outcome", ["partial_deadline", "held_wide", "no_fill_collar"])
def test_an_order_that_could_still_trade_is_not_given_up(outcome: str) -> None:
    day = day_with_arrival()
    day.closed(1_200, outcome)
    assert "given_up" in day.violations()


@pytest.mark.parametrize(("most", "filled", "found"), [(1, 0, set()), (2, 0, {"given_up"}), (1, 40, {"given_up"})])
def test_an_order_may_end_early_after_its_last_attempt(most: int, filled: int, found: set[str]) -> None:
    day = day_with_arrival({"max_attempts": most})
    order = day.placed(1, 900, "100", "100.01", bid="100.00", ask="100.10")
    if filled:
        day.filled(order, 950, str(filled), "100.01")
    day.ended(order, 1_000)
    day.closed(1_200, "partial_deadline")
    assert day.violations() == found


@pytest.mark.parametrize(("outcome", "ask"), [("held_wide", "100.10"), ("held_stale", "101.00")])
def test_a_hold_that_the_book_does_not_explain_is_a_violation(outcome: str, ask: str) -> None:
    day = DayByHand()
    for number in range(3):
        day.looked_at(CLOSES - 90 + 30 * number, "100.00", ask)
    day.closed(outcome=outcome)
    assert day.violations() == {"not_held_by_its_book"}


@pytest.mark.parametrize(("outcome", "found"), [("held_stale", set()), ("held_wide", {"not_held_by_its_book"})])
@pytest.mark.parametrize("plan", [
    {"name": "core", "orders": [{"symbol": "AAA", "side": "buy", "notional": "10000"}]},
    {"name": "core", "targets": {"AAA": "0.5"}},
])  # fmt: skip
def test_a_line_in_dollars_may_be_held_by_the_price_that_it_was_sized_at(
    plan: dict[str, Any], outcome: str, found: set[str]
) -> None:
    day = DayByHand()
    day.record.runs[0] = replace(day.record.runs[0], plan=plan)
    for number in range(3):
        day.looked_at(CLOSES - 90 + 30 * number, "100.00", "100.10")
    day.closed(outcome=outcome)
    assert day.violations() == found


def test_a_hold_that_the_book_explains_is_no_violation() -> None:
    day = DayByHand()
    for number in range(3):
        day.looked_at(CLOSES - 90 + 30 * number, "100.00", "101.00")
    day.closed(outcome="held_wide")
    assert day.violations() == set()


@pytest.mark.parametrize(
    ("function", "before", "found"),
    [
        ("CloseRun", 18, set()),
        ("RepegOrders", 60, {"not_held_by_its_book"}),
        ("RepegOrders", 18, {"not_held_by_its_book"}),
        ("RepegOrders", 16, set()),
        ("PlaceOrders", 4, set()),
        ("ValidateQuotes", 4, {"not_held_by_its_book"}),
    ],
)
def test_only_a_quote_on_which_an_order_could_leave_holds_it(function: str, before: float, found: set[str]) -> None:
    """The spread was wide on every turn, and has become narrow so long before the window's end."""
    day = DayByHand()
    for number in range(3):
        day.looked_at(CLOSES - 190 + 30 * number, "100.00", "101.00")
    for number in range(3):
        step = day.called(function, CLOSES - before + number / 10, CLOSES - before + 1)
        day.quoted(CLOSES - before + number / 10, "100.00", "100.10", invocation=step)
    day.closed(outcome="held_wide")
    assert day.violations() == found


@pytest.mark.parametrize(
    ("heard", "found"), [(CLOSES - 6, set()), (CLOSES - 46, set()), (CLOSES - 60, {"not_held_by_its_book"})]
)
def test_a_quote_that_the_last_turn_has_heard_holds_an_order(heard: float, found: set[str]) -> None:
    """What is read before and after it has a narrow spread."""
    day = DayByHand()
    for number in range(3):
        day.looked_at(CLOSES - 190 + 30 * number, "100.00", "100.10")
    step = day.called("RepegOrders", CLOSES - 61, CLOSES - 1)
    day.quoted(heard, "100.00", "101.00", invocation=step)
    day.record.streams.quotes.append(day.record.quotes.pop())
    day.closed(outcome="held_wide")
    assert day.violations() & {"not_held_by_its_book"} == found


def _dead_at(when: float, cancelled: float) -> DayByHand:
    day = day_with_arrival()
    order = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    day.closed(when, "partial_deadline", status="ABORTED")
    day.record.invoked.pop()
    day.record.executions[0].ended = at(when)
    day.record.published[0] = day.record.published[0]._replace(is_failure=True)
    day.ended(order, cancelled)
    return day


def test_an_aborted_run_is_swept_within_five_minutes() -> None:
    assert _dead_at(700, 999).violations() == set()
    assert _dead_at(700, 1_001).violations() == {"unswept"}


def test_an_order_that_the_broker_does_not_find_is_swept_once_it_does() -> None:
    """Twelve minutes, two passes of the watchdog, count from that moment."""
    for cancelled, found in ((5_000 + 719, set()), (5_000 + 721, {"unswept"})):
        day = _dead_at(700, cancelled)
        day.record.unfound.append(Unfound(day.record.ledger.events[0].order_id, at(690), at(5_000)))
        assert day.violations() == found


@pytest.mark.parametrize(("arrived", "cancelled", "found"), [
    (995, 995 + 719, set()),
    (995, 995 + 721, {"unswept"}),
    (609, 1_001, {"unswept"}),
])  # fmt: skip
def test_a_request_that_the_network_delivers_late_is_swept_by_the_watchdog(
    arrived: int, cancelled: int, found: set[str]
) -> None:
    """Twelve minutes count from its arrival, if it was held up beyond the death of its run."""
    day = _dead_at(700, cancelled)
    day.record.sent = [sent._replace(arrived=at(arrived)) for sent in day.record.sent]
    assert day.violations() == found


def test_an_aborted_run_whose_event_was_lost_is_left_to_the_watchdog() -> None:
    day = _dead_at(700, 1_001)
    day.record.executions[0].is_event_lost = True
    assert day.violations() == set()


@pytest.mark.parametrize(("began", "ended", "is_event_lost", "due"), [
    (650, 900, True, 900 + 720),
    (650, 690, True, 700 + 720),
    (650, 900, False, 1_000),
])  # fmt: skip
def test_the_watchdogs_silence_begins_when_the_step_that_was_under_way_ends(
    began: float, ended: float, is_event_lost: bool, due: float
) -> None:
    """The execution is stopped at 700; its function goes on, and the run is not silent meanwhile."""
    for cancelled, found in ((due - 1, set()), (due + 1, {"unswept"})):
        day = _dead_at(700, cancelled)
        day.record.executions[0].is_event_lost = is_event_lost
        day.called("RepegOrders", began, ended)
        assert day.violations() == found


@pytest.mark.parametrize(("began", "ended", "is_struck", "due"), [
    (650, 1_490, True, 1_490 + 720),
    (710, 1_490, True, 1_490 + 720),
    (650, 1_490, False, 1_000),
    (650, 690, True, 1_000),
])  # fmt: skip
def test_a_pass_of_the_watchdog_that_a_fault_strikes_is_followed_by_another(
    began: float, ended: float, is_struck: bool, due: float
) -> None:
    """It has taken over the run of the execution that dies at 700, and keeps it for as long as it is frozen."""
    for cancelled, found in ((due - 1, set()), (due + 1, {"unswept"})):
        day = _dead_at(700, cancelled)
        number = day.called("WatchRuns", began, ended, answered=not is_struck)
        day.record.invoked[number].is_struck = is_struck
        assert day.violations() == found


def test_an_outage_gives_a_sweep_as_much_more_time() -> None:
    day = _dead_at(700, 1_060)
    day.away(800, 861)
    assert day.violations() == set()


def test_an_unknown_order_that_is_looked_for_in_time_is_no_violation() -> None:
    day = day_with_arrival()
    order = day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10")
    day.record.sent[0] = day.record.sent[0]._replace(is_answered=False)
    day.looked_up(order.removeprefix("id "), 660, found=True)
    assert day.violations() == set()


@pytest.mark.parametrize(("outcome", "is_answered", "is_found", "found"), [
    ("unknown", False, False, set()),
    ("partial_deadline", False, False, {"books_differ", "filled_differs", "report_differs", "outcome_untrue"}),
    ("unknown", True, False, {"books_differ", "filled_differs", "report_differs", "outcome_untrue"}),
    ("unknown", False, True, {"books_differ", "filled_differs", "report_differs", "outcome_untrue"}),
])  # fmt: skip
def test_the_books_need_not_have_the_fills_of_an_order_that_was_never_shown(
    outcome: str, is_answered: bool, is_found: bool, found: set[str]
) -> None:
    day = day_with_arrival()
    order = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    day.record.sent[0] = day.record.sent[0]._replace(is_answered=is_answered)
    day.filled(order, 620, "100", "100.01")
    if is_found:
        day.looked_up(order.removeprefix("id "), 660, found=True)
    day.closed(CLOSES, outcome, status="FAILED")
    books = day.record.books[0]
    unfilled = books.orders[0]._replace(filled=0)
    day.books(orders=(unfilled,), executions=(), reported={"AAA": 0})
    names = {"books_differ", "filled_differs", "report_differs", "outcome_untrue", "judges_disagree"}
    assert day.violations() & names == found


def _looked_for_at(when: float, *steps: tuple[float, float, bool, bool], away: float = 0) -> set[str]:
    """An order leaves at 601 without an answer, and its broker is asked about it then; by default that is due at 841.

    Each step has its begin and end, and says whether it was frozen from then on and whether it was a duplicate.
    """
    day = day_with_arrival()
    order = day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10")
    day.record.sent[0] = day.record.sent[0]._replace(is_answered=False)
    for begins, ends, is_frozen, is_duplicate in steps:
        number = day.called("RepegOrders", begins, ends, answered=not is_frozen, struck=is_frozen)
        day.record.invoked[number].is_duplicate = is_duplicate
        if is_frozen:
            day.record.held_up.append(HeldUp(number, ALL_THREADS, at(begins), at(ends)))
    if away:
        day.away(601, away)
    day.looked_up(order.removeprefix("id "), when, found=True)
    return day.violations()


@pytest.mark.parametrize(
    ("due", "steps"),
    [
        (841, ()),
        (931, ((610, 700, True, False),)),
        (1_001, ((610, 700, True, False), (720, 790, True, False))),
        (841, ((610, 700, True, True),)),
        (871, ((610, 700, True, False), (620, 680, False, False))),
        (871, ((610, 700, True, False), (620, 680, False, True))),
        (841, ((500, 600, True, False),)),
        (841, ((610, 700, False, False),)),
    ],
)
def test_a_run_has_as_much_more_time_as_it_is_frozen(
    due: float, steps: tuple[tuple[float, float, bool, bool], ...]
) -> None:
    """Not while a second delivery of a step is frozen, nor while another step of the run goes on."""
    assert _looked_for_at(due, *steps) == set()
    assert _looked_for_at(due + 1, *steps) == {"unresolved"}


def _looked_for_after_turns(*turns: tuple[float, bool, bool], looked_for: float) -> set[str]:
    """An order is sent at 601, without an answer. Turns follow, of which a fault may have struck each, or ended it."""
    day = day_with_arrival()
    order = day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10", function="RepegOrders")
    day.record.sent[0] = day.record.sent[0]._replace(is_answered=False)
    for begins, is_struck, is_answered in turns:
        day.called("RepegOrders", begins, begins + 1, answered=is_answered, struck=is_struck)
    day.looked_up(order.removeprefix("id "), looked_for, found=True)
    return day.violations()


def test_a_turn_follows_each_one_that_a_fault_struck() -> None:
    """A turn is due every half minute here, and its step may take a minute."""
    struck, calm, ended = (800, True, True), (800, False, True), (800, True, False)
    assert _looked_for_after_turns(struck, looked_for=801 + 90) == set()
    assert _looked_for_after_turns(struck, looked_for=801 + 91) == {"unresolved"}
    assert _looked_for_after_turns(struck, (880, True, True), looked_for=881 + 90) == set()
    assert _looked_for_after_turns(struck, (892, True, True), looked_for=893 + 90) == {"unresolved"}
    for turn in (calm, ended):
        assert _looked_for_after_turns(turn, looked_for=842) == {"unresolved"}


def _sent_by_hand_after_death(looked_for: float, *, is_event_lost: bool, again: float = 0) -> set[str]:
    """A run dies at 300. A step of it is invoked by hand and sends an order at 601, without an answer."""
    day = day_with_arrival()
    day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10", function="RepegOrders")
    day.record.invoked[-1].ended = at(610)
    day.record.sent[0] = day.record.sent[0]._replace(is_answered=False)
    day.closed(300, "partial_deadline", status="ABORTED")
    day.record.invoked.pop()
    day.record.executions[0].is_event_lost = is_event_lost
    if again:
        day.record.executions.append(Execution("again", RUN, at(again), at(again + 1), "FAILED", 5))
    day.looked_up(day.record.sent[0].client_order_id, looked_for, found=True)
    return day.violations() & {"unresolved"}


def test_the_watchdog_has_the_orders_of_a_step_by_hand() -> None:
    """It sweeps the run twelve minutes after that step at the latest, and has two minutes for each order."""
    assert _sent_by_hand_after_death(610 + 720 + 120, is_event_lost=True) == set()
    assert _sent_by_hand_after_death(610 + 720 + 121, is_event_lost=True) == {"unresolved"}
    assert _sent_by_hand_after_death(610 + 720 + 120, is_event_lost=False) == {"unresolved"}
    assert _sent_by_hand_after_death(610 + 720 + 120, is_event_lost=True, again=1_500) == set()


def test_a_freeze_during_an_outage_counts_once() -> None:
    steps = (610, 700, True, False)
    assert _looked_for_at(940, steps, away=700) == set()
    assert _looked_for_at(941, steps, away=700) == {"unresolved"}


def test_an_order_that_its_owner_moves_is_followed() -> None:
    """What the owner makes of it counts: the books have its fills, and its quantity is the owner's."""
    day = day_with_arrival()
    first = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    moved = day.arrived("the broker's own id", 610, "150", "99.50", replaces=first)
    day.ended(first, 610, "replaced", asked=False)
    day.filled(moved, 620, "150", "99.50")
    day.closed(CLOSES, "filled")
    whole = 150 * QTY_SCALE
    day.books(orders=(_line("filled", 150),), executions=(("AAA", whole, 995_000),), reported={"AAA": whole})
    assert day.violations() == set()
