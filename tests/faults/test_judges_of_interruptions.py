"""The judges of what stops a run from outside: only its own stack's switch, and its own executions, in time."""

from __future__ import annotations

import pytest

from repeg_workbench.faults.judges.record import Execution
from tests.faults.day_by_hand import CLOSES, LAST, RUN, DayByHand, at, day_with_arrival


def _switched(day: DayByHand, when: float, stack: int, lifted: float = 0) -> None:
    day.switched(when, "halt_new")
    if lifted:
        day.switched(lifted, "active")
    day.record.switched = [each._replace(stack=stack) for each in day.record.switched]


@pytest.mark.parametrize(("when", "stack", "lifted", "found"), [
    (1_100, 0, 0, set()),
    (1_100, 1, 0, {"given_up"}),
    (15_000, 0, 0, {"given_up"}),
    (-100, 0, 0, set()),
    (-100, 0, -50, {"given_up"}),
])  # fmt: skip
def test_a_line_is_given_up_only_for_its_own_switch(when: float, stack: int, lifted: float, found: set[str]) -> None:
    """The run starts at the open, and closes twenty minutes later."""
    day = day_with_arrival()
    day.closed(1_200, "partial_deadline")
    _switched(day, when, stack, lifted)
    assert day.violations() & {"given_up"} == found


@pytest.mark.parametrize(("when", "stack", "found"), [
    (1_100, 0, set()),
    (1_201, 0, set()),
    (1_100, 1, {"killed_without_switch"}),
    (1_203, 0, {"killed_without_switch"}),
])  # fmt: skip
def test_a_line_is_killed_only_by_its_own_switch(when: float, stack: int, found: set[str]) -> None:
    """The run's end is published at 1,202; until then its closing step may read the switch."""
    day = day_with_arrival()
    day.closed(1_200, "killed")
    _switched(day, when, stack)
    assert day.violations() & {"killed_without_switch"} == found


@pytest.mark.parametrize(("state", "lifted", "found"), [
    ("halt_new", 1_049, {"given_up"}),
    ("halt_new", 1_051, set()),
    ("cancel_all", 700, set()),
])  # fmt: skip
def test_a_halt_that_was_lifted_gives_no_line_up(state: str, lifted: float, found: set[str]) -> None:
    """The run closes at 1,200: three turns of 30 seconds and a minute after it. Only `cancel_all` closes a run."""
    day = day_with_arrival()
    day.closed(1_200, "partial_deadline")
    day.switched(650, state)
    day.switched(lifted, "active")
    assert day.violations() & {"given_up"} == found


@pytest.mark.parametrize(("state", "lifted", "closed", "found"), [
    ("halt_new", 1_049, True, {"killed_without_switch"}),
    ("halt_new", 1_051, True, set()),
    ("halt_new", 1_051, False, {"killed_without_switch"}),
    ("cancel_all", 700, True, set()),
])  # fmt: skip
def test_a_line_is_not_killed_by_a_halt_that_was_lifted(
    state: str, lifted: float, closed: bool, found: set[str]
) -> None:
    """Its closing step begins at 1,200, or no step closes it: then its end, at 10,000, was published after a sweep."""
    day = day_with_arrival()
    day.closed(1_200, "killed")
    if not closed:
        day.record.invoked.pop()
        day.record.published = [each._replace(at=at(10_000)) for each in day.record.published]
    day.switched(650, state)
    day.switched(lifted, "active")
    assert day.violations() & {"killed_without_switch"} == found


@pytest.mark.parametrize(("when", "found"), [(1_949, set()), (1_951, {"killed_without_switch"})])
def test_a_run_that_was_swept_before_its_closing_step_may_be_killed(when: float, found: set[str]) -> None:
    """The sweep takes at most 15 minutes until it publishes the end. The switch is lifted at 900."""
    day = day_with_arrival()
    day.closed(5_000, "killed")
    day.record.published = [each._replace(at=at(when)) for each in day.record.published]
    day.switched(650, "halt_new")
    day.switched(900, "active")
    assert day.violations() & {"killed_without_switch"} == found


@pytest.mark.parametrize(("status", "ended", "found"), [
    ("ABORTED", 1_000, set()),
    ("SUCCEEDED", 1_000, {"killed_without_switch"}),
    ("ABORTED", 9_000, {"killed_without_switch"}),
])  # fmt: skip
def test_a_run_whose_execution_died_under_a_halt_may_be_killed(status: str, ended: float, found: set[str]) -> None:
    """The switch is lifted at 960, and the run is closed by a sweep hours later."""
    day = day_with_arrival()
    day.closed(10_000, "killed", status=status)
    day.record.executions[0].ended = at(ended)
    day.switched(650, "halt_new")
    day.switched(960, "active")
    assert day.violations() & {"killed_without_switch"} == found


