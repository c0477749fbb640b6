"""The journal of a golden day, stored by the deployed functions: the same tape, and every decision made again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from repeg.adapters.journal.bucket import entries_of, keys_of, steps_of
from repeg.adapters.journal.files import StepJournal
from repeg.domain.journalled_rules import NEXT_ACTION, QUOTE_CHECK, decide_again
from repeg_workbench.simulate.simulation import opened
from repeg_workbench.simulate.tape import Tape, read
from tests.simulation.days import DAYS


@dataclass(frozen=True)
class Kept:
    """A day's tape as it was followed live, the tape read from the bucket, and the steps in the bucket."""

    live: str
    stored: str
    steps: list[StepJournal]
    later: list[str]
    bytes_stored: int


@pytest.fixture(scope="module", params=["halted_for_good", "impatient"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    golden = next(day for day in DAYS if day.name == request.param)
    scenario, tape = replace(golden.scenario(), keeps_journal=True), Tape()
    with opened(scenario, tape.see) as day:
        day.start(scenario.run_id)
        day.run()
        s3, bucket = day.engine.client("s3"), day.engine.stack.physical_id("JournalBucket")
        steps = list(steps_of(s3, bucket, scenario.run_id))
        sizes = [one["Size"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
        stored = read(each.entry for each in entries_of(s3, bucket, scenario.run_id))
        later = list(keys_of(s3, bucket, scenario.run_id, steps[-2].key))
        yield Kept(tape.text(), stored, steps, later, sum(sizes))


def test_the_stored_journal_gives_the_same_tape_as_the_live_one(kept: Kept) -> None:
    assert kept.stored == kept.live


def test_every_step_that_decides_has_a_file_without_problems(kept: Kept) -> None:
    assert [step.problems for step in kept.steps if step.problems] == []
    functions = Counter(step.function for step in kept.steps)
    assert set(functions) == {
        "OpenRun", "CheckSession", "PlanOrders", "ValidateQuotes", "PlaceOrders", "RepegOrders", "CloseRun"
    }  # fmt: skip
    began = [step.began for step in kept.steps]
    assert began == sorted(began, key=str)


def test_every_stored_decision_is_made_again_from_its_inputs(kept: Kept) -> None:
    decided = [each for step in kept.steps for each in step.entries if each.entry.rule]
    for each in decided:
        assert decide_again(each.entry.rule, each.inputs) == each.entry.answer, each
    assert {NEXT_ACTION, QUOTE_CHECK} <= {each.entry.rule for each in decided}


def test_a_follower_reads_only_the_steps_after_its_last_one(kept: Kept) -> None:
    assert kept.later == [kept.steps[-1].key]
