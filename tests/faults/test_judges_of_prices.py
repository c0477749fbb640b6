"""Which limits the first judge takes for prices of the book, on days built by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.faults.day_by_hand import CLOSES, DayByHand, day_with_arrival


@pytest.mark.parametrize("qty", ["100", "27"])
def test_a_buy_may_be_as_dear_as_its_largest_notional(qty: str) -> None:
    """100 shares fit 10,003.57 dollars at 100.03 and not at 100.04, even if cash allows 27 of them at first."""
    for limit, found in (("100.03", set()), ("100.02", {"not_a_price_of_the_book"})):
        day = day_with_arrival({"max_order_notional": "10003.57"})
        day.placed(1, 601, qty, limit, bid="100.05", ask="100.15")
        assert day.violations() == found


def test_a_buy_is_no_dearer_than_its_price_where_more_fits() -> None:
    day = day_with_arrival({"max_order_notional": "10003.57"})
    day.placed(1, 601, "100", "100.03", bid="100.00", ask="100.10")
    assert day.violations() == {"not_a_price_of_the_book"}


MID, COLLAR = "100.05", "100.55"


def _second_order(limit: str, when: float, settings: dict[str, Any]) -> set[str]:
    """What is found where a line that has rested its first order sends another, on the same book."""
    day = day_with_arrival(settings)
    first = day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10")
    day.ended(first, when - 1)
    day.placed(2, when, "1", limit, bid="100.00", ask="100.10", function="RepegOrders")
    return day.violations()


@pytest.mark.parametrize("limit", [MID, COLLAR])
@pytest.mark.parametrize("escalation", ["none", "mid", "cross", "market"])
def test_a_first_order_rests_whatever_the_settings_permit_later(escalation: str, limit: str) -> None:
    day = day_with_arrival({"escalation": escalation})
    day.placed(1, 601, "1", limit, bid="100.00", ask="100.10")
    assert day.violations() == {"not_a_price_of_the_book"}


@pytest.mark.parametrize(("escalation", "limits"), [
    ("none", set()), ("mid", {MID}), ("cross", {MID, COLLAR}), ("market", {MID, COLLAR}),
])  # fmt: skip
def test_an_order_climbs_as_far_as_its_escalation_once_half_patient(escalation: str, limits: set[str]) -> None:
    for limit in (MID, COLLAR):
        settings = {"escalation": escalation}
        assert _second_order(limit, 740, settings) == {"not_a_price_of_the_book"}
        assert _second_order(limit, 752, settings) == (set() if limit in limits else {"not_a_price_of_the_book"})


@pytest.mark.parametrize(("escalation", "limits"), [
    ("none", set()), ("mid", {MID}), ("cross", {COLLAR}), ("market", {COLLAR}),
])  # fmt: skip
def test_an_order_that_is_looked_at_climbs_in_the_last_two_turns_only(escalation: str, limits: set[str]) -> None:
    """Then to the last limit at once. What it takes before is a limit at the far side."""
    for limit in (MID, COLLAR):
        settings = {"policy": "normal", "escalation": escalation}
        assert _second_order(limit, CLOSES - 80, settings) == {"not_a_price_of_the_book"}
        is_right = limit in limits
        assert _second_order(limit, CLOSES - 70, settings) == (set() if is_right else {"not_a_price_of_the_book"})


@pytest.mark.parametrize(("most", "found"), [(1, set()), (2, {"not_a_price_of_the_book"})])
def test_a_line_has_made_its_moves_even_if_an_order_never_arrived(most: int, found: set[str]) -> None:
    day = day_with_arrival({"max_repegs": most})
    day.ended(day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10"), 630)
    day.intended(2, 631, "1", "100.02")
    day.placed(3, 660, "1", MID, bid="100.00", ask="100.10", function="RepegOrders")
    assert day.violations() == found


@pytest.mark.parametrize(("turn", "before"), [(10, 38), (30, 78)])
def test_an_order_escalates_near_the_close_without_having_been_patient(turn: int, before: int) -> None:
    """Two turns before it, ten seconds for the last order and seven for the clock."""
    for late, found in ((0, {"not_a_price_of_the_book"}), (2, set())):
        day = day_with_arrival({"order_monitoring_seconds": turn})
        day.placed(1, CLOSES - before + late, "1", COLLAR, bid="100.00", ask="100.10")
        assert day.violations() == found


@pytest.mark.parametrize(("settings", "qty", "found"), [
    ({"policy": "market"}, "100", set()),
    ({"use_smart_limit_execution": False}, "100", set()),
    ({"control_share": "0.5"}, "40", set()),
    ({"control_share": "0.5"}, "50", {"not_a_price_of_the_book"}),  # too dear for a control order
    ({"control_share": "0"}, "40", {"not_a_price_of_the_book"}),
])  # fmt: skip
def test_a_market_order_without_its_cash_is_sent_at_its_collar(
    settings: dict[str, Any], qty: str, found: set[str]
) -> None:
    day = day_with_arrival(settings, qty=qty)
    day.placed(1, 601, qty, COLLAR, bid="100.00", ask="100.10")
    assert day.violations() == found


@pytest.mark.parametrize(("when", "found"), [(CLOSES - 365, {"not_a_price_of_the_book"}), (CLOSES - 300, set())])
def test_an_order_falls_back_to_its_collar_whatever_its_escalation(when: float, found: set[str]) -> None:
    """In the last five minutes of its window, and one more for a clock and a turn."""
    assert _second_order(COLLAR, when, {"policy": "normal", "escalation": "none", "fallback": "collar"}) == found


@pytest.mark.parametrize(("fallback", "passes_at", "held_for", "found"), [
    ("collar", CLOSES - 250, 70, set()),
    ("collar", CLOSES - 250, 40, {"not_a_price_of_the_book"}),  # a fallback is held for a minute
    ("collar", CLOSES - 370, 70, {"not_a_price_of_the_book"}),
    ("none", CLOSES - 250, 70, {"not_a_price_of_the_book"}),
])  # fmt: skip
def test_a_fallbacks_arrival_stands_when_its_book_passes_later(
    fallback: str, passes_at: float, held_for: float, found: set[str]
) -> None:
    """The collar of a wide book is 101.00. The order waits, and is sent on a book that passes and is above it."""
    day = DayByHand({"fallback": fallback})
    day.looked_at(passes_at - held_for, "100.00", "101.00")
    day.looked_at(passes_at, "102.00", "102.10")
    day.placed(1, passes_at + 5, "1", "101.00", bid="102.00", ask="102.10")
    assert day.violations() == found


@pytest.mark.parametrize(("minutes", "found"), [(6, set()), (8, {"not_a_price_of_the_book"})])
def test_a_fallbacks_arrival_is_no_book_of_the_morning(minutes: int, found: set[str]) -> None:
    """The line's book has been 100.00 × 101.00 for some minutes, and was 98.00 × 99.00 before."""
    due = CLOSES - 360
    day = DayByHand({"fallback": "collar"})
    day.looked_at(due - minutes * 60 + 10, "98.00", "99.00")
    for before in range(minutes * 60 - 50, -60, -60):
        day.looked_at(due - before, "100.00", "101.00")
    day.looked_at(CLOSES - 250, "102.00", "102.10")
    day.placed(1, CLOSES - 245, "1", "98.99", bid="102.00", ask="102.10")
    assert day.violations() == found


