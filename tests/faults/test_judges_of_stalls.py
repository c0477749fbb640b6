"""The judge of the loop: while its window is open, a run goes on every turn, and a line without an order is placed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from repeg_workbench.faults.judges.judgement import judge
from repeg_workbench.faults.judges.record import ALL_THREADS, SECOND, Execution, HeldUp, SentOrder, Unfound
from tests.faults.day_by_hand import CLOSES, LAST, PREFIX, RUN, DayByHand, at, day_with_arrival

# A step ends at 601.2. The next turn is at most 45 seconds away, may begin a minute later, and clocks differ by 0.2.
ENDED = 601.2
DUE = ENDED + 45 + 60 + 0.2


def resting_day(settings: dict[str, Any] | None = None) -> DayByHand:
    """An order is sent at 601 and rests until it fills at 5,000; no step is there but those that a test adds."""
    day = day_with_arrival(settings)
    day.goes_on = False
    day.filled(day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10"), 5_000, "100", "100.01")
    return day


def _stalls(day: DayByHand) -> bool:
    return "stalled" in day.violations()


def _turns(day: DayByHand, since: float, until: float) -> None:
    for begins in range(round(since), round(until), 60):
        day.called("RepegOrders", begins, begins + 1)


def test_a_run_that_makes_no_turn_while_its_order_rests_is_stalled() -> None:
    day = resting_day()
    day.closed(5_001)
    assert day.violations() == {"stalled"}


def test_a_run_that_looks_once_and_then_at_its_close_is_stalled() -> None:
    day = resting_day()
    day.called("RepegOrders", 630, 631)
    day.closed()
    assert day.violations() == {"stalled"}


@pytest.mark.parametrize("function", ["RepegOrders", "ValidateQuotes", "PlaceOrders"])
def test_a_run_is_stalled_after_any_step_of_the_loop(function: str) -> None:
    day = resting_day()
    _turns(day, 660, 4_000)
    day.called(function, 4_000, 4_001)
    day.closed(5_001)
    assert day.violations() == {"stalled"}


def test_a_run_that_makes_its_turns_is_not_stalled() -> None:
    day = resting_day()
    _turns(day, 660, 5_001)
    day.closed(5_001)
    assert day.violations() == set()


@pytest.mark.parametrize(("period", "late"), [(30, 0), (120, 135)])
@pytest.mark.parametrize(("seconds", "found"), [(-0.1, False), (0.1, True)])
def test_a_step_begins_within_one_and_a_half_turns_and_a_minute(
    period: int, late: float, seconds: float, found: bool
) -> None:
    day = resting_day({"order_monitoring_seconds": period})
    day.closed(DUE + late + seconds, "partial_deadline")
    assert _stalls(day) is found


def test_a_turn_may_be_as_late_as_the_brokers_clock_is_ahead() -> None:
    day = resting_day()
    day.closed(DUE + 1, "partial_deadline")
    day.record.clock_ahead = 2 * SECOND
    assert not _stalls(day)


@pytest.mark.parametrize(("lasts", "found"), [(299, True), (301, False)])
def test_a_turn_may_be_as_late_as_an_outage_makes_it(lasts: float, found: bool) -> None:
    day = resting_day()
    day.away(620, 620 + lasts)
    day.closed(DUE + 300, "partial_deadline")
    assert _stalls(day) is found


@pytest.mark.parametrize("run_id", [RUN, "another"])
def test_an_invocation_that_is_refused_is_a_sign_of_the_loop(run_id: str) -> None:
    day = resting_day()
    day.record.throttled = [(at(660), run_id, "RepegOrders")]
    day.closed(DUE + 20, "partial_deadline")
    assert _stalls(day) is (run_id != RUN)


def test_a_step_that_fails_is_a_sign_of_the_loop_and_is_not_judged() -> None:
    day = resting_day()
    day.called("RepegOrders", 660, 661, answered=False, struck=True)
    day.closed(1_000, "partial_deadline")
    assert not _stalls(day)


def test_a_second_delivery_is_no_sign_of_the_loop() -> None:
    day = resting_day()
    day.called("RepegOrders", 660, 661, duplicate=True)
    day.closed(DUE + 20, "partial_deadline")
    assert _stalls(day)


def test_a_step_that_is_frozen_or_listens_delays_the_next_one() -> None:
    """It ends five minutes after it began."""
    day = resting_day({"waiting": "stream", "listen_seconds": 290})
    number = day.called("RepegOrders", 602, 900)
    day.record.held_up.append(HeldUp(number, ALL_THREADS, at(603), at(899)))
    day.closed(1_000, "partial_deadline")
    assert not _stalls(day)


@pytest.mark.parametrize(("status", "ended", "found"), [
    ("ABORTED", 650, False),
    ("FAILED", 650, False),
    ("ABORTED", 2_000, True),
    ("SUCCEEDED", 650, True),
])  # fmt: skip
def test_a_run_whose_execution_has_died_is_not_stalled(status: str, ended: float, found: bool) -> None:
    day = resting_day()
    day.called("OpenRun", 1, 2)
    day.closed(5_001, status=status)
    day.record.executions[0].ended = at(ended)
    assert _stalls(day) is found


def test_a_run_that_has_moved_to_another_execution_is_not_stalled() -> None:
    day = resting_day()
    day.called("OpenRun", 1, 2)
    day.called("OpenRun", 660, 661)
    day.called("RepegOrders", 662, 663)
    day.closed(700, "partial_deadline")
    day.record.executions = [
        Execution("run", RUN, at(0), at(659), "SUCCEEDED"), Execution("next", RUN, at(659), at(703), "SUCCEEDED")
    ]  # fmt: skip
    assert not _stalls(day)


def test_a_second_start_that_changes_nothing_does_not_go_on_with_a_run() -> None:
    """The run's execution is stopped at 650; a second start ends as a duplicate of it, after a step began."""
    day = resting_day()
    day.called("OpenRun", 1, 2)
    day.called("OpenRun", 601, 602, answered=False)
    day.closed(5_001, status="ABORTED")
    day.record.executions[0].ended = at(650)
    day.record.executions.append(Execution("again", RUN, at(600), at(603), "SUCCEEDED"))
    assert not _stalls(day)


