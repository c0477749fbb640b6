"""A day whose journal cannot be stored is, order by order, the same day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest

from repeg.adapters.durable_journal import DurableJournal
from repeg.lambda_step import flush_at_end
from repeg_workbench.faults.campaign import quietly
from repeg_workbench.faults.records import Result
from repeg_workbench.faults.world import World

# Days with faults of ports and of the workflow; one of them has two stacks.
SEEDS = (3, 10, 24)


class Bucket:
    """A store of objects whose every second request fails, or all of them."""

    def __init__(self, works: Callable[[int], bool]) -> None:
        self.stored: dict[str, bytes] = {}
        self.asked = 0
        self._works = works

    def put(self, key: str, body: bytes) -> None:
        self.asked += 1
        if not self._works(self.asked):
            raise OSError("SlowDown")
        self.stored[key] = body


def played(seed: int, bucket: Bucket | None) -> tuple[Result, Counter[str]]:
    """A seed's day, with its journal in the bucket; None: without one."""
    counts = Counter[str]()

    def count(metric: str, value: int) -> None:
        counts[metric] += value

    with quietly():
        world = World(seed)
        journals = []
        for stack in world.stacks if bucket is not None else ():
            assert bucket is not None
            journal = DurableJournal(stack.ports.journal, bucket, count)
            stack.ports = replace(stack.ports, journal=journal)
            journals.append(journal)

        def flush(function: str, invocation: str, seconds_left: float) -> None:
            for journal in journals:
                journal.flush(function, invocation, seconds_left)

        flush_at_end(flush)
        try:
            return world.run(), counts
        finally:
            flush_at_end()


@cache
def undisturbed(seed: int) -> Result:
    """A seed's day without a stored journal."""
    return played(seed, None)[0]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("outage", ["none", "now and then", "all day"])
def test_an_outage_of_the_journals_store_changes_no_order(seed: int, outage: str) -> None:
    works: dict[str, Callable[[int], bool]] = {
        "none": lambda _: True,
        "now and then": lambda asked: asked % 2 == 0,
        "all day": lambda _: False,
    }
    bucket, without = Bucket(works[outage]), undisturbed(seed)
    result, counts = played(seed, bucket)
    assert (result.acts, result.violations, result.orders) == (without.acts, without.violations, without.orders)
    assert bucket.asked > 5
    assert (counts["JournalLost"] > 0, bool(bucket.stored)) == (outage != "none", outage != "all day")
