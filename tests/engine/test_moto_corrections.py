"""Each correction of the interpreter: unmodified moto still differs from AWS, corrected moto does not."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from repeg_workbench.engine.moto_corrections import executions, speed, threads
from tests.engine.interpreters import Correct, everything, moto
from tests.engine.stacks import START

DONE: dict[str, Any] = {"Type": "Succeed"}


def machine(states: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"StartAt": next(iter(states)), "States": states, **fields}


def describe(correct: tuple[Correct, ...], states: dict[str, Any], given: Any = None, **fields: Any) -> dict[str, Any]:
    with moto(*correct) as interpreter:
        return interpreter.run(machine(states, **fields), given)


UNMODIFIED: tuple[Correct, ...] = ()
CORRECTED: tuple[Correct, ...] = (everything,)


# A Task whose result selector reads a missing field: States.Runtime, which States.ALL does not catch.
PUT = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage",
    "Parameters": {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/q", "MessageBody": "x"},
    "ResultSelector": {"missing.$": "$.NoSuchField"},
    "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Done"}],
    "End": True,
}


def with_a_queue(correct: tuple[Correct, ...]) -> str:
    with moto(*correct) as interpreter:
        interpreter.client("sqs").create_queue(QueueName="q")
        return str(interpreter.run(machine({"Put": PUT, "Done": DONE}))["status"])


def test_states_all_does_not_catch_states_runtime() -> None:
    assert with_a_queue(UNMODIFIED) == "SUCCEEDED"
    assert with_a_queue(CORRECTED) == "FAILED"


CHOICE = {
    "Which": {
        "Type": "Choice",
        "Choices": [{"Variable": "$.progress.again", "BooleanEquals": True, "Next": "Done"}],
        "Default": "Done",
    },
    "Done": DONE,
}


def test_a_choice_on_a_missing_variable_fails() -> None:
    assert describe(UNMODIFIED, CHOICE)["status"] == "SUCCEEDED"
    described = describe(CORRECTED, CHOICE)
    assert (described["status"], described["error"]) == ("FAILED", "States.Runtime")
    assert "$.progress.again" in described["cause"]


def test_a_choice_can_test_whether_a_variable_is_present() -> None:
    guarded = {"And": [{"Variable": "$.again", "IsPresent": True}, {"Variable": "$.again", "BooleanEquals": True}]}
    states = {
        "Which": {"Type": "Choice", "Choices": [{**guarded, "Next": "Lost"}], "Default": "Done"},
        "Lost": {"Type": "Fail"},
        "Done": DONE,
    }
    assert describe(CORRECTED, states)["status"] == "SUCCEEDED"


def test_a_choice_without_a_match_fails_with_no_choice_matched() -> None:
    which = {"Type": "Choice", "Choices": [{"Variable": "$.a", "NumericEquals": 1, "Next": "Done"}]}
    states = {"Which": which, "Done": DONE}
    assert describe(UNMODIFIED, states, {"a": 2})["error"] == "States.Runtime"
    assert describe(CORRECTED, states, {"a": 2})["error"] == "States.NoChoiceMatched"


def waited(correct: tuple[Correct, ...], until: str) -> float:
    with moto(*correct) as interpreter:
        described = interpreter.run(
            machine({"Open": {"Type": "Wait", "TimestampPath": "$.until", "End": True}}), {"until": until}
        )
        assert described["status"] == "SUCCEEDED", described
        return interpreter.seconds


def test_a_wait_for_a_timestamp_does_not_end_early() -> None:
    assert waited(UNMODIFIED, "2025-01-02T14:20:01Z") == 0  # 0.863 seconds too early
    assert waited(CORRECTED, "2025-01-02T14:20:01Z") == pytest.approx(0.863)
    assert waited(CORRECTED, "2025-01-02T14:30:00Z") == pytest.approx(599.863)


def test_a_timestamps_milliseconds_are_truncated() -> None:
    assert waited(CORRECTED, "2025-01-02T14:20:09.999Z") == pytest.approx(8.863)


def test_a_timestamp_in_the_past_does_not_wait() -> None:
    assert waited(CORRECTED, "2025-01-02T14:00:00Z") == 0


def test_a_timestamp_may_have_an_offset() -> None:
    states = {"Open": {"Type": "Wait", "TimestampPath": "$.until", "End": True}}
    assert describe(UNMODIFIED, states, {"until": "2025-01-02T09:30:00-05:00"})["status"] == "FAILED"
    assert waited(CORRECTED, "2025-01-02T09:30:00-05:00") == pytest.approx(599.863)


def test_an_invalid_timestamp_fails() -> None:
    states = {"Open": {"Type": "Wait", "TimestampPath": "$.until", "End": True}}
    assert describe(CORRECTED, states, {"until": "half past nine"})["error"] == "States.Runtime"
    assert describe(CORRECTED, states, {"until": "2025-02-30T09:30:00Z"})["error"] == "States.Runtime"


def test_waits_are_exact_from_any_fraction_of_a_second() -> None:
    states = {f"W{n}": {"Type": "Wait", "Seconds": 30, "Next": f"W{n + 1}"} for n in range(3)} | {"W3": DONE}
    with moto(everything) as interpreter:
        interpreter.run(machine(states))
        assert interpreter.seconds == 90


READ_START = {"ReadTime": {"Type": "Pass", "Parameters": {"at.$": "$$.Execution.StartTime"}, "End": True}}


def test_a_started_execution_can_be_described() -> None:
    with moto() as interpreter, pytest.raises(TypeError, match="datetime is not JSON serializable"):
        interpreter.run(machine(READ_START))
    assert json.loads(describe(CORRECTED, READ_START)["output"]) == {"at": "2025-01-02T14:20:00.137Z"}


def test_a_states_entered_time_has_milliseconds() -> None:
    states = {"ReadTime": {"Type": "Pass", "Parameters": {"at.$": "$$.State.EnteredTime"}, "End": True}}
    assert json.loads(describe(UNMODIFIED, states)["output"]) == {"at": "2025-01-02T14:20:00.137000+00:00"}
    assert json.loads(describe(CORRECTED, states)["output"]) == {"at": "2025-01-02T14:20:00.137Z"}


def test_a_string_output_is_described_as_json() -> None:
    states = {"Say": {"Type": "Pass", "Result": "filled", "End": True}}
    assert describe(UNMODIFIED, states)["output"] == "filled"
    assert describe(CORRECTED, states)["output"] == '"filled"'


def test_a_timed_out_execution_has_a_stop_date() -> None:
    states = {"Day": {"Type": "Wait", "Seconds": 600, "End": True}}
    assert "stopDate" not in describe(UNMODIFIED, states, TimeoutSeconds=60)
    described = describe(CORRECTED, states, TimeoutSeconds=60)
    assert described["status"] == "TIMED_OUT"
    assert described["stopDate"] == START + timedelta(seconds=60)


def start_twice(correct: tuple[Correct, ...]) -> set[str]:
    with moto(*correct) as interpreter:
        interpreter.start(machine({"Done": DONE}))
        states = interpreter.client("stepfunctions")
        (made,) = states.list_state_machines()["stateMachines"]
        return {states.start_execution(stateMachineArn=made["stateMachineArn"])["executionArn"] for _ in range(2)}


def test_an_execution_without_a_name_gets_a_unique_name() -> None:
    assert {arn.rsplit(":", 1)[1] for arn in start_twice(UNMODIFIED)} == {"None"}
    assert len(start_twice(CORRECTED)) == 2


SUCCESSOR = {
    "Renew": {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution",
        "Parameters": {"StateMachineArn.$": "$$.StateMachine.Id", "Name": "next", "Input": {"last": True}},
        "End": True,
    }
}


def renewing() -> dict[str, Any]:
    last = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.last", "IsPresent": True, "Next": "Done"}],
        "Default": "Renew",
    }
    return {"Which": last, **SUCCESSOR, "Done": DONE}


def test_a_machine_can_start_an_execution() -> None:
    unmodified = describe(UNMODIFIED, renewing())
    assert unmodified["status"] == "FAILED"
    assert "StateMachineArn" in unmodified["cause"]
    output = json.loads(describe(CORRECTED, renewing())["output"])
    assert output["ExecutionArn"].endswith(":next")
    assert output["StartDate"] == "2025-01-02T14:20:00.137Z"


def start_a_version(correct: tuple[Correct, ...]) -> Any:
    with moto(*correct) as interpreter:
        interpreter.start(machine({"Done": DONE}))
        states = interpreter.client("stepfunctions")
        (made,) = states.list_state_machines()["stateMachines"]
        arn = made["stateMachineArn"]
        version = states.update_state_machine(
            stateMachineArn=arn, definition=json.dumps(machine({"New": DONE})), publish=True
        )["stateMachineVersionArn"]
        states.create_state_machine_alias(
            name="live", routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}]
        )
        started = states.start_execution(stateMachineArn=f"{arn}:live", name="by-alias")["executionArn"]
        interpreter.scheduler.run()
        described = states.describe_execution(executionArn=started)
        return described["stateMachineArn"] == arn, described["status"]


def test_an_alias_starts_its_machine() -> None:
    with pytest.raises(ClientError, match="StateMachineDoesNotExist"):
        start_a_version(UNMODIFIED)
    assert start_a_version(CORRECTED) == (True, "SUCCEEDED")


def stop(correct: tuple[Correct, ...]) -> tuple[Any, Any, float]:
    """Stop an execution 10 seconds into a retry wait of 600; returns its error, its cause and its end."""
    flaky = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Parameters": {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/none", "MessageBody": "x"},
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 600, "MaxAttempts": 1}],
        "End": True,
    }
    with moto(*correct) as interpreter:
        arn = interpreter.start(machine({"Flaky": flaky}))
        interpreter.scheduler.run(until=START + timedelta(seconds=10))
        states = interpreter.client("stepfunctions")
        states.stop_execution(executionArn=arn, error="Halted", cause="kill switch")
        interpreter.scheduler.run()
        described = states.describe_execution(executionArn=arn)
        assert described["status"] == "ABORTED"
        return described.get("error"), described.get("cause"), (described["stopDate"] - START).total_seconds()


def test_a_stop_takes_effect_at_once_and_keeps_its_reasons() -> None:
    assert stop(UNMODIFIED) == (None, None, 600)
    assert stop(CORRECTED) == ("Halted", "kill switch", 10)


def events(correct: tuple[Correct, ...], definition: dict[str, Any], given: Any = None) -> list[str]:
    with moto(*correct) as interpreter:
        arn = interpreter.start(definition, given)
        interpreter.scheduler.run()
        history = interpreter.client("stepfunctions").get_execution_history(executionArn=arn)
        return [event["type"] for event in history["events"]]


def test_a_history_never_exceeds_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executions, "MAX_HISTORY_EVENTS", 10)
    states = {f"P{n}": {"Type": "Pass", "Next": f"P{n + 1}"} for n in range(8)} | {"P8": DONE}
    assert len(events(UNMODIFIED, machine(states))) == 20
    kept = events(CORRECTED, machine(states))
    assert (len(kept), kept[-1]) == (10, "ExecutionFailed")


def test_a_success_may_be_the_last_event_of_a_full_history(monkeypatch: pytest.MonkeyPatch) -> None:
    states = {"P": {"Type": "Pass", "End": True}}
    monkeypatch.setattr(executions, "MAX_HISTORY_EVENTS", 4)
    assert events(CORRECTED, machine(states))[-1] == "ExecutionSucceeded"


def at_once(correct: tuple[Correct, ...], asked: int) -> float:
    iteration = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 10, "End": True}}}
    each = {"Type": "Map", "ItemsPath": "$.items", "MaxConcurrency": asked, "ItemProcessor": iteration, "End": True}
    with moto(*correct) as interpreter:
        interpreter.run(machine({"Each": each}), {"items": list(range(100))})
        return interpreter.seconds


def test_an_inline_map_runs_at_most_forty_iterations_at_once() -> None:
    assert at_once(UNMODIFIED, 0) == 10
    assert at_once(CORRECTED, 0) == 30
    assert at_once(CORRECTED, 50) == 30
    assert at_once(CORRECTED, 10) == 100


def test_a_stop_ends_branches_and_iterations() -> None:
    branch = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
    states = {"Both": {"Type": "Parallel", "Branches": [branch, branch], "End": True}}
    with moto(everything) as interpreter:
        arn = interpreter.start(machine(states))
        interpreter.scheduler.run(until=START + timedelta(seconds=10))
        interpreter.client("stepfunctions").stop_execution(executionArn=arn)
        interpreter.scheduler.run()
        assert interpreter.seconds == 10
        assert interpreter.scheduler.alive == {}


def test_many_names_of_the_interpreter_are_swapped_and_all_are_put_back() -> None:
    before = _names()
    with moto():
        during = _names()
    assert during.keys() == before.keys()
    swapped = [name for name in before if during[name] is not before[name]]
    assert len(swapped) == 29
    assert any(name.endswith("execute_state.Thread") for name in swapped)
    assert all(now is before[name] for name, now in _names().items())


def _names() -> dict[str, Any]:
    return {
        f"{module.__name__}.{name}": value
        for module in threads.interpreter_modules()
        for name, value in vars(module).items()
        if not name.startswith("__")
    }


def test_a_copy_of_json_is_equal_and_shares_nothing_that_can_change() -> None:
    given: dict[str, Any] = {"orders": [{"symbol": "KO", "filled": 1.5}, None, True], "at": {START}, "turn": {}}
    copied = speed.copied(given)
    assert copied == given
    for name, value in given.items():
        assert copied[name] is not value
    assert copied["orders"][0] is not given["orders"][0]