@pytest.mark.parametrize(("when", "found"), [(299, False), (301, True)])
def test_a_step_by_hand_before_the_window_begins_no_loop(when: float, found: bool) -> None:
    day = DayByHand()
    day.goes_on = False
    day.called("ValidateQuotes", when, when + 1)
    day.closed(5_001, "partial_deadline")
    assert _stalls(day) is found


def test_a_step_by_hand_after_the_runs_end_begins_no_loop() -> None:
    day = resting_day()
    day.closed(640, "partial_deadline")
    day.called("RepegOrders", 2_000, 2_001)
    assert not _stalls(day)


def test_a_day_that_ends_first_does_not_show_a_stall() -> None:
    day = resting_day()
    day.called("RepegOrders", 660, 661)
    day.closed(5_001)
    day.record.until = at(700)
    assert {each.name for each in judge(day.record)} & {"stalled"} == set()


def test_a_run_may_close_late_after_the_last_turn_of_its_window() -> None:
    day = resting_day()
    _turns(day, 660, CLOSES)
    day.called("RepegOrders", CLOSES, CLOSES + 1)
    day.closed(LAST)
    assert not _stalls(day)


def _left_day(settings: dict[str, Any] | None = None, *, quote: bool = True) -> DayByHand:
    """An order is cancelled for a move at 700 and not sent again, though turn after turn is served a good quote."""
    day = day_with_arrival(settings)
    day.ended(day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10"), 700)
    for begins in range(1_000, 1_300, 30):
        number = day.called("RepegOrders", begins, begins + 1)
        if quote:
            day.quoted(begins + 0.5, "100.00", "100.10", invocation=number)
    return day


def _is_idle(day: DayByHand) -> bool:
    day.closed(1_300, "partial_deadline")
    return "idle" in day.violations()


@pytest.mark.parametrize("quote", [True, False])
def test_a_line_that_is_cancelled_for_a_move_and_never_sent_is_idle(quote: bool) -> None:
    """Whatever the book: each turn that leaves a line without an order is followed by a check of its quote."""
    day = _left_day(quote=quote)
    day.closed(CLOSES, "partial_deadline")
    assert day.violations() == {"idle"}


@pytest.mark.parametrize("function", ["ValidateQuotes", "PlaceOrders", "OpenRun"])
def test_a_line_is_not_idle_if_each_turn_is_followed_by_another_step(function: str) -> None:
    day = _left_day(quote=False)
    for begins in range(1_002, 1_300, 30):
        day.called(function, begins, begins + 0.5)
    assert not _is_idle(day)


@pytest.mark.parametrize(("turns", "found"), [(2, False), (3, True)])
def test_a_line_is_idle_once_two_turns_have_left_it_before_another(turns: int, found: bool) -> None:
    day = day_with_arrival()
    day.ended(day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10"), 700)
    for begins in range(1_000, 1_000 + 30 * turns, 30):
        day.called("RepegOrders", begins, begins + 1)
    assert _is_idle(day) is found


def _arrives(day: DayByHand) -> None:
    """Its order is open at the broker again until the end."""
    day.ended(day.arrived(f"{PREFIX}AAA.b.2", 990, "100", "100.01"), 1_290)


def _is_in_flight(day: DayByHand) -> None:
    """A market order's request had no answer, and nothing may be sent beside it for a quarter of an hour."""
    day.record.sent.append(SentOrder(at(650), -1, f"{PREFIX}AAA.b.2", 1))


def _is_intended(day: DayByHand) -> None:
    """A step wrote the intent of its next order, and died before it sent that."""
    day.intended(2, 650, "100", "100.01")


def _is_hidden(day: DayByHand) -> None:
    day.record.unfound.append(Unfound(f"id {PREFIX}AAA.b.1", at(690)))


def _is_struck(day: DayByHand) -> None:
    day.record.invoked = [replace(i, is_struck=i.function == "RepegOrders") for i in day.record.invoked]


def _fails(day: DayByHand) -> None:
    day.record.invoked = [replace(i, answered=i.function != "RepegOrders") for i in day.record.invoked]


@pytest.mark.parametrize("act", [
    _arrives,
    _is_in_flight,
    _is_intended,
    _is_hidden,
    _is_struck,
    _fails,
    lambda day: day.away(700, 1_300),
    lambda day: day.switched(700, "halt_new"),
])  # fmt: skip
def test_a_line_that_something_keeps_waiting_is_not_idle(act: Any) -> None:
    day = _left_day()
    act(day)
    assert not _is_idle(day)


@pytest.mark.parametrize(("when", "found"), [(11, True), (12, False)])
def test_a_line_waits_twenty_minutes_for_an_order_without_an_answer(when: float, found: bool) -> None:
    """The last turn begins at 1,270, and the two before it, which end at 1,211 and 1,241, decide."""
    day = _left_day()
    day.intended(2, when, "100", "100.01")
    assert _is_idle(day) is found


@pytest.mark.parametrize("is_struck", [True, False])
def test_a_line_waits_for_an_order_whose_answer_may_not_be_stored(is_struck: bool) -> None:
    """The broker has refused its market order."""
    day = _left_day()
    number = day.called("PlaceOrders", 299, 301, struck=is_struck)
    day.record.sent.append(SentOrder(at(300), at(300), f"{PREFIX}AAA.b.2", number, is_answered=True))
    assert _is_idle(day) is not is_struck


def test_a_line_that_has_used_its_attempts_is_not_idle() -> None:
    assert not _is_idle(_left_day({"max_attempts": 1}))
    assert _is_idle(_left_day({"max_attempts": 2}))
    day = _left_day({"max_attempts": 2})
    day.intended(2, 5, "100", "100.01")  # one that was never sent counts as well
    day.record.invoked = [replace(i, began=i.began + at(300) - at(0), ended=i.ended + at(300) - at(0))
                          if i.function == "RepegOrders" else i for i in day.record.invoked]  # fmt: skip
    day.closed(1_700, "partial_deadline")
    assert "idle" not in day.violations()


def test_a_line_is_not_idle_in_the_turns_after_its_order_was_sent() -> None:
    """It has 200 seconds to be sent again: the turns at 840 and 870 are within them."""
    day = day_with_arrival()
    day.ended(day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10"), 700)
    for begins in range(720, 900, 30):
        day.called("RepegOrders", begins, begins + 1)
    assert not _is_idle(day)


def test_a_weight_that_was_never_sized_is_not_idle() -> None:
    day = day_with_arrival()
    run = day.record.runs[0]
    for begins in range(1_000, 1_300, 30):
        day.called("RepegOrders", begins, begins + 1)
    day.record.runs[0] = replace(run, plan={"name": "core", "targets": {"AAA": "0.1"}})
    assert not _is_idle(day)
    day.record.runs[0] = run
    assert _is_idle(day)
