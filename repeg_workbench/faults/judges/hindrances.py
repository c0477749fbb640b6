"""What kept the steps of a run from ending as usual: faults, outages, refused invocations, and each other."""

from __future__ import annotations

from collections.abc import Sequence

from repeg_workbench.faults.judges.record import SECOND, DayRecord, Execution, Invoked, JudgedRun

# The state machine waits at least so long for a step.
TASK = 30 * SECOND


def has_given_up(record: DayRecord, function: str, own: Sequence[Invoked], run: JudgedRun, until: int) -> bool:
    """Whether faults kept the last attempts of a step from ending in time. Nothing waits for a second delivery."""
    attempts = [step for step in own if step.function == function and not step.is_duplicate]
    last = max((step.began for step in attempts if step.answered and step.ended - step.began < TASK), default=-1)
    refused = any(last < at <= until and (who, name) == (run.run_id, function) for at, who, name in record.throttled)
    return refused or any(is_hindered(record, step, own) for step in attempts if step.began > last)


def is_hindered(record: DayRecord, step: Invoked, own: Sequence[Invoked]) -> bool:
    """Whether a fault struck a step, a service was away meanwhile, or another step of the run ran beside it."""
    ended = step.ended if step.ended >= 0 else record.until
    is_away = any(away.since <= ended and away.until >= step.began for away in record.outages)
    return step.is_struck or is_away or any(overlap(step, other) for other in own if other is not step)


def overlap(one: Execution | Invoked, other: Execution | Invoked, but: int = 0) -> bool:
    """Whether one began before the other had ended, by more than that time."""
    first, second = sorted((one, other), key=lambda each: (each.began, each.ended))
    return first.ended < 0 or second.began < first.ended - but
