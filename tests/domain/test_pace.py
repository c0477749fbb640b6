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


@pytest.mark.parametrize(
    ("per_minute", "placed", "closed"),
    [(60, 18, 30), (200, 114, 138), (1_000, 618, 738), (10_000, 1_800, 1_800), (8, 1, 1)],
)
def test_orders_of_a_minute_follow_from_its_buckets(per_minute: int, placed: int, closed: int) -> None:
    """Of six buckets, two requests each are for reads; a bucket of one request still leaves an order a minute."""
    assert (placed_a_minute(per_minute), closed_a_minute(per_minute)) == (placed, closed)


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


def test_a_margin_that_is_just_long_enough_is_kept() -> None:
    """138 orders can be closed in a minute, 500 in four, and nothing is open in the last one."""
    settings = Settings(close_margin_minutes=5)
    assert with_time_to_close(settings, a_plan_of(552), 200) is settings
    assert with_time_to_close(settings, a_plan_of(553), 200).close_margin_minutes == 6


def test_a_tight_margin_of_the_settings_is_widened() -> None:
    assert with_time_to_close(Settings(close_margin_minutes=1), a_plan_of(500), 200).close_margin_minutes == 5


def test_the_note_says_how_long_a_plan_takes() -> None:
    assert notes_of(a_plan_of(500), 200) == (
        "500 orders need 5 minutes to place and 4 minutes to close at 200 requests a minute",
    )


@pytest.mark.parametrize(("orders", "notes"), [(114, 0), (115, 1)])
def test_a_plan_that_takes_more_than_a_minute_has_a_note(orders: int, notes: int) -> None:
    """114 can be placed in a minute, and even more be closed."""
    assert len(notes_of(a_plan_of(orders), 200)) == notes


def test_a_half_day_closes_as_many_orders_as_it_has_minutes_for() -> None:
    """Of its 210 minutes 180 are before the window, and one is left to trade in; 30 orders can be closed in each."""
    settings = Settings(market_open_delay_minutes=180, close_margin_minutes=1)
    assert with_time_to_close(settings, a_plan_of(840), 60).close_margin_minutes == 29
    with pytest.raises(InvalidPlan, match=r"at most 840 orders, which can be closed in 29 minutes"):
        with_time_to_close(settings, a_plan_of(841), 60)


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


def refusal(orders: Plan, *, opens: timedelta, closes: timedelta) -> str:
    """Why a plan is refused at noon in a window from and until these times, at 200 requests a minute; empty if it is
    not."""
    try:
        require_time_to_place(orders, TradingWindow(opens=NOON + opens, closes=NOON + closes), NOON, 200)
    except InvalidPlan as refused:
        return str(refused)
    return ""


@pytest.mark.parametrize(
    ("orders", "seconds", "most"),
    [
        (113, -300, None), (114, -300, 0), (114, 59, 0), (114, 60, None),
        (228, 119, 114), (228, 120, None), (229, 120, 228),
        (600, 239, 342), (600, 240, 456), (600, 295, 456),
    ],
)  # fmt: skip
def test_a_window_takes_114_orders_a_minute(orders: int, seconds: int, most: int | None) -> None:
    """A plan of less than a minute is not refused here, however late it is."""
    refused = refusal(a_plan_of(orders), opens=-timedelta(hours=2), closes=timedelta(seconds=seconds))
    assert (f"expected at most {most} orders: 114 a minute" in refused) if most is not None else not refused


def test_the_time_to_place_begins_when_the_window_opens() -> None:
    an_hour = timedelta(hours=1)
    for minutes, is_refused in ((4, True), (5, False)):
        refused = refusal(a_plan_of(500), opens=an_hour, closes=an_hour + timedelta(minutes=minutes))
        assert bool(refused) is is_refused


def test_a_refused_plan_of_weights_names_its_targets() -> None:
    weights = {f"S{a}{b}{c}": "0.001" for a in "ABCDE" for b in "ABCDEFGHIJ" for c in "ABCDEFGHIJ"}
    given = plan.parse({"name": "big", "targets": weights})
    assert refusal(given, opens=timedelta(0), closes=timedelta(minutes=1)).startswith("plan.targets: 500 is not valid")
