"""Whole executions in virtual time: waits, retries, timeouts, stops, limits, determinism."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from repeg_workbench.engine.engine import Engine, StuckExecution
from repeg_workbench.engine.execution import Execution
from tests.engine.stacks import START, call, fixture_stack, stack

WAIT = {"Type": "Wait", "Seconds": 23_400, "Next": "Closed"}
CLOSED = {"Type": "Succeed"}


def run(engine: Engine, given: dict[str, Any] | None = None) -> Execution:
    arn = engine.start_execution(given or {})
    engine.run()
    return engine.execution(arn)


def seconds(engine: Engine) -> float:
    return (engine.scheduler.now() - START) / timedelta(seconds=1)


def kinds(execution: Execution) -> list[str]:
    return [event["type"] for event in execution.history]


def test_a_wait_of_a_whole_session_takes_no_time(tmp_path: Path) -> None:
    with stack(tmp_path, {"Day": WAIT, "Closed": CLOSED}) as engine:
        begin = time.perf_counter()
        execution = run(engine)
        assert time.perf_counter() - begin < 1
        assert execution.status == "SUCCEEDED"
        assert seconds(engine) == 23_400


def test_the_fixture_stack_runs_its_turns_and_succeeds() -> None:
    with fixture_stack() as engine:
        execution = run(engine, {"turns": 3})
        assert execution.status == "SUCCEEDED"
        assert execution.output["progress"] == {"turn": 3, "again": False}
        assert execution.states == ["Turn", "Decide", "Pause"] * 2 + ["Turn", "Decide", "Closed"]
        assert seconds(engine) == 60
        assert execution.events == 2 + 2 * 9 + 7 + 2
        assert execution.transitions == 9
        assert 0 < execution.largest_payload < 400
        item = engine.client("dynamodb").get_item(
            TableName=engine.table_name(), Key={"pk": {"S": "run"}, "sk": {"S": "turns"}}
        )["Item"]
        assert item["turns"] == {"N": "3"}


def test_a_seed_repeats_its_history_and_jitter() -> None:
    def digest(seed: int) -> str:
        with fixture_stack(seed) as engine:
            return run(engine, {"turns": 20, "jittery": 3}).digest

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


def test_retries_back_off_and_count_as_transitions() -> None:
    with fixture_stack() as engine:
        execution = run(engine, {"turns": 1, "flaky": 3})
        assert execution.status == "SUCCEEDED"
        assert seconds(engine) == 2 + 4 + 8
        assert kinds(execution).count("TaskFailed") == 3
        assert execution.transitions == 3 + 3


def test_an_error_beyond_its_retries_is_caught_with_its_name_and_cause() -> None:
    with fixture_stack() as engine:
        execution = run(engine, {"turns": 1, "flaky": 99})
        assert execution.status == "SUCCEEDED"
        assert execution.output["error"]["Error"] == "Flaky"
        cause = json.loads(execution.output["error"]["Cause"])
        assert cause["errorMessage"] == "attempt 4"
        assert cause["errorType"] == "Flaky"
        assert any("lambda_handler" in line for line in cause["stackTrace"])


def test_a_task_timeout_leaves_its_function_running(tmp_path: Path) -> None:
    work = """
        clock.sleep(20)
        print("finished")
    """
    states = {"Slow": call("Work", TimeoutSeconds=5, Catch=[{"ErrorEquals": ["States.Timeout"], "Next": "Closed"}])}
    with stack(tmp_path, {**states, "Closed": CLOSED}, {"Work": work}) as engine:
        arn = engine.start_execution({})
        engine.run()
        execution = engine.execution(arn)
        assert execution.status == "SUCCEEDED"
        assert execution.stopped == START + timedelta(seconds=5)
        assert "TaskTimedOut" in kinds(execution)
        assert "TaskSucceeded" not in kinds(execution)
        assert "finished" in engine.host.invocations[0].log
        assert seconds(engine) == 20


def test_a_machine_timeout_ends_the_execution_at_once(tmp_path: Path) -> None:
    with stack(tmp_path, {"Day": WAIT, "Closed": CLOSED}, TimeoutSeconds=600) as engine:
        execution = run(engine)
        assert execution.status == "TIMED_OUT"
        assert execution.stopped == START + timedelta(seconds=600)
        assert kinds(execution)[-1] == "ExecutionTimedOut"
        assert seconds(engine) == 600


def test_a_stop_ends_an_execution_at_once_with_its_cause(tmp_path: Path) -> None:
    with stack(tmp_path, {"Day": WAIT, "Closed": CLOSED}) as engine:
        arn = engine.start_execution({})
        engine.run(until=START + timedelta(seconds=100))
        assert engine.execution(arn).status == "RUNNING"
        engine.stop_execution(arn, error="Halted", cause="kill switch")
        engine.run()
        execution = engine.execution(arn)
        assert (execution.status, execution.error, execution.cause) == ("ABORTED", "Halted", "kill switch")
        assert execution.stopped == START + timedelta(seconds=100)
        assert execution.history[-1]["executionAbortedEventDetails"] == {"error": "Halted", "cause": "kill switch"}


def test_a_stop_waits_neither_for_a_retry_nor_for_a_function(tmp_path: Path) -> None:
    work = """
        clock.sleep(10)
        if len(CALLS) > 1:
            raise RuntimeError("no")
        print("zombie")
    """
    states = {"Slow": call("Work", TimeoutSeconds=60)}
    with stack(tmp_path, states, {"Work": work}) as engine:
        arn = engine.start_execution({})
        engine.run(until=START + timedelta(seconds=4))
        engine.stop_execution(arn)
        engine.run()
        execution = engine.execution(arn)
        assert execution.status == "ABORTED"
        assert execution.stopped == START + timedelta(seconds=4)
        assert kinds(execution)[-2:] == ["TaskStarted", "ExecutionAborted"]
        assert "zombie" in engine.host.invocations[0].log


def test_an_execution_name_is_reusable_only_to_repeat_a_running_start(tmp_path: Path) -> None:
    with stack(tmp_path, {"Day": WAIT, "Closed": CLOSED}) as engine:
        first = engine.start_execution({"plan": 1}, name="core-2025-01-02")
        assert engine.start_execution({"plan": 1}, name="core-2025-01-02") == first
        with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
            engine.start_execution({"plan": 2}, name="core-2025-01-02")
        engine.run()
        with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
            engine.start_execution({"plan": 1}, name="core-2025-01-02")
        assert len(engine.executions()) == 1


def test_executions_without_a_name_get_unique_names(tmp_path: Path) -> None:
    with stack(tmp_path, {"Day": WAIT, "Closed": CLOSED}) as engine:
        assert len({engine.start_execution({}) for _ in range(3)}) == 3
        engine.run()


def test_an_input_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    with stack(tmp_path, {"Closed": CLOSED}) as engine, pytest.raises(ClientError, match="InvalidExecutionInput"):
        engine.start_execution({"plan": "x" * 262_144})


def test_an_oversized_answer_fails_the_execution_uncaught() -> None:
    with fixture_stack() as engine:
        execution = run(engine, {"turns": 1, "large": 262_144})
        assert (execution.status, execution.error) == ("FAILED", "States.DataLimitExceeded")


def test_a_full_history_fails_the_execution_uncaught(tmp_path: Path) -> None:
    again = {"Type": "Pass", "Next": "Decide"}
    decide = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.stop", "BooleanEquals": True, "Next": "Closed"}],
        "Default": "Again",
    }
    with stack(tmp_path, {"Again": again, "Decide": decide, "Closed": CLOSED}) as engine:
        execution = run(engine, {"stop": False})
        assert execution.status == "FAILED"
        assert execution.events == 25_000
        assert kinds(execution)[-1] == "ExecutionFailed"
        assert "25000" in (execution.cause or "")


def test_an_execution_that_can_never_continue_is_an_error(tmp_path: Path) -> None:
    waits = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": "${WorkArn}", "Payload": {"token.$": "$$.Task.Token"}},
        "End": True,
    }
    with stack(tmp_path, {"Forever": waits}, {"Work": "return 1"}) as engine:
        engine.start_execution({}, name="hangs")
        with pytest.raises(StuckExecution, match=r"hangs in \['Forever'\]"):
            engine.run()
        assert seconds(engine) == 0


def test_an_executions_start_time_has_milliseconds(tmp_path: Path) -> None:
    read_times = {
        "Type": "Pass",
        "Parameters": {"at.$": "$$.Execution.StartTime", "in.$": "$$.State.EnteredTime"},
        "End": True,
    }
    with stack(tmp_path, {"ReadTimes": read_times}) as engine:
        assert run(engine).output == {"at": "2025-01-02T14:20:00.137Z", "in": "2025-01-02T14:20:00.137Z"}


def test_a_wait_until_a_timestamp_ends_on_that_very_second(tmp_path: Path) -> None:
    until = {"Type": "Wait", "TimestampPath": "$.until", "End": True}
    with stack(tmp_path, {"Open": until}) as engine:
        execution = run(engine, {"until": "2025-01-02T14:20:01Z"})
        assert execution.stopped == START.replace(second=1, microsecond=0)


def test_a_machine_starts_its_successor_and_does_not_wait_for_it(tmp_path: Path) -> None:
    renew = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution",
        "Parameters": {"StateMachineArn.$": "$$.StateMachine.Id", "Name": "second", "Input": {"last": True}},
        "End": True,
    }
    choice = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.last", "IsPresent": True, "Next": "Day"}],
        "Default": "Renew",
    }
    with stack(tmp_path, {"Which": choice, "Renew": renew, "Day": WAIT, "Closed": CLOSED}) as engine:
        engine.start_execution({}, name="first")
        engine.run()
        first, second = engine.executions()
        assert (first.status, second.status) == ("SUCCEEDED", "SUCCEEDED")
        assert first.stopped == START
        assert first.output["ExecutionArn"] == second.arn
        assert first.output["StartDate"] == "2025-01-02T14:20:00.137Z"
        assert (second.stopped or START) - START == timedelta(seconds=23_400)


def test_a_failed_execution_triggers_its_rule() -> None:
    with fixture_stack() as engine:
        arn = engine.start_execution({"turns": 5}, name="doomed")
        engine.run(until=START + timedelta(seconds=40))
        engine.stop_execution(arn, cause="power cut")
        engine.run()
        rows = engine.client("dynamodb").query(
            TableName=engine.table_name(),
            KeyConditionExpression="pk = :sweep",
            ExpressionAttributeValues={":sweep": {"S": "sweep"}},
        )["Items"]
        (event,) = [json.loads(row["event"]["S"]) for row in rows]
        assert rows[0]["by"] == {"S": "sweep"}
        assert event["source"] == "aws.states"
        assert event["time"] == "2025-01-02T14:20:40Z"
        assert event["detail"]["executionArn"] == arn
        assert event["detail"]["status"] == "ABORTED"
        assert event["detail"]["cause"] == "power cut"


def test_a_success_does_not_trigger_a_rule_for_failures() -> None:
    with fixture_stack() as engine:
        run(engine, {"turns": 1})
        assert {invocation.function.name for invocation in engine.host.invocations} == {
            engine.stack.physical_id("Advance")
        }


def test_every_time_source_reads_virtual_time(tmp_path: Path) -> None:
    work = """
        from datetime import datetime, UTC
        return datetime.now(UTC).isoformat()
    """
    states = {"Pause": {"Type": "Wait", "Seconds": 90, "Next": "Now"}, "Now": call("Work")}
    with stack(tmp_path, states, {"Work": work}) as engine:
        assert datetime.fromisoformat(run(engine).output) == START + timedelta(seconds=90)


def test_the_real_clock_and_moto_are_restored_after_the_engine(tmp_path: Path) -> None:
    import random

    from moto.stepfunctions.parser.asl.component.program.program import Program

    before, state = Program.eval, random.getstate()
    with stack(tmp_path, {"Closed": CLOSED}) as engine:
        assert Program.eval is not before
        run(engine)
    assert Program.eval is before
    assert random.getstate() == state
    assert abs(time.time() - datetime.now().timestamp()) < 60
    assert time.time() > START.timestamp() + 86_400


def test_a_second_engine_cannot_be_opened(tmp_path: Path) -> None:
    with stack(tmp_path, {"Closed": CLOSED}), pytest.raises(RuntimeError, match="another simulated account"):
        fixture_stack().__enter__()
