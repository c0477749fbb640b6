"""Whose cancel it was, by the run's mark and by the time that the broker gives for the cancel."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from repeg.domain.cancel_origin import is_cancel_void, is_own_cancel
from repeg.domain.child_order import Child, ChildState
from tests.builders import NOON, a_child, a_report, after_noon

LATER = after_noon(3_600)
A_MINUTE_BEFORE_NOON = NOON - timedelta(seconds=60)


def marked(*seconds: float, at_broker: bool = False) -> Child:
    """A child that is marked to be cancelled at these times, seconds after noon."""
    child = a_child()
    for after in seconds:
        child = child.cancelling(after_noon(after), after_noon(after))
    return child.with_cancel_at_broker() if at_broker else child


def is_own(child: Child, canceled_at: datetime | None, now: datetime = LATER) -> bool:
    """The answer for an order of 11:59."""
    report = a_report("canceled", canceled_at=canceled_at, submitted_at=A_MINUTE_BEFORE_NOON)
    return is_own_cancel(child, report, now)


@pytest.mark.parametrize(
    ("canceled_after", "own"),
    [(-30, False), (-2.1, False), (-2, True), (0, True), (0.05, True), (122, True), (122.1, False), (900, False)],
)
def test_a_cancel_is_ours_only_if_its_date_fits_our_mark(canceled_after: float, own: bool) -> None:
    """Two seconds before the mark is clock error; after two minutes no request that was not seen can arrive."""
    assert is_own(marked(0), after_noon(canceled_after)) is own


def test_a_cancel_that_the_broker_has_accepted_is_ours_however_late() -> None:
    """Cancels have been pending for hours."""
    assert is_own(marked(0, at_broker=True), after_noon(3_000))
    pending = marked(0).after(a_report("pending_cancel"))
    assert is_own(pending, after_noon(3_000))


def test_an_accepted_cancel_does_not_make_an_earlier_one_ours() -> None:
    """Brokers accept the cancel of an order that is cancelled already."""
    assert not is_own(marked(0, at_broker=True), after_noon(-10))


def test_the_first_of_two_requests_may_be_the_one_that_cancelled() -> None:
    assert is_own(marked(0, 30), after_noon(1))
    assert is_own(marked(0, 30), after_noon(151))
    assert not is_own(marked(0, 30), after_noon(153))


@pytest.mark.parametrize(
    "canceled_at",
    [None, datetime(1970, 1, 1, tzinfo=NOON.tzinfo), A_MINUTE_BEFORE_NOON - timedelta(seconds=1), after_noon(3_603)],
)
def test_without_a_date_that_can_be_true_the_mark_alone_decides(canceled_at: datetime | None) -> None:
    assert is_own(marked(0), canceled_at)
    assert not is_own(a_child(), canceled_at)


def test_an_unmarked_child_is_never_cancelled_by_us() -> None:
    assert not is_own(a_child(), after_noon(1))
    assert not is_own(a_child(state=ChildState.CANCELLING), after_noon(1))


def test_a_mark_stored_by_an_earlier_release_counts_from_its_only_time() -> None:
    """That release stored the last mark alone."""
    stored = marked(0).model_copy(update={"cancel_marked_at": None})
    assert is_own(stored, after_noon(1))
    assert (is_cancel_void(stored, after_noon(119)), is_cancel_void(stored, after_noon(120))) == (False, True)


def test_a_child_that_rests_again_has_no_mark_left() -> None:
    again = marked(0, 30, at_broker=True).rests_again()
    assert again == a_child()
    assert again.cancelling(after_noon(300), after_noon(299)).cancelling_since == after_noon(299)


@pytest.mark.parametrize("state", [ChildState.LIVE, ChildState.CANCELED, ChildState.EXPIRED])
def test_the_mark_of_a_child_that_is_not_being_cancelled_does_not_count(state: ChildState) -> None:
    assert not is_own(marked(0).model_copy(update={"state": state}), after_noon(1))


def test_an_unmarked_child_has_no_cancel_that_could_be_void() -> None:
    assert not is_cancel_void(a_child(), after_noon(900))


def test_a_cancel_dated_as_far_ahead_as_clocks_differ_is_believed() -> None:
    """It is later than any request of ours could have arrived."""
    assert not is_own(marked(0), after_noon(132), now=after_noon(130))
    assert is_own(marked(0), after_noon(132.1), now=after_noon(130))


def test_a_cancel_at_the_instant_of_the_order_is_believed() -> None:
    assert not is_own(marked(0), A_MINUTE_BEFORE_NOON)


def test_a_cancel_of_an_order_without_a_time_is_judged_by_its_own_date() -> None:
    report = a_report("canceled", canceled_at=after_noon(-10), submitted_at=None)
    assert not is_own_cancel(marked(0), report, LATER)
