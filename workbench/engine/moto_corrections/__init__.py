"""Everything that touches moto's insides: moto is pinned, checked, corrected for a while, and put back as it was."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from workbench.engine.moto_corrections.patches import Patches
from workbench.engine.moto_corrections.threads import INTERPRETER
from workbench.engine.scheduler import Scheduler

VERSION = "5.2.5"


class WrongMoto(RuntimeError):
    """The corrections were written and tested against another version of moto."""


def check_version(installed: str | None = None) -> None:
    """Raise WrongMoto unless moto is the one that the corrections are for."""
    found = installed or version("moto")
    if found != VERSION:
        raise WrongMoto(f"the engine corrects moto {VERSION}; {found} is installed")


def apply(
    patches: Patches, scheduler: Scheduler, on_status: Callable[[Any], None], before_table_call: Callable[[str], None]
) -> None:
    """Put the scheduler under moto and correct what it does otherwise than AWS."""
    check_version()
    for module in INTERPRETER:
        importlib.import_module(module)
    from workbench.engine.moto_corrections import (
        dynamodb,
        executions,
        integrations,
        resources,
        speed,
        states,
        threads,
    )

    threads.apply(patches, scheduler)
    states.apply(patches, scheduler)
    executions.apply(patches, scheduler, on_status)
    integrations.apply(patches)
    dynamodb.apply(patches, scheduler.now)
    speed.apply(patches, before_table_call)
    resources.apply(patches)
