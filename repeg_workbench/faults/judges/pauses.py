"""Times at which a run could do nothing, as the platform saw them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise

from repeg_workbench.faults.judges.record import ALL_THREADS, DayRecord

Span = tuple[int, int]


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same times without overlaps, in order."""
    whole: list[Span] = []
    for since, until in sorted(spans):
        if whole and since <= whole[-1][1]:
            whole[-1] = whole[-1][0], max(until, whole[-1][1])
        else:
            whole.append((since, until))
    return whole


def held_up(record: DayRecord, invocation: int, thread: int | None, since: int, until: int) -> int:
    """For how much of a time a thread of an invocation could do nothing; any of its threads if None is given."""
    spans = (
        (max(held.since, since), min(held.until, until))
        for held in record.held_up
        if held.invocation == invocation and (thread is None or held.thread in {thread, ALL_THREADS})
    )
    return sum(end - begin for begin, end in merged(span for span in spans if span[0] < span[1]))


def later_by_outages(record: DayRecord, since: int, within: int, frozen: Iterable[Span] = ()) -> int:
    """A time limit, later by every outage that overlaps it, and by the time for which the run was frozen."""
    due = since + within
    for begin, end in merged([*((outage.since, outage.until) for outage in record.outages), *frozen]):
        if begin < due and end > since:
            due += end - max(begin, since)
    return due


def frozen_spans(record: DayRecord, run_id: str) -> Iterator[Span]:
    """When a step that the run waited for was frozen, and no step of the run went on meanwhile.

    The second of two deliveries holds nothing up, but may go on while the first is frozen.
    """
    steps = [step for step in record.invoked if step.run_id == run_id]
    awaited = {step.number for step in steps if not step.is_duplicate}
    frozen = [
        (held.since, held.until, held.invocation)
        for held in record.held_up
        if held.thread == ALL_THREADS and any(held.invocation == step.number for step in steps)
    ]
    running = [(step.began, step.ended if step.ended >= 0 else record.until, step.number) for step in steps]
    bounds = sorted({at for since, until, _ in [*frozen, *running] for at in (since, until)}) if frozen else []
    for since, until in pairwise(bounds):
        still = {number for begin, end, number in frozen if begin <= since and until <= end}
        busy = {number for begin, end, number in running if begin <= since and until <= end}
        if still & awaited and busy <= still:
            yield since, until
