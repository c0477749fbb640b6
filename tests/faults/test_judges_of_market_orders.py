"""The first judge on orders without a limit: when they may be sent, and on which quotes, on days built by hand."""

from __future__ import annotations

from typing import Any

import pytest

from repeg_workbench.faults.judges.record import ALL_THREADS, HeldUp, SentOrder
from tests.faults.day_by_hand import CLOSES, DayByHand, at, day_with_arrival

SOON, UNCHECKED = {"market_order_too_soon"}, {"unchecked_quote"}
LADDER: dict[str, Any] = {"policy": "anchor", "escalation": "market"}
LOOKS: dict[str, Any] = {"policy": "normal", "escalation": "market"}
FALLS_BACK: dict[str, Any] = {**LOOKS, "fallback": "market"}


def _first_order(settings: dict[str, Any], when: float = 601, qty: str = "40") -> set[str]:
    """What is found where a line's first order is a market order."""
    day = day_with_arrival(settings, qty=qty)
    day.placed(1, when, qty, None, bid="100.00", ask="100.10")
    return day.violations()


def _second_order(settings: dict[str, Any], when: float) -> set[str]:
    """What is found where a line that has rested its first order goes to the market."""
    day = day_with_arrival(settings)
    day.ended(day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10"), when - 1)
    day.placed(2, when, "1", None, bid="100.00", ask="100.10", function="RepegOrders")
    return day.violations()


@pytest.mark.parametrize("settings", [
    {"policy": "market"}, {"use_smart_limit_execution": False}, {"control_share": "0.5"},
    {**LOOKS, "control_share": "0.5"}, {**LOOKS, "symbols": {"AAA": {"policy": "market"}}},
])  # fmt: skip
def test_a_market_order_may_come_first_by_its_settings_or_as_a_control(settings: dict[str, Any]) -> None:
    assert _first_order(settings) == set()


@pytest.mark.parametrize("settings", [
    LADDER, LOOKS, FALLS_BACK, {"policy": "market", "escalation": "market", "symbols": {"AAA": LOOKS}},
    {**LOOKS, "control_share": "0.5", "control_max_notional": "4000"},
])  # fmt: skip
def test_a_market_order_comes_first_nowhere_else(settings: dict[str, Any]) -> None:
    assert _first_order(settings) == SOON


def test_a_market_order_is_climbed_to_once_half_patient() -> None:
    assert _second_order(LADDER, 740) == SOON
    assert _second_order(LADDER, 752) == set()


@pytest.mark.parametrize(("most", "found"), [(1, set()), (2, SOON)])
def test_a_market_order_is_climbed_to_once_all_moves_are_made(most: int, found: set[str]) -> None:
    day = day_with_arrival({**LADDER, "max_repegs": most})
    day.ended(day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10"), 630)
    day.intended(2, 631, "1", "100.02")
    day.placed(3, 660, "1", None, bid="100.00", ask="100.10", function="RepegOrders")
    assert day.violations() == found


@pytest.mark.parametrize("settings", [LADDER, LOOKS])
def test_a_market_order_is_due_in_the_last_two_turns(settings: dict[str, Any]) -> None:
    assert _first_order(settings, CLOSES - 80) == SOON
    assert _first_order(settings, CLOSES - 70) == set()


def test_a_line_that_is_looked_at_goes_to_the_market_near_the_close_only() -> None:
    assert _second_order(LOOKS, 20_000) == SOON
    assert _second_order(LOOKS, CLOSES - 70) == set()


@pytest.mark.parametrize(("fallback", "before", "found"), [
    ("market", 365, SOON), ("market", 300, set()), ("collar", 300, SOON), ("none", 300, SOON),
])  # fmt: skip
def test_a_market_order_may_be_a_fallback_to_the_market(fallback: str, before: int, found: set[str]) -> None:
    assert _first_order({**LOOKS, "fallback": fallback}, CLOSES - before) == found


def _fallback(bid: str, ask: str, age: float | None = 1, settings: dict[str, Any] | None = None) -> set[str]:
    """What is found where an order falls back to the market on a book of that age when the intent is written."""
    day = day_with_arrival(settings or FALLS_BACK)
    day.placed(1, CLOSES - 200, "1", None, bid=bid, ask=ask)
    quote = day.record.quotes[-1]
    day.record.quotes[-1] = quote._replace(stamp=None if age is None else at(CLOSES - 200 - 0.1 - age))
    return day.violations()


@pytest.mark.parametrize(("bid", "ask", "found"), [
    ("97.50", "102.50", set()),
    ("97.50", "102.51", UNCHECKED),
    ("100.00", "100.00", set()),
    ("100.01", "100.00", UNCHECKED),
    ("0", "100.00", UNCHECKED),
    ("100.00", "0", UNCHECKED),
    ("0", "0", UNCHECKED),
    ("0.0010", "0.0011", set()),  # one tick
    ("0.0010", "0.0012", UNCHECKED),
])  # fmt: skip
def test_a_fallback_to_the_market_needs_a_book_that_bounds_its_cost(bid: str, ask: str, found: set[str]) -> None:
    assert _fallback(bid, ask) == found


@pytest.mark.parametrize(("age", "found"), [
    (10.15, set()), (10.25, UNCHECKED), (-2.15, set()), (-2.25, UNCHECKED), (None, UNCHECKED),
])  # fmt: skip
def test_a_fallback_to_the_market_needs_a_quote_of_its_age(age: float | None, found: set[str]) -> None:
    """Ten seconds, and two in the future, and what the program's clock may be off."""
    assert _fallback("98.00", "102.00", age) == found
    assert _fallback("98.00", "102.00", age, {**FALLS_BACK, "max_quote_age_seconds": 20}) == (
        set() if age is not None and age > 0 else found
    )


def test_a_fallback_to_the_market_needs_a_quote_that_its_step_was_served() -> None:
    day = day_with_arrival(FALLS_BACK)
    day.looked_at(CLOSES - 201, "98.00", "102.00")
    day.placed(1, CLOSES - 200, "1", None)
    assert day.violations() == UNCHECKED


def test_a_fallback_to_the_collar_is_no_reason_to_send_to_the_market() -> None:
    """Near the close the ladder goes to the market, on a book that passes the check."""
    for bid, found in (("100.00", set()), ("98.00", UNCHECKED)):
        day = day_with_arrival({**LADDER, "fallback": "collar"})
        day.placed(1, CLOSES - 60, "1", None, bid=bid, ask="100.10")
        assert day.violations() == found


@pytest.mark.parametrize(("settings", "found"), [({"policy": "market"}, UNCHECKED), (LADDER, set())])
def test_a_market_order_is_sent_on_a_thin_book_only_if_it_escalates(settings: dict[str, Any], found: set[str]) -> None:
    day = day_with_arrival({"min_volume_shares": 200, **settings})
    day.ended(day.placed(1, 601, "1", None if found else "100.01", bid="100.00", ask="100.10"), 750)
    number = day.called("RepegOrders", 759, 761)
    day.quoted(759.5, "100.00", "100.10", invocation=number, size=50)
    name = day.intended(2, 759.9, "1", None, invocation=number)
    day.record.sent.append(SentOrder(at(760), at(760), name, number, is_answered=True))
    day.arrived(name, 760, "1", None)
    assert day.violations() == found


def _waiting(limit: str | None, seconds: float) -> DayByHand:
    """A quote of nine seconds' age is served to a step, which writes the intent of an order so much later."""
    day = day_with_arrival({"policy": "market"})
    number = day.called("PlaceOrders", 600.5, 640)
    day.quoted(601, "100.00", "100.10", invocation=number, age=9)
    name = day.intended(1, 601 + seconds, "1", limit, invocation=number)
    day.record.sent.append(SentOrder(at(601.1 + seconds), at(601.1 + seconds), name, number, is_answered=True))
    day.arrived(name, 601.1 + seconds, "1", limit)
    return day


@pytest.mark.parametrize(("limit", "seconds", "found"), [
    (None, 1.1, set()), (None, 1.3, UNCHECKED), ("100.55", 1.3, set()),
])  # fmt: skip
def test_a_market_order_needs_a_quote_that_is_new_enough_at_its_intent(
    limit: str | None, seconds: float, found: set[str]
) -> None:
    assert _waiting(limit, seconds).violations() == found


@pytest.mark.parametrize(("step", "thread", "until", "found"), [
    (1, 0, 604, set()),
    (1, ALL_THREADS, 604, set()),
    (1, 0, 603.7, UNCHECKED),
    (1, 7, 604, UNCHECKED),
    (0, 0, 604, UNCHECKED),
])  # fmt: skip
def test_a_writer_that_is_held_up_may_have_had_a_newer_quote(
    step: int, thread: int, until: float, found: set[str]
) -> None:
    day = _waiting(None, 4)
    day.record.held_up.append(HeldUp(step, thread, at(601), at(until)))
    assert day.violations() == found