@pytest.mark.parametrize(("replaces", "found"), [("", {"killed_without_switch"}), ("an order", set())])
def test_a_line_that_its_owner_has_moved_is_killed_in_any_turn(replaces: str, found: set[str]) -> None:
    """What its owner has moved ends while new orders are halted, hours before the run does."""
    day = day_with_arrival()
    order = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    day.arrived("the owner's own id", 640, "100", "99.50", replaces=order if replaces else "")
    day.ended(order, 640, "replaced", asked=False)
    day.ended("id the owner's own id", 700, asked=False)
    day.closed(10_000, "killed")
    day.switched(650, "halt_new")
    day.switched(960, "active")
    assert day.violations() & {"killed_without_switch"} == found


def test_a_run_that_failed_unseen_may_be_ended_under_a_later_switch() -> None:
    """Its failure was published while the broker could not be read, and its orders got their outcomes afterwards."""
    day = day_with_arrival()
    day.closed(1_200, "killed")
    day.record.published = [each._replace(is_failure=True) for each in day.record.published]
    _switched(day, 1_203, 0)
    assert "killed_without_switch" not in day.violations()


def _held_without_cause() -> DayByHand:
    """A line is said to be held by a wide book until its window closes, and none was wide."""
    day = DayByHand()
    for number in range(3):
        day.looked_at(CLOSES - 90 + 30 * number, "100.00", "100.10")
    day.called("OpenRun", 1, 2)
    day.closed(outcome="held_wide")
    return day


@pytest.mark.parametrize(("status", "ended", "opens", "is_found"), [
    ("FAILED", 301, False, True),
    ("FAILED", 301, True, True),
    ("ABORTED", 301, True, False),
    ("ABORTED", CLOSES + 1, True, True),
    ("FAILED", CLOSES + 1, True, True),
])  # fmt: skip
def test_a_hold_needs_its_book_unless_an_execution_broke_off(
    status: str, ended: float, opens: bool, is_found: bool
) -> None:
    """A second start that is refused opens nothing."""
    day = _held_without_cause()
    assert day.violations() == {"not_held_by_its_book"}
    day.called("OpenRun", 300, 300.5, answered=opens)
    day.record.executions.append(Execution("again", RUN, at(300), at(ended), status, 5))
    assert ("not_held_by_its_book" in day.violations()) is is_found


@pytest.mark.parametrize(("status", "closed", "ended", "found"), [
    ("ABORTED", 1_200, 1_203, {"given_up"}),
    ("ABORTED", 1_200, 1_199, set()),
    ("FAILED", 1_200, 1_203, set()),
    ("FAILED", 1_200, LAST, set()),
    ("FAILED", 1_200, 1_100, {"given_up"}),
])  # fmt: skip
def test_an_execution_that_is_stopped_after_the_close_gave_nothing_up(
    status: str, closed: float, ended: float, found: set[str]
) -> None:
    """One that fails closes its run before it ends, however long that takes."""
    day = day_with_arrival()
    day.called("OpenRun", 1, 2)
    day.called("RepegOrders", 1_150, 1_151)
    day.closed(closed, "partial_deadline", status=status)
    day.record.executions[0].ended = at(ended)
    assert day.violations() & {"given_up"} == found


@pytest.mark.parametrize(("answered", "closed", "found"), [
    (False, 1_200, set()), (True, 1_200, {"given_up"}), (False, 1_204, set()),
])  # fmt: skip
def test_an_execution_that_is_stopped_while_it_closes_had_failed(
    answered: bool, closed: float, found: set[str]
) -> None:
    """If its last step before had no answer: the state machine closes a run whose step has failed."""
    day = day_with_arrival()
    day.called("OpenRun", 1, 2)
    day.called("RepegOrders", 1_150, 1_151)
    day.called("ValidateQuotes", 1_190, 1_191, answered=answered)
    day.closed(closed, "partial_deadline", status="ABORTED")
    day.record.executions[0].ended = at(1_203)
    assert day.violations() & {"given_up"} == found


@pytest.mark.parametrize(("when", "stack", "found"), [
    (620, 0, set()),
    (650, 0, {"idle"}),
    (620, 1, {"idle"}),
    (LAST, 0, {"idle"}),
])  # fmt: skip
def test_a_line_is_idle_until_its_own_switch_is_set(when: float, stack: int, found: set[str]) -> None:
    """Steps at 600, 630 and 660 could send an order."""
    day = day_with_arrival()
    for begins in (600, 630, 660):
        number = day.called("PlaceOrders", begins, begins + 1)
        day.quoted(begins + 0.5, "100.00", "100.10", invocation=number)
    day.closed(CLOSES, "killed" if stack == 0 else "partial_deadline")
    _switched(day, when, stack)
    assert day.violations() & {"idle"} == found


@pytest.mark.parametrize(("lifted", "found"), [(509, {"idle"}), (511, set())])
def test_a_line_is_idle_again_once_a_halt_was_lifted(lifted: float, found: set[str]) -> None:
    """The step at 600 may still stand under a switch that was set a turn and a minute before it; those at 630 and 658
    are less than half a minute apart."""
    day = day_with_arrival()
    for begins in (600, 630, 658):
        number = day.called("PlaceOrders", begins, begins + 1)
        day.quoted(begins + 0.5, "100.00", "100.10", invocation=number)
    day.closed(CLOSES, "partial_deadline")
    day.switched(400, "halt_new")
    day.switched(lifted, "active")
    assert day.violations() & {"idle"} == found
