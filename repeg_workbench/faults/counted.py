"""The seeds counted so far, by commit: each seed once, published campaigns and those that were cut off alike."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from repeg_workbench.faults.tally import ranges_of, seeds_in

Counted = Mapping[str, Any]


def with_campaign(counted: Sequence[Counted], campaign: Mapping[str, Any]) -> list[Counted]:
    """The counted seeds and those of one more campaign. Nothing that was counted before is ever taken out.

    A seed that was run twice at the same commit counts once; at another commit it is another day.
    """
    violated = {int(seed): found for seed, found in campaign["failing"].items()}
    same = next((entry for entry in counted if entry["commit"] == campaign["commit"]), None)
    before = same or {"done": [], "failing": []}
    entry = {
        "commit": campaign["commit"],
        "done": ranges_of(seeds_in(before["done"]) | seeds_in(campaign["done"])),
        "failing": sorted({*before["failing"], *violated}),
    }
    return [entry if each is same else each for each in counted] + ([] if same else [entry])


def with_files(counted: Sequence[Counted], files: Iterable[Path]) -> list[Counted]:
    """The counted seeds and those of the campaigns in these files, which no one may have published yet."""
    total = list(counted)
    for file in sorted(files):
        total = with_campaign(total, json.loads(file.read_text()))
    return total


def number_of(counted: Sequence[Counted]) -> int:
    """How many seeds are counted, at all commits together."""
    return sum(len(seeds_in(entry["done"])) for entry in counted)


def rows(counted: Sequence[Counted]) -> list[tuple[str, str, str, str]]:
    """A row for each commit: its hash, its seeds, how many they are, and how many of them had a violation."""
    return [
        (
            f"`{entry['commit']}`",
            ", ".join(f"{start}–{end - 1}" for start, end in entry["done"]),
            f"{number_of([entry]):,}",
            f"{len(entry['failing'])}",
        )
        for entry in counted
    ]
