"""The identity of a run: plan name, trading date, and content; and the ids that come from it."""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Any

from repeg.domain.errors import DuplicateRun, InvalidPlan
from repeg.domain.plan import Plan, run_id
from repeg.domain.run import Run, RunState
from repeg.domain.settings import Settings

MAX_RUN_NUMBER = 99


def preview_id(name: str, day: date, execution: str) -> str:
    """The id of a preview: no run has it, and each execution has its own, the same one when its step is retried."""
    return f"{run_id(name, day)}-p{sha256(execution.encode()).hexdigest()[:8]}"


def has_failed(run: Run) -> bool:
    """Whether a run ended without being settled."""
    is_settled = run.report is not None and run.report.is_settled
    return run.state is RunState.SWEPT or (run.state is RunState.CLOSED and not is_settled)


def refusal_of_second_start(
    run: Run, plan: Plan, settings: Settings, *, has_sent: bool, free_number: int | None
) -> DuplicateRun | InvalidPlan:
    """Why another execution may not start a run that exists.

    A start with the plan and settings of a run that is active or settled is a duplicate and no failure: that run makes
    the trades, or has made them. Any other second start would be lost, so it fails, and its error gives the next free
    run number.
    """
    difference = _difference(run, plan, settings, has_sent=has_sent)
    if difference is None:
        return DuplicateRun(f"run {run.run_id} belongs to {run.owner}")
    remedy = "another name or date" if free_number is None else f"run_number {free_number} for a further run of the day"
    return InvalidPlan("plan.name", plan.name, f"{remedy}: {run.run_id} {difference}")


def _difference(run: Run, plan: Plan, settings: Settings, *, has_sent: bool) -> str | None:
    """What keeps the run from being the one that is asked for, in words; None if nothing does."""
    if run.preview:
        return "is a preview"
    if _content(run.plan) != _content(plan):
        return "has another plan"
    if run.settings != settings:
        return "has other settings"
    if has_failed(run):
        return f"failed after it had sent orders, and is {run.state}" if has_sent else "failed and sent no order"
    return None


def _content(plan: Plan) -> dict[str, Any]:
    """What a plan trades. Its notes say how its file was read, and the same plan has others from another file."""
    return plan.model_dump(exclude={"notes"})
