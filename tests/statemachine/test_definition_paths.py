"""The ways through the deployed machine, walked with scripted functions: what each answer and each failure leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from repeg.domain.errors import BrokerUnavailable, DuplicateRun, InvalidPlan, RefusedRun, RepegError, StillOpen
from repeg_workbench.engine.engine import Engine
from repeg_workbench.engine.execution import Execution
from repeg_workbench.engine.host import Function, Host
from repeg_workbench.engine.scheduler import Scheduler
from tests.template.stack import TEMPLATE

Answer = dict[str, Any] | RepegError | timedelta

START = datetime(2026, 11, 20, 14, 25, 30, tzinfo=UTC)
OPENED = {"run_id": "core-2026-11-20", "epoch": 1, "first_turn": 0, "turn": {"turns": 0}}
RENEWAL = {"renewal": {"run_id": "core-2026-11-20", "epoch": 4, "turns": 1052}}


def at(hour: int, minute: int, second: int = 0) -> str:
    return f"2026-11-20T{hour:02}:{minute:02}:{second:02}Z"


def session(decision: str, until: str = at(14, 35)) -> dict[str, Any]:
    return {"decision": decision, "reason": "as scripted", "until": until}


def turn(decision: str, turns: int, due: str = at(14, 36)) -> dict[str, Any]:
    return {"decision": decision, "turns": turns, "turn_at": due, "working": 2}


# A day without a surprise. A list is answered one by one; its last answer stays.
QUIET: dict[str, list[Answer]] = {
    "OpenRun": [OPENED],
    "CheckSession": [session("wait"), session("trade")],
    "PlanOrders": [{"orders": 2}],
    "ValidateQuotes": [{"use": 2, "hold": 0}],
    "PlaceOrders": [{"turns": 0, "turn_at": at(14, 35, 30), "placed": 2}],
    "RepegOrders": [turn("wait", 1, at(14, 36)), turn("close", 2, at(14, 36, 30))],
    "CloseRun": [{"outcome": "settled", "error": "", "reason": "every order has an outcome"}],
}


@dataclass
class Script:
    """What the functions answer, and what they were called with."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def begin(self, **changes: list[Answer]) -> None:
        """A quiet day with these answers changed."""
        self.answers = {name: list(answers) for name, answers in (QUIET | changes).items()}
        self.calls = []

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def handed(self, name: str) -> dict[str, Any]:
        """What a function was last called with."""
        event: dict[str, Any] = [event for called, event in self.calls if called == name][-1]
        return event


class ScriptedHost(Host):
    """Runs no code of ours: the answers are the script's."""

    def __init__(self, scheduler: Scheduler, script: Script) -> None:
        super().__init__(scheduler, {})
        self._script = script
        self._sleep = scheduler.sleep

    def invoke_event(self, function: Function, payload: str) -> None:
        """Nobody sweeps here."""

    def _handler(self, function: Function) -> Callable[[Any, Any], Any]:
        name = function.name.split("-")[1]

        def handler(event: Any, _context: Any) -> Any:
            self._script.calls.append((name, event))
            answers = self._script.answers[name]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(answer, RepegError):
                raise answer
            if isinstance(answer, timedelta):
                self._sleep(answer.total_seconds())
            return answer

        return handler


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[Engine, Script]]:
    script = Script()
    engine = Engine(template=TEMPLATE, start=START, seed=1)
    engine.host = ScriptedHost(engine.scheduler, script)
    with engine:
        yield engine, script


@pytest.fixture
def script(stage: tuple[Engine, Script]) -> Script:
    return stage[1]


@pytest.fixture
def execute(stage: tuple[Engine, Script], script: Script) -> Callable[..., Execution]:
    """Runs an execution to its end; answers that are not named are those of a quiet day."""

    def run(given: dict[str, Any] | None = None, **changes: list[Answer]) -> Execution:
        engine, _ = stage
        script.begin(**changes)
        arn = engine.start_execution(given or {"plan_uri": "s3://plans/core.json"})
        engine.run()
        return engine.execution(arn)

    return run


def test_a_quiet_day_is_walked_in_the_order_of_the_story(execute: Callable[..., Execution], script: Script) -> None:
    assert execute().status == "SUCCEEDED"
    assert script.names() == [
        "OpenRun", "CheckSession", "CheckSession", "PlanOrders", "ValidateQuotes", "PlaceOrders", "RepegOrders",
        "RepegOrders", "CloseRun",
    ]  # fmt: skip


def test_orders_still_to_place_are_validated_and_placed_in_the_same_turn(
    execute: Callable[..., Execution], script: Script
) -> None:
    execute(RepegOrders=[turn("validate", 1), turn("close", 2)])
    assert script.names()[6:] == ["RepegOrders", "ValidateQuotes", "PlaceOrders", "RepegOrders", "CloseRun"]


def test_every_step_is_told_the_run_and_the_last_turn(execute: Callable[..., Execution], script: Script) -> None:
    execute()
    handed = script.handed("CloseRun")
    assert {key: handed[key] for key in ("run_id", "epoch", "first_turn")} == {
        "run_id": "core-2026-11-20",
        "epoch": 1,
        "first_turn": 0,
    }
    assert handed["turn"] == {"decision": "close", "turns": 2, "turn_at": at(14, 36, 30)}
    assert "ending" not in handed


def test_a_session_that_is_over_closes_the_run_without_a_plan(
    execute: Callable[..., Execution], script: Script
) -> None:
    assert execute(CheckSession=[session("stop")]).status == "SUCCEEDED"
    assert script.names() == ["OpenRun", "CheckSession", "CloseRun"]


