"""The section of the reliability page on the kinds of event: how often each is drawn, and whether it matters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from repeg_workbench.faults.kinds_in_words import IN_WORDS
from repeg_workbench.faults.markdown import table

_TEXT = """The number of days, of {seeds:,}, that had each kind of event. Each kind was then left out of some of them,
until that had mattered twice: the same day without it had other orders at the broker or other outcomes; without an
outage of the event bus, the end of a run was published in another minute. Measured at `{commit}`, from seed {first}.
A kind that had not mattered on the first ten of its days was left out of days of the seeds that follow, until it had
mattered once; how many these were stands in the last column."""


def workload_section(measured: Mapping[str, Any]) -> list[str]:
    """The section's title, text and table."""
    kinds = sorted(measured["kinds"].items(), key=lambda item: (-item[1]["drawn"], item[0]))
    rows = [_row(kind, each) for kind, each in kinds]
    head = ("Kind of event", "What it is", "Days", "Mattered, of the days it was left out of", "Of them later days")
    text = _TEXT.format(seeds=measured["seeds"], commit=measured["commit"], first=measured["first"])
    later = {kind: each["commit"] for kind, each in kinds if "commit" in each}
    text += "".join(f" `{kind}` was measured at `{commit}`." for kind, commit in later.items())
    return ["## What the days have", text, table(head, rows)]


def with_kinds(before: Mapping[str, Any], measured: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was published with the kinds that were measured since, on the same seeds, each with its own commit."""
    later = {kind: {**each, "commit": measured["commit"]} for kind, each in measured["kinds"].items()}
    return {**before, "kinds": {**before["kinds"], **later}}


def _row(kind: str, each: Mapping[str, Any]) -> tuple[str | int, ...]:
    mattered = f"{each['mattered']} of {each['tried']}"
    return f"`{kind}`", IN_WORDS[kind], each["drawn"], mattered, each.get("further") or ""
