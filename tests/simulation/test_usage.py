"""What a simulated run uses of AWS, and what that costs."""

from __future__ import annotations

from decimal import Decimal

from repeg_workbench.simulate.simulation import opened
from repeg_workbench.simulate.summary import Usage
from tests.simulation.days import DAYS


def test_the_dollars_are_those_of_transitions_and_gigabyte_seconds() -> None:
    """The first column of docs/operations.md: 0.059 and 0.173 dollars."""
    usage = Usage(2_359, 0, 0, 0, 20_766)
    assert usage.aws_dollars == Decimal("0.232")


def test_function_seconds_are_the_time_between_an_invocations_start_and_end() -> None:
    (unfunded,) = (day for day in DAYS if day.name == "unfunded")
    with opened(unfunded.scenario()) as day:
        before = day.engine.scheduler.now_ns
        day.start("counted")
        day.run()
        took = (day.engine.scheduler.now_ns - before) // 1_000_000_000
        assert 0 < day.usage().function_seconds < took
