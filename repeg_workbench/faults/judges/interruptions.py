"""What ended or stopped a run from outside: the kill switch of its own stack, or an execution of it that did not
succeed."""

from __future__ import annotations

from itertools import zip_longest

from repeg_workbench.faults.judges.record import MINUTE, SECOND, DayRecord, Execution, JudgedRun
from repeg_workbench.faults.judges.rules import Rules

EVERY_STATE = frozenset({"halt_new", "cancel_all"})
# A switch that was set in one of so many turns before a run's end may have ended it.
LAST_TURNS = 3
# The function that sweeps a run ends within this time.
SWEEP = 15 * MINUTE


def was_switched_off(record: DayRecord, run: JudgedRun, until: int) -> bool:
    """Whether the kill switch of a run's stack was set at any time from the run's first start to that moment."""
    began = min((each.began for each in record.executions if each.run_id == run.run_id), default=0)
    return is_switched_off(record, run.stack, began, until)


def was_ended_by_switch(record: DayRecord, run: JudgedRun, closed: int | None, until: int) -> bool:
    """Whether the switch of a run's stack may have ended the run, whose closing step began then, if any did.

    `cancel_all` closes a run, so it counts from the first start. `halt_new` only lets it wait, and the run goes on once
    that is lifted: it counts if it was set in the last turns before the end, or since.
    """
    began = min((each.began for each in record.executions if each.run_id == run.run_id), default=0)
    period = int(Rules(run.settings)["order_monitoring_seconds"]) * SECOND
    since = _ending_since(record, run, closed) - LAST_TURNS * period - MINUTE
    is_off = is_switched_off(record, run.stack, max(since, began), until)
    return is_off or is_switched_off(record, run.stack, began, until, frozenset({"cancel_all"}))


def _ending_since(record: DayRecord, run: JudgedRun, closed: int | None) -> int:
    """When a run began to end: with its closing step, with an execution that did not succeed, or with the sweep that
    has published its end before any closing step."""
    dead = [e.ended for e in record.executions if e.run_id == run.run_id and e.status != "SUCCEEDED" and e.ended >= 0]
    ends = [each.at for each in record.published if each.run_id == run.run_id]
    swept = [at - SWEEP for at in ends if closed is None or at < closed]
    return min([record.until if closed is None else closed, *dead, *swept])


def is_switched_off(
    record: DayRecord, stack: int, since: int, until: int, states: frozenset[str] = EVERY_STATE
) -> bool:
    """Whether the kill switch of a stack was set, to one of these states, at any moment of a time."""
    of_stack = [switched for switched in record.switched if switched.stack == stack]
    return any(
        switched.state in states and switched.at <= until and (following is None or following.at > since)
        for switched, following in zip_longest(of_stack, of_stack[1:])
    )


def was_broken_off(record: DayRecord, run: JudgedRun, closed: int, closes: int) -> bool:
    """Whether an execution that had opened the run was stopped before the run was closed, or failed before its window
    closed. One that fails closes its run first, which may take it until after that, and may be stopped meanwhile."""
    return any(
        each.run_id == run.run_id
        and each.status != "SUCCEEDED"
        and _broke_off(record, each, closed, closes)
        and has_opened(record, each)
        for each in record.executions
    )


def _broke_off(record: DayRecord, execution: Execution, closed: int, closes: int) -> bool:
    is_closing = execution.began <= closed <= min(execution.ended, closes - 1)
    if execution.status == "FAILED":
        return is_closing
    return 0 <= execution.ended <= closed or (is_closing and _had_failed(record, execution.run_id, closed))


def _had_failed(record: DayRecord, run_id: str, closed: int) -> bool:
    """Whether the last step of a run before its closing had no answer: that is why it was closed."""
    before = [step for step in record.invoked if step.run_id == run_id and step.began < closed]
    return bool(before) and not max(before, key=lambda step: step.began).answered


def has_opened(record: DayRecord, execution: Execution) -> bool:
    """Whether an execution has opened its run; an input that is refused has none, or another execution's."""
    return any(
        step.function == "OpenRun" and step.run_id == execution.run_id and step.answered
        and execution.began <= step.began and (execution.ended < 0 or step.began <= execution.ended)
        for step in record.invoked
    )  # fmt: skip
