"""The section of docs/reliability.md on planted bugs: what has detected each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from repeg_workbench.faults.markdown import table
from repeg_workbench.faults.planted_bugs import PLANTED_BUGS

_PLANTED = (
    "A judge detects {seen} of the {by_seed} bugs in the first table on a simulated day. The {by_test} in the second"
    " table are detected by the tests named there."
    " Each bug is planted in the program as a maintainer would introduce it: a condition left out, a bound moved, a"
    " value taken from the wrong place. The seed shown is one on which a judge finds a violation, and the"
    " violation is the earliest of that day; a test runs all of these seeds again. A day that has a violation without"
    " the bug as well is no detection. Nor is one on which a step dies of a `TypeError`, or of another error that only"
    " a mistake in the program raises, if none does without the bug. The commit is the one at which that was measured;"
    " what was measured with changes that were not committed is not published. [Mutation](mutation.md) plants small"
    " faults by rule, thousands of them: it says what kills each, and why those that survive are none, or are not seen."
)

_SEEN_BY_TEST = (
    "Few simulated days show these bugs, or none; or no invariant covers what they change: the price of an order, the"
    " effect of a setting, a detail of an adapter. The test named is run with the bug planted, and fails."
)


def bugs_section(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The section, as paragraphs."""
    by_seed = {name: bug for name, bug in found.items() if not bug["test"]}
    by_test = {name: bug for name, bug in found.items() if bug["test"]}
    seen = sum(bug["seed"] is not None for bug in by_seed.values())
    rows = [
        (
            f"`{name}`",
            bug["description"],
            "never" if bug["seed"] is None else bug["seed"],
            f"`{bug['invariant']}`",
            f"`{bug['commit']}`",
        )
        for name, bug in by_seed.items()
    ]
    tests = [
        (f"`{name}`", bug["description"], _short(bug["test"]), f"`{bug['commit']}`") for name, bug in by_test.items()
    ]
    return [
        "## Planted bugs",
        _PLANTED.format(seen=seen, by_seed=len(by_seed), by_test=len(by_test)),
        table(("Name", "Bug", "Seed", "Violation", "Commit"), rows),
        *_unmeasured([name for name in PLANTED_BUGS if name not in found]),
        "### Planted bugs that a test detects", _SEEN_BY_TEST, table(("Name", "Bug", "Test", "Commit"), tests),
    ]  # fmt: skip


def _unmeasured(names: Sequence[str]) -> list[str]:
    """A sentence on the bugs that nothing has been measured of; nothing if there are none."""
    return [f"Not measured on the present days: {', '.join(f'`{name}`' for name in names)}."] if names else []


def _short(node: str) -> str:
    """A test's file and name, without its parameters, which may hold what Markdown reads as markup."""
    path, _, test = node.partition("[")[0].partition("::")
    return f"`{path}`: `{test}`"
