"""Generates docs/permissions.md: what each function may call, and what it has been seen to call."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "permissions.md"

HEAD = """# Permissions

What each function's role allows of DynamoDB, EventBridge, S3, Secrets Manager and Step Functions, against what the
function called on simulated days that take every path to AWS (`tests/template/test_permissions_used.py`, which also
writes this page: `python -m tests.template.permissions_page`). A test requires that nothing is granted and never used,
and nothing used and not granted; another compares this page. The secret is read when a container starts.

| Function | Granted and used | Granted, never used | Used, not granted |
|---|---|---|---|
"""


def page(granted: Mapping[str, AbstractSet[str]], used: Mapping[str, AbstractSet[str]]) -> str:
    """The whole page, as it should be on disk. Both are actions such as `s3:PutObject`, by function."""
    return HEAD + "".join(_row(name, granted[name], used.get(name, set())) for name in sorted(granted))


def _row(name: str, granted: AbstractSet[str], used: AbstractSet[str]) -> str:
    columns = (granted & used, granted - used, used - granted)
    return f"| `{name}` | {' | '.join(_listed(actions) for actions in columns)} |\n"


def _listed(actions: AbstractSet[str]) -> str:
    return ", ".join(f"`{action}`" for action in sorted(actions)) or "none"
