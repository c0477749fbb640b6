"""Writes docs/permissions.md: `python -m tests.template.permissions_page` plays the days of `test_permissions_used`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Set as AbstractSet

from repeg_workbench.docs import permissions
from tests.template.test_permissions_used import FUNCTIONS, PLAYS, SECRET, Call, granted


def page(calls: AbstractSet[Call]) -> str:
    """The page for these calls. Every container that may reads the secret."""
    readers = [name for name in FUNCTIONS if SECRET in granted(name) and ("container", SECRET) in calls]
    used = defaultdict(set, {name: {SECRET} for name in readers})
    for function, action in calls:
        used[function].add(action)
    return permissions.page({name: granted(name) for name in FUNCTIONS}, used)


def main() -> None:
    """Write the page."""
    calls: set[Call] = set()
    for play in PLAYS:
        play(calls)
    permissions.PAGE.write_text(page(calls), encoding="utf-8")


if __name__ == "__main__":
    main()
