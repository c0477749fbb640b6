"""The judges of what is left of a line: only what the broker would not take is too little to trade."""

from __future__ import annotations

import pytest

from tests.faults.day_by_hand import CLOSES, DayByHand, day_with_arrival


def _partly_filled(qty: str, filled: str, outcome: str, quoted: float = 901) -> DayByHand:
    """A line that is said to have ended so after a part of it was filled at 620; it was last quoted at that time."""
    day = day_with_arrival(qty=qty)
    order = day.placed(1, 601, qty, "100.01", bid="100.00", ask="100.10")
    day.filled(order, 620, filled, "100.01")
    day.ended(order, 900)
    day.looked_at(quoted, "100.00", "100.10")
    day.closed(960, outcome)
    return day


@pytest.mark.parametrize(("qty", "filled", "found"), [
    ("1.4", "0.5", {"outcome_untrue"}),
    ("1.4", "1.39", {"outcome_untrue"}),
    ("1.4", "1.391", set()),
    ("40", "39", {"outcome_untrue"}),
])  # fmt: skip
def test_a_rest_that_is_worth_a_dollar_is_not_filled(qty: str, filled: str, found: set[str]) -> None:
    """A mid of 100.05: 0.0099 of a share are worth less than a dollar."""
    assert _partly_filled(qty, filled, "filled").violations() == found


@pytest.mark.parametrize(("quoted", "found"), [(619.8, {"outcome_untrue"}), (619.95, set())])
def test_a_rest_is_dust_only_on_a_quote_of_a_step_that_saw_it(quoted: float, found: set[str]) -> None:
    """Each step ends a tenth of a second after its quote; the last execution is at 620."""
    assert _partly_filled("1.4", "1.391", "filled", quoted=quoted).violations() == found


def test_a_line_with_dust_left_may_also_end_as_one_that_has_some_left() -> None:
    assert "outcome_untrue" not in _partly_filled("1.4", "1.391", "partial_deadline").violations()


@pytest.mark.parametrize(("qty", "found"), [("0.5", {"idle"}), ("0.009", set())])
def test_a_part_of_a_share_is_idle_if_the_broker_would_take_it(qty: str, found: set[str]) -> None:
    day = day_with_arrival(qty=qty)
    for begins in (600, 630, 660):
        number = day.called("PlaceOrders", begins, begins + 1)
        day.quoted(begins + 0.5, "100.00", "100.10", invocation=number)
    day.closed(CLOSES, "partial_deadline")
    assert day.violations() == found
