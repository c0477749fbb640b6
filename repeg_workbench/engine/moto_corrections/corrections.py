"""All corrections of moto together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from repeg_workbench.engine.moto_corrections import (
    cloudformation,
    dynamodb,
    dynamodb_speed,
    executions,
    integrations,
    speed,
    states,
    threads,
)
from repeg_workbench.engine.moto_corrections.patches import Patches
from repeg_workbench.engine.scheduler import Scheduler


def apply(
    patches: Patches, scheduler: Scheduler, on_status: Callable[[Any], None], before_table_call: Callable[[str], None]
) -> None:
    """Run moto on the scheduler and correct its differences from AWS."""
    threads.apply(patches, scheduler)
    states.apply(patches, scheduler)
    executions.apply(patches, scheduler, on_status)
    integrations.apply(patches)
    dynamodb.apply(patches, scheduler.now)
    dynamodb_speed.apply(patches, before_table_call)
    speed.apply(patches)
    cloudformation.apply(patches)
