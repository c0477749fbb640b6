"""`repeg watch`: follows a run by its journal, with the simulation's tape, until its report."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError  # noqa: TID251

from repeg.adapters.runtime import NetworkRuntime
from repeg_workbench.simulate.tape import Tape
from tests.operate.operator import RUN_ID, Deploy, Operator, RefusingSession, answered, denied


@pytest.fixture
def watched(deploy: Deploy) -> Operator:
    """A stack that keeps its journal."""
    return deploy(keeps_journal=True, sold_at="09:38:10")


@dataclass
class Interrupting:
    """A runtime on which a person does something when a pause begins after a time."""

    runtime: NetworkRuntime
    at: datetime
    act: Callable[[], None]
    is_done: bool = False

    def pause(self, seconds: float) -> None:
        if not self.is_done and self.runtime.now() >= self.at:
            self.is_done = True
            self.act()
        self.runtime.pause(seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.runtime, name)


def when(operator: Operator, clock: str, act: Callable[[], None]) -> None:
    """Let something happen while the command waits, at a time in UTC."""
    at = datetime.fromisoformat(f"2026-11-23T{clock}+00:00")
    operator.at = replace(operator.at, runtime=Interrupting(operator.at.runtime, at, act))


def test_the_tape_of_a_watched_run_is_that_of_the_simulation(watched: Operator) -> None:
    watched.day.start("calls")
    said = watched.repeg("watch", RUN_ID)
    assert said.code == 0
    tape, _, report = said.out.partition(f"repeg (paper): {RUN_ID}\n")
    simulated = Tape()
    assert tape.splitlines() == [line for one in watched.entries if (line := simulated.see(one))]
    assert "place" in tape
    assert "settled, every order has an outcome" in report


def test_a_run_is_followed_while_it_goes_on(watched: Operator) -> None:
    lines: list[tuple[str, str]] = []
    clock = watched.day.engine.scheduler
    watched.at = replace(watched.at, say=lambda line: lines.append((f"{clock.now():%H:%M:%S}", line)))
    watched.day.start("calls")
    watched.repeg("watch", RUN_ID)
    shown = {line[10:].split()[1]: when for when, line in reversed(lines)}
    assert shown["open"] < "14:25:30"
    assert "14:35:00" <= shown["place"] < "14:35:30"
    assert "14:37:30" <= shown["finish"] < "14:38:15"


def test_a_run_that_is_about_to_begin_is_waited_for(watched: Operator) -> None:
    """The execution runs as soon as time passes, which it does only while the command waits."""
    watched.day.start("calls")
    assert watched.day.ports.store.run(RUN_ID) is None
    assert "open" in watched.repeg("watch", RUN_ID).out


def test_a_run_that_nothing_begins_is_not_waited_for(watched: Operator) -> None:
    said = watched.repeg("watch", "calls-2026-11-24")
    assert (said.code, said.err) == (2, "no run calls-2026-11-24 in stack repeg; none\n")


def test_ctrl_c_ends_the_watching_and_not_the_run(watched: Operator) -> None:
    def press() -> None:
        raise KeyboardInterrupt

    when(watched, "14:36:00", press)
    watched.day.start("calls")
    said = watched.repeg("watch", RUN_ID)
    assert said.code == 0
    assert said.out.endswith("stopped watching; the run goes on\n")
    watched.day.run()
    assert watched.repeg("report").code == 0


def test_a_failed_run_has_its_exit_code(watched: Operator) -> None:
    arn = watched.day.start("calls")
    when(watched, "14:36:00", lambda: watched.day.engine.stop_execution(arn))
    said = watched.repeg("watch", RUN_ID)
    assert said.code == 1
    assert "failed, Swept: " in said.out


def test_an_ended_run_is_shown_as_a_whole(watched: Operator) -> None:
    watched.day.start("calls")
    watched.day.run()
    said = watched.repeg("watch")
    assert (said.code, said.out.count("finish")) == (0, 2)


def test_the_entries_as_lines_of_json(watched: Operator) -> None:
    watched.day.start("calls")
    watched.day.run()
    lines = watched.repeg("watch", "--json").out.splitlines()
    entries = [json.loads(line) for line in lines if line.startswith('{"at"')]
    assert next(entry["verb"] for entry in entries if entry["subject"] == "run") == "open"
    assert json.loads("\n".join(line for line in lines if not line.startswith('{"at"')))["outcome"] == "settled"


def test_an_outage_is_said_once_and_the_watching_goes_on(watched: Operator) -> None:
    watched.day.start("calls")
    session = Failing("14:36", watched)
    said = watched.repeg("watch", RUN_ID, session=session)
    assert said.code == 0
    assert said.out.count("AWS does not answer in us-east-1") == 1
    assert said.out.count("finish") == 2


class Failing(RefusingSession):
    """The network is down for the one minute."""

    def __init__(self, minute: str, operator: Operator) -> None:
        super().__init__(EndpointConnectionError(endpoint_url="https://s3"), "ListObjectsV2")
        self._minute, self._clock = minute, operator.day.engine.scheduler

    def _refuse(self, model: Any, **options: Any) -> None:
        if f"{self._clock.now():%H:%M}" == self._minute:
            super()._refuse(model, **options)


def test_credentials_that_expire_end_the_watching(watched: Operator) -> None:
    watched.day.start("calls")
    session = RefusingSession(answered("ExpiredToken", "ListObjectsV2"), "ListObjectsV2")
    said = watched.repeg("watch", RUN_ID, session=session)
    assert said.code == 2
    assert said.err.startswith("the AWS credentials have expired")


def test_a_journal_that_may_not_be_read(watched: Operator) -> None:
    watched.day.start("calls")
    assert "you may not call ListObjectsV2" in watched.repeg("watch", RUN_ID, session=denied("ListObjectsV2")).err


def test_a_damaged_object_is_named_and_the_rest_is_shown(watched: Operator) -> None:
    watched.day.start("calls")
    watched.day.run()
    s3, bucket = watched.day.engine.client("s3"), watched.day.engine.stack.physical_id("JournalBucket")
    key = next(one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"] if "PlanOrders" in one["Key"])
    s3.put_object(Bucket=bucket, Key=key, Body=b"no gzip")
    said = watched.repeg("watch")
    assert "journal   " in said.out
    assert (said.code, said.out.count("finish")) == (0, 2)