@pytest.mark.parametrize("step", ["CheckSession", "RepegOrders"])
def test_a_word_that_nobody_knows_closes_the_run(step: str, execute: Callable[..., Execution], script: Script) -> None:
    unknown = session("dance") if step == "CheckSession" else turn("dance", 1)
    execute(**{step: [unknown]})
    assert script.names()[-2:] == [step, "CloseRun"]


def test_a_plan_that_cannot_be_meant_fails_with_the_sentence_that_says_why(
    execute: Callable[..., Execution], script: Script
) -> None:
    refusal = InvalidPlan("plan.orders[0].qty", "-5", "a positive number of shares, or all")
    ended = execute(OpenRun=[refusal])
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "InvalidPlan", str(refusal))
    assert script.names() == ["OpenRun"]


def test_a_second_start_of_a_run_is_no_failure(execute: Callable[..., Execution], script: Script) -> None:
    assert execute(OpenRun=[DuplicateRun("another execution owns it")]).status == "SUCCEEDED"
    assert script.names() == ["OpenRun"]


@pytest.mark.parametrize("step", ["CheckSession", "PlanOrders", "ValidateQuotes", "PlaceOrders", "RepegOrders"])
def test_a_step_that_refuses_leads_to_the_close_which_is_told_why(
    step: str, execute: Callable[..., Execution], script: Script
) -> None:
    failed: Answer = {"outcome": "failed", "error": "RefusedRun", "reason": "the run is fenced"}
    ended = execute(**{step: [RefusedRun("the run is fenced")]}, CloseRun=[failed])
    assert script.names()[-2:] == [step, "CloseRun"]
    assert script.handed("CloseRun")["ending"]["Error"] == "RefusedRun"
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "RefusedRun", "the run is fenced")


def test_a_broker_that_is_back_soon_is_not_noticed(execute: Callable[..., Execution], script: Script) -> None:
    away = BrokerUnavailable("the clock did not answer")
    assert execute(CheckSession=[away, away, session("trade")]).status == "SUCCEEDED"
    assert script.names().count("CheckSession") == 3


def test_a_step_that_hangs_is_cut_off_and_called_again(execute: Callable[..., Execution], script: Script) -> None:
    ended = execute(RepegOrders=[timedelta(minutes=5), turn("close", 1)])
    assert ended.status == "SUCCEEDED"
    assert script.names().count("RepegOrders") == 2


def test_the_close_is_tried_until_nothing_is_open(execute: Callable[..., Execution], script: Script) -> None:
    waiting: list[Answer] = [StillOpen("one order is pending_cancel")] * 12
    assert execute(CloseRun=[*waiting, *QUIET["CloseRun"]]).status == "SUCCEEDED"
    assert script.names().count("CloseRun") == 13


def test_a_run_that_cannot_be_closed_fails_and_says_what_is_open(execute: Callable[..., Execution]) -> None:
    ended = execute(CloseRun=[StillOpen("core-2026-11-20: still open at the broker: 61e69015")])
    assert (ended.status, ended.error) == ("FAILED", "StillOpen")
    assert ended.cause == "core-2026-11-20: still open at the broker: 61e69015"


def test_a_long_run_goes_on_in_a_successor_of_its_own_name(
    stage: tuple[Engine, Script], execute: Callable[..., Execution], script: Script
) -> None:
    engine, _ = stage
    ended = execute(RepegOrders=[turn("renew", 1052), turn("close", 1053)])
    assert ended.status == "SUCCEEDED"
    successor = engine.executions()[-1]
    assert successor.name == "core-2026-11-20-t1052"
    assert successor.input == {"renewal": {"run_id": "core-2026-11-20", "epoch": 1, "turns": 1052}}
    assert script.names().count("CloseRun") == 1
    assert script.names()[-1] == "CloseRun"


def test_a_successor_that_exists_already_is_left_to_go_on(
    stage: tuple[Engine, Script], execute: Callable[..., Execution], script: Script
) -> None:
    engine, _ = stage
    execute(RepegOrders=[turn("renew", 1052)])  # starts the successor, if no earlier test has
    before = len(engine.executions())
    assert execute(RepegOrders=[turn("renew", 1052)]).status == "SUCCEEDED"
    assert len(engine.executions()) == before + 1
    assert "CloseRun" not in script.names()


def test_a_renewal_that_cannot_be_opened_closes_the_run_it_inherited(
    stage: tuple[Engine, Script], execute: Callable[..., Execution], script: Script
) -> None:
    engine, _ = stage
    execute(RENEWAL, OpenRun=[RefusedRun("the kill switch is halt_new")])
    handed = script.handed("CloseRun")
    assert script.names() == ["OpenRun", "CloseRun"]
    assert (handed["run_id"], handed["epoch"], handed["turn"]) == ("core-2026-11-20", 4, {"turns": 1052})
    assert handed["ending"]["Error"] == "RefusedRun"
    # Whether the run was taken over before the failure, only its row can tell, by this name.
    assert handed["execution"] == engine.executions()[-1].arn


def test_a_renewal_that_can_be_neither_opened_nor_closed_fails(
    execute: Callable[..., Execution], script: Script
) -> None:
    ended = execute(RENEWAL, OpenRun=[RefusedRun("stale")], CloseRun=[RefusedRun("fenced")])
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "RefusedRun", "fenced")
    assert set(script.names()) == {"OpenRun", "CloseRun"}