@pytest.mark.parametrize(
    ("limit", "ask", "settings", "is_right"),
    [
        ("100.00", "100.01", {}, True),
        ("99.99", "100.01", {}, True),
        ("99.98", "100.01", {}, False),
        ("100.01", "100.01", {}, True),
        ("100.01", "100.01", {"escalation": "mid"}, False),
        ("99.99", "100.04", {}, False),
        ("100.04", "100.04", {}, True),
        ("100.03", "100.04", {}, False),
    ],
)
def test_the_policy_of_looks_joins_steps_back_or_takes_the_touch(
    limit: str, ask: str, settings: dict[str, Any], is_right: bool
) -> None:
    day = day_with_arrival({"policy": "normal", **settings})
    day.placed(1, 601, "1", limit, bid="100.00", ask=ask)
    assert day.violations() == (set() if is_right else {"not_a_price_of_the_book"})


@pytest.mark.parametrize("name", ["max_order_notional", "max_run_notional", "max_day_notional", None])
def test_a_reserved_price_needs_a_limit_in_dollars(name: str | None) -> None:
    """A successor was reserved on a book that has gone, which its step was not served any more."""
    day = day_with_arrival({name: "20000"} if name else {})
    day.looked_at(610, "100.04", "100.14")
    day.placed(1, 631, "1", "100.05", bid="100.20", ask="100.30")
    assert day.violations() == (set() if name else {"not_a_price_of_the_book"})


