"""Whether each kind of event matters: the same day without it has other orders at the broker or other outcomes.

An outage of the event bus may matter otherwise only in that a run's end is published in another minute.

Each kind has dice of its own, so that a day without one kind is the same day until the event would have had an effect.
A kind that is drawn and never matters is a fault of the workload: it takes a place among the faults and tests nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from repeg_workbench.faults.campaign import quietly
from repeg_workbench.faults.circumstances import Circumstance
from repeg_workbench.faults.fault_plan import PortFault, WorkflowFault
from repeg_workbench.faults.other_hands import Hand
from repeg_workbench.faults.table_service import TableFault
from repeg_workbench.faults.varied_listening import StreamTrouble
from repeg_workbench.faults.world import World

KINDS: tuple[str, ...] = tuple(
    str(kind)
    for kind in (
        *Circumstance,
        *Hand,
        *PortFault,
        *WorkflowFault,
        *TableFault,
        *StreamTrouble,
        "race",
        "transport",
        "journal_fails",
    )
)


@dataclass(frozen=True)
class Mattering:
    """How many days had a kind of event, on how many of them it was left out, and on how many that mattered."""

    kind: str
    drawn: int
    tried: int
    mattered: int


class Acts(NamedTuple):
    """What was done on a day, as in its result."""

    acts: str
    announced: tuple[tuple[str, int], ...]


def measure(seeds: Sequence[int], tries: int) -> Iterator[Mattering]:
    """Each kind's measurement over these seeds: it is left out of the first days that have it, at most `tries` of them,
    until it has mattered on two."""
    acts: dict[int, Acts] = {}
    days: defaultdict[str, list[int]] = defaultdict(list)
    for seed in seeds:
        acts[seed], kinds = _acts(seed)
        for kind in kinds:
            days[kind].append(seed)
    for kind in KINDS:
        counts = Counter[str]()
        for seed in days[kind][:tries]:
            counts["tried"] += 1
            counts["mattered"] += _is_another_day(kind, acts[seed], _acts(seed, frozenset({kind}))[0])
            if counts["mattered"] == 2:
                break
        yield Mattering(kind, len(days[kind]), counts["tried"], counts["mattered"])


def _is_another_day(kind: str, day: Acts, other: Acts) -> bool:
    return day.acts != other.acts or (kind == WorkflowFault.BUS_OUTAGE and day.announced != other.announced)


def _acts(seed: int, without: frozenset[str] = frozenset()) -> tuple[Acts, set[str]]:
    """What was done on a day, and the kinds of event that it had."""
    with quietly():
        result = World(seed, without=without).run()
    return Acts(result.acts, result.announced), {str(what).partition(" ")[0] for what in result.injected}
