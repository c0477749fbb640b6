"""The time that a plan takes to place and to close under the request quota."""

from __future__ import annotations

from datetime import timedelta

import pytest

from repeg.domain import plan
from repeg.domain.errors import InvalidPlan
from repeg.domain.pace import (
    closed_a_minute,
    closing_minutes,
    notes_of,
    placed_a_minute,
    placing_minutes,
    require_time_to_place,
    with_time_to_close,
)
from repeg.domain.plan import Plan
from repeg.domain.session import TradingWindow
from repeg.domain.settings import Settings
from tests.builders import NOON


def a_plan_of(orders: int) -> Plan:
    letters = "ABCDEFGHIJ"
    names = ["S" + "".join(letters[int(digit)] for digit in f"{number:03}") for number in range(orders)]
    return plan.parse({"name": "big", "orders": [{"symbol": name, "side": "buy", "qty": "1"} for name in names]})


@pytest.mark.parametrize(
    ("orders", "per_minute", "placing", "closing"),
    [(1, 200, 1, 1), (500, 200, 5, 4), (1_000, 200, 9, 8), (1_000, 1_000, 2, 2), (1_000, 10_000, 1, 1), (1, 60, 1, 1)],
)
def test_minutes_follow_from_orders_and_quota(orders: int, per_minute: int, placing: int, closing: int) -> None:
    assert (placing_minutes(orders, per_minute), closing_minutes(orders, per_minute)) == (placing, closing)


@pytest.mark.parametrize("per_minute", [60, 200, 1_000, 10_000])
def test_both_stay_within_the_quota(per_minute: int) -> None:
    assert 0 < placed_a_minute(per_minute) <= closed_a_minute(per_minute) < per_minute


def test_a_usual_plan_keeps_its_settings_and_needs_no_note() -> None:
    settings = Settings()
    assert with_time_to_close(settings, a_plan_of(100), 200) is settings
    assert notes_of(a_plan_of(100), 200) == ()


def test_a_plan_of_many_orders_closes_its_window_earlier() -> None:
    assert with_time_to_close(Settings(), a_plan_of(1_000), 200).close_margin_minutes == 9
    assert with_time_to_close(Settings(), a_plan_of(500), 200).close_margin_minutes == 5
    assert with_time_to_close(Settings(close_margin_minutes=20), a_plan_of(1_000), 200).close_margin_minutes == 20


def test_a_tight_margin_of_the_settings_is_widened() -> None:
    assert with_time_to_close(Settings(close_margin_minutes=1), a_plan_of(500), 200).close_margin_minutes == 5


def test_the_note_says_how_long_a_plan_takes() -> None:
    assert notes_of(a_plan_of(500), 200) == (
        "500 orders need 5 minutes to place and 4 minutes to close at 200 requests a minute",
    )


def test_a_plan_that_no_half_day_can_close_is_refused() -> None:
    settings = Settings(market_open_delay_minutes=180, close_margin_minutes=1)
    with pytest.raises(InvalidPlan, match=r"plan.orders: 1000 is not valid; expected at most 840 orders") as refused:
        with_time_to_close(settings, a_plan_of(1_000), 60)
    assert refused.value.field == "plan.orders"


@pytest.mark.parametrize(("minutes", "orders", "is_refused"), [(4, 500, True), (5, 500, False), (0, 100, False)])
def test_a_plan_that_cannot_be_sent_before_the_window_closes_is_refused(
    minutes: int, orders: int, is_refused: bool
) -> None:
    window = TradingWindow(opens=NOON - timedelta(hours=2), closes=NOON + timedelta(minutes=minutes, seconds=1))
    if not is_refused:
        require_time_to_place(a_plan_of(orders), window, NOON, 200)
        return
    with pytest.raises(InvalidPlan, match=r"500 is not valid; expected at most 456 orders: 114 a minute can be placed"):
        require_time_to_place(a_plan_of(orders), window, NOON, 200)
