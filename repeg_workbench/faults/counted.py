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


SUMS = ("orders", "fills", "calls", "seeds", "asked", "seconds")
COUNTS = ("injected", "outcomes", "statuses", "policies", "failing")


def together(campaigns: Sequence[Counted]) -> dict[str, Any]:
    """One campaign that was run in parts, one after the other. Raises ValueError if they are of several commits or have
    seeds in common."""
    done = [seed for each in campaigns for seed in seeds_in(each["done"])]
    if len({each["commit"] for each in campaigns}) != 1 or len(done) != len(set(done)):
        raise ValueError("parts of one campaign have the same commit and different seeds")
    return {
        **campaigns[0],
        **{name: sum(each[name] for each in campaigns) for name in SUMS},
        **{name: _added([each[name] for each in campaigns]) for name in COUNTS},
        "done": ranges_of(done),
        "is_complete": all(each["is_complete"] for each in campaigns),
    }


def _added(counts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for each in counts:
        total |= {name: total[name] + value if name in total else value for name, value in each.items()}
    return total


def with_files(counted: Sequence[Counted], files: Iterable[Path]) -> list[Counted]:
    """The counted seeds and those of the campaigns in these files, which no one may have published yet."""
    total = list(counted)
    for file in sorted(files):
        total = with_campaign(total, json.loads(file.read_text()))
    return total


def number_of(counted: Sequence[Counted]) -> int:
    """How many seeds are counted, at all commits together."""
    return sum(len(seeds_in(entry["done"])) for entry in counted)


def different(counted: Sequence[Counted]) -> int:
    """How many different seeds are counted: many were run at several commits."""
    return len({seed for entry in counted for seed in seeds_in(entry["done"])})


def run_before(campaign: Counted, counted: Sequence[Counted]) -> list[str]:
    """A sentence on where a campaign's seeds had been run at other commits, and how many had a violation there; none
    for new seeds. What was found on them has been mended since, so they are no fresh sample."""
    done, found = seeds_in(campaign["done"]), []
    for entry in counted:
        both = done & seeds_in(entry["done"])
        if both and entry["commit"] != campaign["commit"]:
            violated = len(both & set(entry["failing"]))
            found.append(f"{len(both):,} at `{entry['commit']}`, {violated} of them with a violation")
    said = f"Not all of these seeds are new. Run before: {'; '.join(found)}. What they had found is mended."
    return [said] if found else []


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


def firsts(found: Sequence[str]) -> list[str]:
    """The first of the violations of each name: a stream may have thousands of events in a day."""
    first: dict[str, str] = {}
    for text in found:
        first.setdefault(text.partition(":")[0], text)
    return list(first.values())
