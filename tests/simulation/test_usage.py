"""What a simulated run uses of AWS, and what that costs."""

from __future__ import annotations

from decimal import Decimal

from repeg.domain.usage import usage_of
from repeg_workbench.simulate.simulation import opened
from repeg_workbench.simulate.summary import Usage
from tests.simulation.days import DAYS


def test_the_dollars_are_those_of_transitions_and_gigabyte_seconds() -> None:
    """The first column of docs/operations.md: 0.059 and 0.173 dollars."""
    usage = Usage(2_359, 0, 0, 0, 20_766)
    assert usage.aws_dollars == Decimal("0.232")


def test_a_runs_report_has_what_its_steps_have_used() -> None:
    """Up to the closing step, which has two requests left and takes a second; the account's keys are read in it."""
    (unfunded,) = (day for day in DAYS if day.name == "unfunded")
    with opened(unfunded.scenario()) as day:
        day.start(day.scenario.run_id)
        day.run()
        true, run = day.usage(), day.ports.store.run(day.scenario.run_id)
        used = day.ports.meter.used(day.scenario.run_id)
    assert run is not None
    assert run.report is not None
    assert used is not None
    said, whole = run.report.usage, usage_of(used)
    assert said is not None
    assert (whole.trading_requests, whole.data_requests) == (true.trading_requests, true.data_requests)
    assert (whole.transitions, whole.history_events) == (true.transitions, true.history_events)
    assert abs(whole.milliseconds / 1_000 - true.function_seconds) <= 1
    assert 0 < said.trading_requests < whole.trading_requests
    assert said.steps == whole.steps - 1
    assert 0 < said.dollars <= whole.dollars


def test_function_seconds_are_the_time_between_an_invocations_start_and_end() -> None:
    (unfunded,) = (day for day in DAYS if day.name == "unfunded")
    with opened(unfunded.scenario()) as day:
        before = day.engine.scheduler.now_ns
        day.start("counted")
        day.run()
        took = (day.engine.scheduler.now_ns - before) // 1_000_000_000
        assert 0 < day.usage().function_seconds < took