@pytest.mark.parametrize(("limit", "found"), [("100.26", set()), ("100.27", {"not_a_price_of_the_book"})])
def test_a_reserved_price_rises_with_what_its_predecessor_fills(limit: str, found: set[str]) -> None:
    """100 shares were reserved at 100.11. 60 of them fill at 100.01, which leaves 4,010.40 dollars for the others."""
    day = day_with_arrival({"max_run_notional": "20000"})
    first = day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10")
    day.looked_at(610, "100.10", "100.20")
    day.filled(first, 620, "60", "100.01")
    day.ended(first, 625)
    day.placed(2, 631, "40", limit, bid="100.30", ask="100.40")
    assert day.violations() == found


def test_a_reserved_price_is_none_from_before_the_last_order() -> None:
    day = day_with_arrival({"max_run_notional": "20000"})
    day.ended(day.placed(1, 611, "1", "100.05", bid="100.04", ask="100.14"), 625)
    day.placed(2, 631, "1", "100.05", bid="100.20", ask="100.30")
    assert day.violations() == {"not_a_price_of_the_book"}


@pytest.mark.parametrize(
    ("limit", "bid", "policy", "found"),
    [
        ("100.02", "100.04", "normal", set()),
        ("100.00", "100.04", "normal", {"not_a_price_of_the_book"}),  # the widest spread was ten ticks
        ("100.05", "100.04", "anchor", set()),
        ("100.02", "100.04", "anchor", {"not_a_price_of_the_book"}),
        ("100.02", "100.03", "normal", {"not_a_price_of_the_book"}),  # that bid is another's
    ],
)
def test_an_order_may_retreat_while_its_own_quote_hides_the_others(
    limit: str, bid: str, policy: str, found: set[str]
) -> None:
    """The order before was alone at 100.04, and the quote after its cancel still shows it."""
    day = day_with_arrival({"policy": policy})
    settings = day.record.runs[0].settings
    day.ended(day.placed(1, 611, "1", "100.04", bid="100.03", ask="100.13"), 625)
    assert settings["policy"] == policy
    day.placed(2, 631, "1", limit, bid=bid, ask="100.11")
    assert day.violations() == found


@pytest.mark.parametrize(("size", "found"), [
    ({"notional": "12000"}, set()),
    ({"qty": "100"}, {"past_the_collar", "not_a_price_of_the_book"}),
])  # fmt: skip
def test_an_order_in_dollars_may_pass_over_a_book_far_from_its_size(size: dict[str, str], found: set[str]) -> None:
    """It was sized at 120 dollars. The book at 100 passes every other check and is no arrival of it."""
    day = day_with_arrival()
    run = day.record.runs[0]
    day.record.runs[0] = replace(run, plan={"name": "core", "orders": [{"symbol": "AAA", "side": "buy", **size}]})
    day.looked_at(610, "120.00", "120.10")
    day.placed(1, 611, "1", "120.01", bid="120.00", ask="120.10")
    names = {"past_the_collar", "not_a_price_of_the_book", "judges_disagree"}
    assert day.violations() & names == found
