"""Plan files on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from repeg.domain.errors import InvalidInput
from repeg.domain.plan import Plan
from repeg.domain.plan_reading.reader import document_of, drafted, plan_of
from repeg_workbench.plans.yaml_text import decoded_yaml


class PlanFile(NamedTuple):
    """A plan with its document: numbers as text, and notes of what was changed in the file."""

    document: dict[str, Any]
    plan: Plan


def read_plan(path: Path) -> PlanFile:
    """The plan of a file. Raises InvalidInput if it cannot be read, InvalidPlan if it is none."""
    draft = drafted(body_of(path), path.name, decoded_yaml)
    plan = plan_of(draft, path.name)
    return PlanFile(document_of(draft, path.name), plan)


def body_of(path: Path) -> bytes:
    """The bytes of a plan file. Raises InvalidInput if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput("plan", str(path), f"a file that can be read ({error.strerror})") from None
