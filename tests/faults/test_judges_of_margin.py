"""Both judges on runs that buy from buying power: what may be owed, by whom, and that it is an alert at the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.day_by_hand import RUN, DayByHand, day_with_arrival


def _on_margin(cash: str, held: str, **settings: str) -> DayByHand:
    """A run that has bought 100 AAA for 10,001 dollars, and held some at 100.20, on an account that may hold twice
    its equity; the day is over."""
    day = day_with_arrival(settings or {"fund_buys_from": "buying_power"}, cash=cash, held=held)
    day.record.multiplier, day.record.dearest = 2, {"AAA": 1_002_000}
    day.filled(day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10"), 602, "100", "100.01")
    day.closed(960)
    return day


@pytest.mark.parametrize(
    ("cash", "held", "found"),
    [
        ("10001", "0", set()),
        ("4991", "0", set()),  # 5,010 are owed, half of 100 shares at 100.20
        ("4990.99", "0", {"power_negative"}),
        ("0", "100", set()),  # 10,001 owed on holdings of 20,040
        ("0", "99", {"power_negative"}),
    ],
)
def test_a_run_on_buying_power_may_owe_what_its_margin_lends(cash: str, held: str, found: set[str]) -> None:
    day = _on_margin(cash, held)
    day.record.loans.add(RUN)
    assert day.violations() == found


def test_a_loan_after_the_close_must_have_been_an_alert() -> None:
    day = _on_margin("4991", "0")
    assert day.violations() == {"loan_not_alerted"}
    day.record.loans.add(RUN)
    assert day.violations() == set()


def test_a_run_on_cash_may_not_owe_what_its_margin_lends() -> None:
    assert _on_margin("9000", "100", fund_buys_from="cash").violations() == {"cash_negative"}


@pytest.mark.parametrize(("cash", "found"), [("10001", set()), ("10000", {"cash_negative"})])
def test_a_run_on_cash_does_not_miss_what_another_has_borrowed(cash: str, found: set[str]) -> None:
    """The other run has bought 100 AAA for 10,010 dollars before; both have bought for twice as much as there is."""
    day = day_with_arrival({"fund_buys_from": "cash"}, cash=cash)
    other = replace(
        day.record.runs[0], run_id="tilt-2026-11-23", prefix="rp000-tilt-261123.",
        settings={**day.record.runs[0].settings, "fund_buys_from": "buying_power"},
    )  # fmt: skip
    day.record.runs.append(other)
    day.record.multiplier, day.record.dearest = 4, {"AAA": 1_002_000}
    borrowed = day.arrived(f"{other.prefix}AAA.b.1", 600.5, "100", "100.10")
    day.filled(borrowed, 600.6, "100", "100.10")
    day.filled(day.placed(1, 601, "100", "100.01", bid="100.00", ask="100.10"), 602, "100", "100.01")
    money = {"cash_negative", "power_negative", "judges_disagree"}
    assert day.violations() & money == found
