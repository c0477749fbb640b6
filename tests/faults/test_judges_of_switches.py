"""The judge on orders that were on their way when the kill switch was set to cancel all."""

from __future__ import annotations

import pytest

from tests.faults.day_by_hand import DayByHand, at, day_with_arrival


def _on_its_way(arrives: float, cancelled: float) -> DayByHand:
    """An order leaves at 699.8, the switch is set at 700; the order is cancelled and its run closed."""
    day = day_with_arrival()
    order = day.placed(1, arrives, "100", "100.01", bid="100.00", ask="100.10", left=699.8)
    day.switched(700, "cancel_all")
    day.ended(order, cancelled)
    day.closed(cancelled + 1, "killed")
    return day


@pytest.mark.parametrize(("arrives", "cancelled", "found"), [
    (700.3, 970, set()),
    (700.3, 971, {"not_cancelled"}),
    (707, 977, set()),
    (707, 978, {"not_cancelled"}),
    (760, 760 + 719, set()),
    (760, 760 + 721, {"not_cancelled"}),
])  # fmt: skip
def test_an_order_on_its_way_at_the_switch_counts_from_its_arrival(
    arrives: float, cancelled: float, found: set[str]
) -> None:
    """Where the network has held its request up, two passes of the watchdog count."""
    assert _on_its_way(arrives, cancelled).violations() == found


@pytest.mark.parametrize(("lifted", "found"), [(799, set()), (801, {"not_cancelled"})])
def test_an_order_that_arrives_once_the_switch_is_lifted_may_rest(lifted: float, found: set[str]) -> None:
    day = _on_its_way(800, 5_000)
    day.switched(lifted, "active")
    assert day.violations() == found


def test_an_order_on_its_way_is_left_to_the_watchdog_where_its_run_has_died() -> None:
    day = _on_its_way(707, 978)
    day.record.executions[0].status, day.record.executions[0].ended = "ABORTED", at(705)
    day.record.executions[0].is_event_lost = True
    assert "not_cancelled" not in day.violations()
