"""The judges know a control order by the documented rule: the first of its line, within its cap and its book."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.day_by_hand import day_with_arrival

SHARE: dict[str, Any] = {"control_share": "0.5"}


def is_refused(settings: dict[str, Any], qty: str, n: int = 1, of: str = "") -> bool:
    """Whether a market order of so many shares is a violation, on which both judges must agree. The line buys `of`
    shares, by default as many."""
    day = day_with_arrival(settings, qty=of or qty)
    if n > 1:
        first = day.placed(1, 601, "1", "100.01", bid="100.00", ask="100.10")
        day.ended(first, 610)
    day.placed(n, 611, qty, None, bid="100.00", ask="100.10")
    found = day.violations()
    assert "judges_disagree" not in found
    return "market_order_not_allowed" in found


def test_a_control_order_is_permitted_where_a_share_is_drawn() -> None:
    assert not is_refused(SHARE, "40")
    assert is_refused({}, "40")
    assert is_refused({"control_share": "0"}, "40")


@pytest.mark.parametrize(("most", "refused"), [("4104.10", False), ("4104.09", True)])
def test_a_control_order_costs_at_most_what_it_may(most: str, refused: bool) -> None:
    """Forty shares at 100.10 and 2.5 % beyond it."""
    assert is_refused({**SHARE, "control_max_notional": most}, "40") is refused


def test_a_control_order_is_at_most_what_is_displayed() -> None:
    wide = {**SHARE, "control_max_notional": "1000000", "max_run_notional": "1000000"}
    assert not is_refused(wide, "100")
    assert is_refused(wide, "100000")


def test_a_control_order_is_for_all_that_is_to_be_bought() -> None:
    assert is_refused(SHARE, "39", of="40")


def test_only_the_first_order_of_a_line_is_a_control_order() -> None:
    assert is_refused(SHARE, "40", n=2)


def test_a_symbol_may_have_a_share_of_its_own() -> None:
    assert is_refused({**SHARE, "symbols": {"AAA": {"control_share": "0"}}}, "40")
