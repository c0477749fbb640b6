"""The rows of a run as the table keeps them, from the run that the store in memory keeps."""

from __future__ import annotations

from repeg.domain import store_rules
from repeg.domain.run import Run, RunState


def guard_of_run(run: Run) -> store_rules.Guard:
    """The guard row of a run."""
    return store_rules.Guard(
        run.run_id, run.owner, run.epoch, run.state, is_announced=run.is_announced,
        account_number=run.account_number, id_prefix=run.id_prefix,
    )  # fmt: skip


def in_state(
    run: Run, *, state: RunState | None = None, is_planned: bool | None = None, is_announced: bool | None = None
) -> Run:
    """A run with some of its changing fields changed."""
    return run.in_state(
        run.state if state is None else state,
        is_planned=run.is_planned if is_planned is None else is_planned,
        is_announced=run.is_announced if is_announced is None else is_announced,
    )
