"""Whether each kind of event matters: the same day without it has other orders at the broker or other outcomes.

An outage of the event bus may matter otherwise only in that a run's end is published in another minute.

Each kind has dice of its own, so that a day without one kind is the same day until the event would have had an effect.
A kind that is drawn and never matters is a fault of the workload: it takes a place among the faults and tests nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from repeg_workbench.faults.campaign import quietly
from repeg_workbench.faults.circumstances import Circumstance
from repeg_workbench.faults.fault_plan import KILL_LIFTED, PortFault, WorkflowFault
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
        KILL_LIFTED,
    )
)


@dataclass(frozen=True)
class Mattering:
    """How many of the days had a kind of event, from how many it was left out, and on how many of those that mattered.

    `further` of those that were tried are later days, for a kind that had not mattered by then.
    """

    kind: str
    drawn: int
    tried: int
    mattered: int
    further: int = 0


class Acts(NamedTuple):
    """What was done on a day, as in its result."""

    acts: str
    announced: tuple[tuple[str, int], ...]


def measure(
    seeds: Sequence[int], tries: int, further: Iterable[int] = (), kinds: Sequence[str] = KINDS
) -> Iterator[Mattering]:
    """The measurement of each of these kinds over these seeds: it is left out of the first days that have it, at most
    `tries` of them, until it has mattered on two. One that was drawn and has not mattered is left out of the `further`
    days that have it, until it has mattered once."""
    found = {each.kind: each for each in _measured(seeds, tries, kinds)}
    later = iter(further)
    while idle := {kind for kind, each in found.items() if each.drawn and not each.mattered}:
        seed = next(later, None)
        if seed is None:
            break
        day, on_day = _acts(seed)
        for kind in sorted(idle & on_day):
            mattered = int(_is_another_day(kind, day, _acts(seed, frozenset({kind}))[0]))
            before = found[kind]
            found[kind] = replace(before, tried=before.tried + 1, mattered=mattered, further=before.further + 1)
    yield from found.values()


def _measured(seeds: Sequence[int], tries: int, kinds: Sequence[str]) -> Iterator[Mattering]:
    acts: dict[int, Acts] = {}
    days: defaultdict[str, list[int]] = defaultdict(list)
    for seed in seeds:
        acts[seed], on_day = _acts(seed)
        for kind in on_day:
            days[kind].append(seed)
    for kind in kinds:
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
