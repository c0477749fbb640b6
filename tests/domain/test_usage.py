"""What a run uses: sums over its steps, the machine's states by their steps, and dollars by the table of prices."""

from __future__ import annotations

from decimal import Decimal

from repeg.domain.usage import PRICES, Used, dollars, usage_of

DAY = Used(
    steps={"OpenRun": 1, "CheckSession": 2, "PlanOrders": 1, "ValidateQuotes": 3, "PlaceOrders": 3, "RepegOrders": 10,
           "CloseRun": 1},
    milliseconds=200_500, trading_requests=120, data_requests=80,
)  # fmt: skip


def test_the_states_of_an_execution_are_counted_from_its_steps() -> None:
    """21 tasks, 13 choices after sessions, turns and the close, 11 waits, a pass and a success."""
    usage = usage_of(DAY)
    assert (usage.steps, usage.transitions) == (21, 21 + 13 + 11 + 2)
    assert usage.history_events == 5 * 21 + 2 * 26 + 2


def test_dollars_are_those_of_transitions_seconds_and_invocations() -> None:
    """47 transitions, 100.25 gigabyte-seconds and 21 invocations."""
    assert usage_of(DAY).dollars == Decimal("0.0029")
    assert dollars(1_000_000, 0, 0) == 25
    assert dollars(0, 2_000_000, 0) == Decimal("0.0166667").quantize(Decimal("0.0001"))
    assert dollars(0, 0, 1_000_000) == Decimal("0.2")


def test_prices_have_their_date() -> None:
    assert usage_of(DAY).prices == f"list prices of us-east-1 on {PRICES.of}"
