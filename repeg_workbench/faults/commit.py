"""The commit whose code is being simulated: the same seed is another day at another commit."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]

# What a seed's day depends on.
CODE = ("layers", "functions", "statemachine", "repeg_workbench")

# What the outcome of a test depends on.
CODE_AND_TESTS = (*CODE, "tests")

UNKNOWN = "unknown"
CHANGED = "+"


def current_commit(of: Sequence[str] = CODE) -> str:
    """The commit's short hash, with a + if the code has changes that are not committed; "unknown" without git."""
    head = _git("rev-parse", "--short=10", "HEAD")
    if head is None:
        return UNKNOWN
    return f"{head}{CHANGED}" if _git("status", "--porcelain", "--", *of) else head


def is_committed(commit: str) -> bool:
    """Whether a hash is that of a commit, without changes beside it."""
    return commit != UNKNOWN and not commit.endswith(CHANGED)


def is_ancestor(commit: str) -> bool:
    """Whether a commit is part of the history of this working copy."""
    return _git("merge-base", "--is-ancestor", commit, "HEAD") is not None


def has_history() -> bool:
    """Whether there is a history to ask about: not in an archive, and not in a shallow clone."""
    return _git("rev-parse", "--is-shallow-repository") == "false"


def _git(*words: str) -> str | None:
    try:
        answer = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
