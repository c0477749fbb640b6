"""Paths through the deployed machine with scripted functions: the effect of each answer and each failure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from repeg.domain.errors import (
    BrokerUnavailable,
    DuplicateRun,
    InvalidInput,
    InvalidPlan,
    RefusedRun,
    StillOpen,
)
from tests.statemachine.interpreters import (
    INTERPRETERS,
    Answer,
    Ended,
    Interpreter,
    LocalStepFunctions,
    Script,
    aws_local_stepfunctions,
)
from tests.statemachine.node import missing

OPENED = {"run_id": "core-2026-11-20", "epoch": 1, "first_turn": 0, "step_seconds": 55, "turn": {"turns": 0}}
PLAN = {"plan_uri": "s3://plans/core.json"}
RENEWAL = {"renewal": {"run_id": "core-2026-11-20", "epoch": 4, "turns": 1052}}


def at(hour: int, minute: int, second: int = 0) -> str:
    return f"2026-11-20T{hour:02}:{minute:02}:{second:02}Z"


def session(decision: str, until: str = at(14, 35)) -> dict[str, Any]:
    return {"decision": decision, "reason": "as scripted", "until": until}


def turn(decision: str, turns: int, due: str = at(14, 36)) -> dict[str, Any]:
    return {"decision": decision, "turns": turns, "turn_at": due, "working": 2}


# An uneventful day. Answers are given in order; the last one repeats.
QUIET: dict[str, list[Answer]] = {
    "OpenRun": [OPENED],
    "CheckSession": [session("wait"), session("trade")],
    "PlanOrders": [{"orders": 2}],
    "ValidateQuotes": [{"use": 2, "hold": 0}],
    "PlaceOrders": [{"turns": 0, "turn_at": at(14, 35, 30), "placed": 2, "left": 0}],
    "RepegOrders": [turn("wait", 1, at(14, 36)), turn("close", 2, at(14, 36, 30))],
    "CloseRun": [{"outcome": "settled", "error": "", "reason": "every order has an outcome", "again_at": ""}],
}


@pytest.fixture(scope="module", params=INTERPRETERS, ids=lambda interpreter: interpreter.__name__)
def interpreter(request: pytest.FixtureRequest) -> Iterator[Interpreter]:
    """Each scenario takes the same path in both interpreters."""
    if request.param is aws_local_stepfunctions and missing():
        pytest.skip(missing())
    with request.param() as running:
        yield running


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def execute(interpreter: Interpreter, script: Script) -> Callable[..., Ended]:
    """Runs an execution to its end; answers default to those of a quiet day."""

    def run(given: Any = PLAN, **changes: list[Answer]) -> Ended:
        script.begin(QUIET | changes)
        return interpreter.execute(given, script)

    return run


def test_a_quiet_day_calls_the_steps_in_order(execute: Callable[..., Ended], script: Script) -> None:
    assert execute().status == "SUCCEEDED"
    assert script.names() == [
        "OpenRun", "CheckSession", "CheckSession", "PlanOrders", "ValidateQuotes", "PlaceOrders", "RepegOrders",
        "RepegOrders", "CloseRun",
    ]  # fmt: skip


def test_waiting_orders_are_validated_and_placed_in_the_same_turn(
    execute: Callable[..., Ended], script: Script
) -> None:
    execute(RepegOrders=[turn("validate", 1), turn("close", 2)])
    assert script.names()[6:] == ["RepegOrders", "ValidateQuotes", "PlaceOrders", "RepegOrders", "CloseRun"]


def test_each_step_receives_the_run_and_the_last_turn(execute: Callable[..., Ended], script: Script) -> None:
    execute()
    event_of_last_call = script.event_of_last_call("CloseRun")
    assert {key: event_of_last_call[key] for key in ("run_id", "epoch", "first_turn")} == {
        "run_id": "core-2026-11-20",
        "epoch": 1,
        "first_turn": 0,
    }
    assert event_of_last_call["turn"] == {"decision": "close", "turns": 2, "turn_at": at(14, 36, 30)}
    assert "ending" not in event_of_last_call


def test_a_finished_session_closes_the_run_before_planning(execute: Callable[..., Ended], script: Script) -> None:
    assert execute(CheckSession=[session("stop")]).status == "SUCCEEDED"
    assert script.names() == ["OpenRun", "CheckSession", "CloseRun"]


@pytest.mark.parametrize("step", ["CheckSession", "RepegOrders"])
def test_an_unknown_decision_closes_the_run(step: str, execute: Callable[..., Ended], script: Script) -> None:
    unknown = session("dance") if step == "CheckSession" else turn("dance", 1)
    execute(**{step: [unknown]})
    assert script.names()[-2:] == [step, "CloseRun"]


def test_an_invalid_plan_fails_with_its_message(execute: Callable[..., Ended], script: Script) -> None:
    refusal = InvalidPlan("plan.orders[0].qty", "-5", "a positive number of shares, or all")
    ended = execute(OpenRun=[refusal])
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "InvalidPlan", str(refusal))
    assert script.names() == ["OpenRun"]


@pytest.mark.parametrize("given", [["s3://plans/core.json"], "s3://plans/core.json", 7, True, None])
def test_an_input_that_is_no_object_fails_with_its_message(
    given: object,
    execute: Callable[..., Ended],
    script: Script,
    interpreter: Interpreter,
    request: pytest.FixtureRequest,
) -> None:
    """A failure cannot be added to such an input, so it is wrapped first."""
    if given is None and isinstance(interpreter, LocalStepFunctions):
        reason = "aws-local-stepfunctions 3.0.0 takes a path to null for a path to nothing"
        request.applymarker(pytest.mark.xfail(strict=True, reason=reason))
    refusal = InvalidInput("input", given, "an object with plan or plan_uri")
    ended = execute(given, OpenRun=[refusal])
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "InvalidInput", str(refusal))
    assert script.event_of_last_call("OpenRun")["input"] == given


def test_an_input_with_a_field_named_ending_arrives_unchanged(execute: Callable[..., Ended], script: Script) -> None:
    given = {"plan_uri": "s3://plans/core.json", "ending": {"Error": "mine"}}
    execute(given)
    assert script.event_of_last_call("OpenRun")["input"] == given


def test_a_duplicate_start_succeeds_without_trading(execute: Callable[..., Ended], script: Script) -> None:
    assert execute(OpenRun=[DuplicateRun("another execution owns it")]).status == "SUCCEEDED"
    assert script.names() == ["OpenRun"]


@pytest.mark.parametrize("step", ["CheckSession", "PlanOrders", "ValidateQuotes", "PlaceOrders", "RepegOrders"])
def test_a_refusing_step_closes_the_run_with_its_error(
    step: str, execute: Callable[..., Ended], script: Script
) -> None:
    failed: Answer = {"outcome": "failed", "error": "RefusedRun", "reason": "the run is fenced", "again_at": ""}
    ended = execute(**{step: [RefusedRun("the run is fenced")]}, CloseRun=[failed])
    assert script.names()[-2:] == [step, "CloseRun"]
    assert script.event_of_last_call("CloseRun")["ending"]["Error"] == "RefusedRun"
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "RefusedRun", "the run is fenced")


def test_a_short_broker_outage_is_retried(execute: Callable[..., Ended], script: Script) -> None:
    away = BrokerUnavailable("the clock did not answer")
    assert execute(CheckSession=[away, away, session("trade")]).status == "SUCCEEDED"
    assert script.names().count("CheckSession") == 3


def test_a_hanging_step_times_out_and_is_retried(execute: Callable[..., Ended], script: Script) -> None:
    ended = execute(RepegOrders=[timedelta(minutes=5), turn("close", 1)])
    assert ended.status == "SUCCEEDED"
    assert script.names().count("RepegOrders") == 2


def test_closing_is_retried_until_no_order_is_open(execute: Callable[..., Ended], script: Script) -> None:
    waiting: list[Answer] = [StillOpen("one order is pending_cancel")] * 12
    assert execute(CloseRun=[*waiting, *QUIET["CloseRun"]]).status == "SUCCEEDED"
    assert script.names().count("CloseRun") == 13


def test_closing_in_several_steps_keeps_the_runs_failure(execute: Callable[..., Ended], script: Script) -> None:
    more: Answer = {"outcome": "closing", "error": "RefusedRun", "reason": "fenced", "again_at": at(14, 36)}
    failed: Answer = {"outcome": "failed", "error": "RefusedRun", "reason": "fenced", "again_at": ""}
    ended = execute(PlanOrders=[RefusedRun("fenced")], CloseRun=[more, more, failed])
    assert script.names()[-3:] == ["CloseRun"] * 3
    ending = script.event_of_last_call("CloseRun")["ending"]
    assert (ending["Error"], ending["Cause"]) == ("RefusedRun", "fenced")
    assert (ended.status, ended.error) == ("FAILED", "RefusedRun")


def test_repeg_orders_is_told_how_many_orders_are_left_to_place(execute: Callable[..., Ended], script: Script) -> None:
    execute(
        PlaceOrders=[{"turns": 0, "turn_at": at(14, 35, 30), "placed": 2, "left": 7}], RepegOrders=[turn("close", 1)]
    )
    assert script.event_of_last_call("RepegOrders")["turn"]["left"] == 7


def test_a_run_that_cannot_close_fails_and_names_the_open_order(execute: Callable[..., Ended]) -> None:
    ended = execute(CloseRun=[StillOpen("core-2026-11-20: still open at the broker: 61e69015")])
    assert (ended.status, ended.error) == ("FAILED", "StillOpen")
    assert ended.cause == "core-2026-11-20: still open at the broker: 61e69015"


def test_a_long_run_continues_in_a_named_successor(
    interpreter: Interpreter, execute: Callable[..., Ended], script: Script
) -> None:
    ended = execute(RepegOrders=[turn("renew", 1052), turn("close", 1053)])
    assert ended.status == "SUCCEEDED"
    successor = interpreter.executions[-1]
    assert successor.name == "core-2026-11-20-t1052"
    assert successor.input == {"renewal": {"run_id": "core-2026-11-20", "epoch": 1, "turns": 1052}}
    assert script.names().count("CloseRun") == 1
    assert script.names()[-1] == "CloseRun"


def test_an_existing_successor_is_not_started_again(
    interpreter: Interpreter, execute: Callable[..., Ended], script: Script
) -> None:
    execute(RepegOrders=[turn("renew", 1052)])  # starts the successor, if no earlier test has
    before = len(interpreter.executions)
    assert execute(RepegOrders=[turn("renew", 1052)]).status == "SUCCEEDED"
    assert len(interpreter.executions) == before + 1
    assert "CloseRun" not in script.names()


def test_a_refused_renewal_closes_its_run(
    interpreter: Interpreter, execute: Callable[..., Ended], script: Script
) -> None:
    execute(RENEWAL, OpenRun=[RefusedRun("the kill switch is halt_new")])
    event_of_last_call = script.event_of_last_call("CloseRun")
    assert script.names() == ["OpenRun", "CloseRun"]
    assert (event_of_last_call["run_id"], event_of_last_call["epoch"], event_of_last_call["turn"]) == (
        "core-2026-11-20",
        4,
        {"turns": 1052},
    )
    assert event_of_last_call["ending"]["Error"] == "RefusedRun"
    # CloseRun looks up by this name whether the run was taken over before the failure.
    assert event_of_last_call["execution"] == interpreter.executions[-1].arn


def test_a_renewal_refused_by_open_and_close_fails(execute: Callable[..., Ended], script: Script) -> None:
    ended = execute(RENEWAL, OpenRun=[RefusedRun("stale")], CloseRun=[RefusedRun("fenced")])
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "RefusedRun", "fenced")
    assert set(script.names()) == {"OpenRun", "CloseRun"}
