"""A run may trade only at its current epoch, while it is running, on its own day."""

from __future__ import annotations

from datetime import timedelta

import pytest

from repeg.domain.errors import RefusedRun
from repeg.domain.run import TRANSITIONS, Run, RunState
from tests.builders import MONDAY, a_run, settings_with


def test_a_running_run_may_trade_on_its_own_day() -> None:
    a_run().require_current(1, MONDAY)


def test_an_execution_redriven_a_week_later_is_refused() -> None:
    with pytest.raises(RefusedRun, match="is for 2026-11-23; today is 2026-11-30"):
        a_run().require_current(1, MONDAY + timedelta(days=7))


def test_an_execution_with_an_older_epoch_is_fenced() -> None:
    with pytest.raises(RefusedRun, match="at epoch 2; this execution holds 1"):
        a_run(epoch=2).require_current(1, MONDAY)


@pytest.mark.parametrize("state", [RunState.CLOSING, RunState.CLOSED, RunState.SWEPT])
def test_a_closing_or_finished_run_may_not_trade(state: RunState) -> None:
    with pytest.raises(RefusedRun, match=f"is {state}"):
        a_run(state=state).require_current(1, MONDAY)


def test_a_finished_run_never_changes_state() -> None:
    assert {state for state in RunState if not TRANSITIONS[state]} == {RunState.CLOSED, RunState.SWEPT}
    assert not any(RunState.RUNNING in after for after in TRANSITIONS.values())


def test_a_run_finishes_only_through_closing() -> None:
    assert [state for state in RunState if RunState.CLOSED in TRANSITIONS[state]] == [RunState.CLOSING]
    assert [state for state in RunState if RunState.SWEPT in TRANSITIONS[state]] == [RunState.CLOSING]


def test_the_window_follows_the_runs_stored_settings() -> None:
    window = a_run(settings=settings_with(market_open_delay_minutes=30, close_margin_minutes=15)).window
    assert (f"{window.opens:%H:%M}", f"{window.closes:%H:%M}") == ("15:00", "20:45")


def test_a_run_survives_a_json_round_trip() -> None:
    run = a_run(settings=settings_with(max_run_notional="12345.67"))
    assert Run.model_validate_json(run.model_dump_json()) == run
