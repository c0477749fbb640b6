"""Watching: what should have happened today and did not, and what is open and should not be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from repeg.domain.run import Run, RunState
from repeg.domain.session import TradingDay

# A run that has not begun this long after its window could have opened is missed; a scheduler may be a minute late.
LATE = timedelta(minutes=10)

# A run is stuck when it has not turned for this long, and for at least so many of its own turns.
STUCK = timedelta(minutes=5)
STUCK_TURNS = 3

_OVER = frozenset({RunState.CLOSED, RunState.SWEPT})


class Finding(StrEnum):
    """What is wrong."""

    MISSED_RUN = "missed_run"
    STUCK_RUN = "stuck_run"
    LEFT_OPEN = "left_open"


class Alert(BaseModel):
    """Something that a person must know: what, of which run (empty where there is none), in words."""

    model_config = ConfigDict(frozen=True)

    finding: Finding
    run_id: str
    reason: str


def missed(day: TradingDay, runs: Sequence[Run], now: datetime) -> list[Alert]:
    """A session day without a run, once it is late enough to say so."""
    if runs or now < day.open + LATE:
        return []
    return [Alert(finding=Finding.MISSED_RUN, run_id="", reason=f"no run on {day.day}, a session day")]


def is_over(run: Run) -> bool:
    """Whether a run has ended, however it did."""
    return run.state in _OVER


def is_stuck(run: Run, last_turn: datetime | None, now: datetime) -> bool:
    """Whether a run that should be turning has not, for minutes and for several of its turns.

    It is given as long for its first turn: from its window's opening, or from its start where that came later.
    """
    if is_over(run):
        return False
    patience = max(STUCK, timedelta(seconds=STUCK_TURNS * run.settings.order_monitoring_seconds))
    begun = max(run.started_at, run.window.opens)
    return now - max(last_turn or begun, begun) > patience
