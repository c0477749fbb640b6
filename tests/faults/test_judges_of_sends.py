"""The first judge on requests: how soon an order leaves after its intent, and when it may be sent again."""

from __future__ import annotations

import pytest

from repeg_workbench.faults.judges.record import HeldUp, SentOrder
from tests.faults.day_by_hand import DayByHand, at, day_with_arrival

LATE, TWICE = {"sent_late"}, {"sent_twice"}
INTENDED = 600.9


def _day(limit: str | None, *requests: float) -> DayByHand:
    """An order whose intent is written 600.9 seconds after the open is sent at those times, and arrives with the last
    of its requests."""
    day = day_with_arrival({"policy": "anchor" if limit else "market"})
    number = day.called("PlaceOrders", 600.5, 602)
    day.quoted(600.8, "100.00", "100.10", invocation=number)
    name = day.intended(1, INTENDED, "1", limit, invocation=number)
    for when in requests:
        by = number if when == requests[0] else day.called("RepegOrders", when - 0.1, when + 0.1)
        is_last = when == requests[-1]
        day.record.sent.append(SentOrder(at(when), at(when) if is_last else -1, name, by, is_answered=is_last))
    day.arrived(name, requests[-1], "1", limit)
    return day


@pytest.mark.parametrize("limit", ["100.01", None])
@pytest.mark.parametrize(("after", "found"), [(0.1, set()), (10.15, set()), (10.25, LATE), (40, LATE)])
def test_an_order_leaves_within_ten_seconds_of_its_intent(limit: str | None, after: float, found: set[str]) -> None:
    """Two tenths of a second are what the program's clock may be off."""
    assert _day(limit, INTENDED + after).violations() == found


@pytest.mark.parametrize(("limit", "after", "found"), [
    ("100.01", 52.85, set()), ("100.01", 52.75, LATE), ("100.01", 500, set()), (None, 52.85, LATE), (None, 500, LATE),
])  # fmt: skip
def test_an_order_may_leave_first_when_a_later_step_sends_it_again(
    limit: str | None, after: float, found: set[str]
) -> None:
    """The step that wrote the intent has died before its request. Only an order with a limit is sent again."""
    assert _day(limit, INTENDED + after).violations() == found


@pytest.mark.parametrize(("since", "until", "after", "found"), [
    (590, 600, 42.85, set()),
    (590, 600, 42.75, LATE),
    (595, 605, 42.85, LATE),  # half of it is after the intent
])  # fmt: skip
def test_a_decision_is_older_than_its_intent_if_its_step_is_held_up(
    since: float, until: float, after: float, found: set[str]
) -> None:
    day = _day("100.01", INTENDED + after)
    day.record.held_up.append(HeldUp(1, 3, at(since), at(until)))
    assert day.violations() == found


def test_a_step_that_is_held_up_before_its_request_leaves_it_undone() -> None:
    day = _day("100.01", INTENDED + 11)
    day.record.held_up.append(HeldUp(1, 0, at(INTENDED), at(INTENDED + 10)))
    assert day.violations() == LATE


@pytest.mark.parametrize(("first", "again", "found"), [
    (0.1, 60, set()),
    (0.1, 1, LATE),
    (0.1, 30, LATE),
    (10, 52.85, set()),
    (10.1, 52.85, LATE),  # the request before was decided so much later
])  # fmt: skip
def test_an_order_with_a_limit_is_sent_again_a_minute_later(first: float, again: float, found: set[str]) -> None:
    assert _day("100.01", INTENDED + first, INTENDED + again).violations() == found


@pytest.mark.parametrize(("after", "found"), [(42.85, set()), (42.75, LATE)])
def test_an_order_is_sent_a_third_time_a_minute_after_the_second(after: float, found: set[str]) -> None:
    assert _day("100.01", INTENDED + 1, INTENDED + 60, INTENDED + 60 + after).violations() == found


@pytest.mark.parametrize("after", [1, 60])
def test_a_market_order_is_sent_only_once(after: float) -> None:
    assert _day(None, INTENDED + 0.1, INTENDED + after).violations() == TWICE
    assert _day(None, INTENDED + 0.1).violations() == set()


@pytest.mark.parametrize(("times", "found"), [(1, set()), (2, TWICE)])
def test_a_replacement_is_sent_only_once(times: int, found: set[str]) -> None:
    day = day_with_arrival()
    first = day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10")
    day.placed(2, 631, "1", "100.02", bid="100.01", ask="100.10", replaces=first)
    day.ended(first, 631, "replaced")
    request = day.record.sent[-1]
    day.record.sent += [request._replace(at=at(700), arrived=-1)] * (times - 1)
    assert {name for name in day.violations() if name.startswith("sent_")} == found
