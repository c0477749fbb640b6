"""The commit whose code is being simulated: the same seed is another day at another commit."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]

# What a seed's day depends on.
CODE = ("layers", "functions", "statemachine", "repeg_workbench")

UNKNOWN = "unknown"


def current_commit() -> str:
    """The commit's short hash, with a + if the code has changes that are not committed; "unknown" without git."""
    head = _git("rev-parse", "--short=10", "HEAD")
    if head is None:
        return UNKNOWN
    return f"{head}+" if _git("status", "--porcelain", "--", *CODE) else head


def _git(*words: str) -> str | None:
    try:
        answer = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
