"""Functions run as on Lambda: environment, context, errors, timeouts, kills, freezes, duplicate events."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from repeg_workbench.engine.engine import Engine
from repeg_workbench.engine.host import PayloadTooLarge
from repeg_workbench.engine.invocation import Invocation
from tests.engine.clock import later
from tests.engine.stacks import START, call, fixture_stack, stack

CLOSED = {"Closed": {"Type": "Succeed"}}


def one_function(folder: Path, body: str, **options: Any) -> Engine:
    return stack(folder, CLOSED | {"Unused": call("Work")}, {"Work": body}, **options)


def error_of(invocation: Invocation) -> tuple[str, str]:
    report = json.loads(invocation.payload)
    return report["errorType"], report["errorMessage"]


def test_each_function_sees_its_own_environment() -> None:
    with fixture_stack(parameters={"Colour": "blue"}, runtime_environment={"EXTRA": "for all"}) as engine:
        seen: dict[str, dict[str, str]] = {}

        def note(invocation: Invocation) -> None:
            seen[os.environ["OWN_NAME"]] = dict(os.environ)

        engine.host.before_invoke.append(note)
        engine.invoke("Advance", {"input": {}})
        engine.invoke("Sweep", {"id": "1"})
        assert set(seen) == {"advance", "sweep"}
        assert seen["advance"]["TURNS"] == "3"
        assert "TURNS" not in seen["sweep"]
        for variables in seen.values():
            assert variables["COLOUR"] == "blue"
            assert variables["TABLE_NAME"] == engine.table_name()
            assert variables["EXTRA"] == "for all"
            assert variables["HOME"] == os.environ["HOME"]
        assert "OWN_NAME" not in os.environ


def test_concurrent_functions_have_separate_environments(tmp_path: Path) -> None:
    body = """
        os.environ["WHO"] = event["who"]
        clock.sleep(event["pause"])
        return os.environ["AWS_LAMBDA_FUNCTION_NAME"], os.environ["WHO"]
    """
    states = CLOSED | {"A": call("First"), "B": call("Second")}
    with stack(tmp_path, states, {"First": body, "Second": body}) as engine:
        first = engine.scheduler.spawn(lambda: engine.invoke("First", {"who": "first", "pause": 2}))
        second = engine.scheduler.spawn(lambda: engine.invoke("Second", {"who": "second", "pause": 1}))
        assert json.loads(first.result().payload) == [engine.stack.physical_id("First"), "first"]
        assert json.loads(second.result().payload) == [engine.stack.physical_id("Second"), "second"]
        assert "WHO" not in os.environ


def test_a_functions_threads_share_its_environment(tmp_path: Path) -> None:
    body = """
        return clock.current[-1].spawn(lambda: os.environ["AWS_LAMBDA_FUNCTION_NAME"]).result()
    """
    with one_function(tmp_path, body) as engine:
        assert json.loads(engine.invoke("Work", {}).payload) == engine.stack.physical_id("Work")


def test_a_process_is_reused_until_it_is_recycled(tmp_path: Path) -> None:
    with one_function(tmp_path, "return len(CALLS)") as engine:
        assert [engine.invoke("Work", {}).payload for _ in range(2)] == ["1", "2"]
        engine.host.recycle(engine.stack.physical_id("Work"))
        assert engine.invoke("Work", {}).payload == "1"


def test_the_context_has_the_functions_name_and_remaining_time(tmp_path: Path) -> None:
    body = """
        clock.sleep(2.5)
        return {
            "name": context.function_name, "memory": context.memory_limit_in_mb, "arn": context.invoked_function_arn,
            "id": context.aws_request_id, "left": context.get_remaining_time_in_millis(),
        }
    """
    with one_function(tmp_path, body, function_timeout=10) as engine:
        seen = json.loads(engine.invoke("Work", {}).payload)
        function = engine.function("Work")
        assert seen == {
            "name": function.name,
            "memory": "128",
            "arn": function.arn,
            "id": "00000000-0000-0000-0000-000000000001",
            "left": 7_500,
        }


def test_a_functions_output_goes_to_its_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with one_function(tmp_path, "print('decision', 'hold')") as engine:
        assert engine.invoke("Work", {}).log == "decision hold\n"
        print("from the desk")
    assert capsys.readouterr().out == "from the desk\n"


def test_an_exception_is_reported_with_its_type_message_and_stack(tmp_path: Path) -> None:
    with one_function(tmp_path, "raise KeyError('AAPL')") as engine:
        report = json.loads(engine.invoke("Work", {}).payload)
        assert (report["errorType"], report["errorMessage"]) == ("KeyError", "'AAPL'")
        assert report["requestId"] == "00000000-0000-0000-0000-000000000001"
        assert report["stackTrace"][-1].endswith("raise KeyError('AAPL')\n")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("return {1, 2}", "Runtime.MarshalError"),
        ("import sys; sys.exit(3)", "Runtime.ExitError"),
        ("return 'x' * (6 * 1024 * 1024 + 1)", "Function.ResponseSizeTooLarge"),
        ("clock.sleep(26)", "Sandbox.Timedout"),
    ],
)
def test_runtime_errors_are_reported_in_lambdas_words(tmp_path: Path, body: str, kind: str) -> None:
    with one_function(tmp_path, body) as engine:
        invocation = engine.invoke("Work", {})
        assert invocation.error == kind
        assert error_of(invocation)[0] == kind


@pytest.mark.parametrize(
    ("source", "kind"),
    [("import nothing_of_that_name", "Runtime.ImportModuleError"), ("other = 1", "Runtime.HandlerNotFound")],
)
def test_an_unloadable_function_reports_lambdas_error(tmp_path: Path, source: str, kind: str) -> None:
    with one_function(tmp_path, "pass") as engine:
        (tmp_path / "Work" / "app.py").write_text(source, encoding="utf-8")
        assert engine.invoke("Work", {}).error == kind


def test_a_timed_out_function_stops_and_its_next_call_starts_cold(tmp_path: Path) -> None:
    body = """
        print("call", len(CALLS))
        clock.sleep(event["pause"])
        print("done")
    """
    with one_function(tmp_path, body, function_timeout=3) as engine:
        invocation = engine.invoke("Work", {"pause": 4})
        assert error_of(invocation) == (
            "Sandbox.Timedout",
            "RequestId: 00000000-0000-0000-0000-000000000001 Error: Task timed out after 3.00 seconds",
        )
        assert engine.scheduler.now() == START + timedelta(seconds=3)
        engine.scheduler.run()
        assert invocation.log == "call 1\n"
        assert engine.invoke("Work", {"pause": 1}).log == "call 1\ndone\n"


def test_a_state_machine_can_catch_a_function_timeout(tmp_path: Path) -> None:
    caught = call("Work", Catch=[{"ErrorEquals": ["Sandbox.Timedout"], "Next": "Closed"}])
    with stack(tmp_path, {"Work": caught, **CLOSED}, {"Work": "clock.sleep(30)"}) as engine:
        arn = engine.start_execution({})
        engine.run()
        execution = engine.execution(arn)
        assert execution.status == "SUCCEEDED"
        assert execution.output["Error"] == "Sandbox.Timedout"
        assert execution.stopped == START + timedelta(seconds=25)


def test_a_function_killed_between_two_writes_writes_no_more() -> None:
    with fixture_stack() as engine:
        engine.before_table_call.append(lambda operation: engine.scheduler.sleep(0.010))
        victims: list[Invocation] = []

        def kill_in_the_act(invocation: Invocation) -> None:
            victims.append(invocation)
            later(engine.scheduler, 0.005, invocation.kill)

        engine.host.before_invoke.append(kill_in_the_act)
        invocation = engine.invoke("Advance", {"input": {}})
        assert victims == [invocation]
        assert error_of(invocation)[0] == "Runtime.ExitError"
        engine.scheduler.run()
        row = engine.client("dynamodb").get_item(
            TableName=engine.table_name(), Key={"pk": {"S": "run"}, "sk": {"S": "turns"}}
        )
        assert "Item" not in row


def test_a_killed_function_cannot_write_during_its_cleanup(tmp_path: Path) -> None:
    body = """
        table = boto3.client("dynamodb")
        try:
            clock.sleep(10)
        finally:
            table.list_tables()
            print("wrote")
    """
    with one_function(tmp_path, body) as engine:

        def kill_soon(invocation: Invocation) -> None:
            later(engine.scheduler, 1, invocation.kill)

        engine.host.before_invoke.append(kill_soon)
        invocation = engine.invoke("Work", {})
        engine.scheduler.run()
        assert invocation.error == "Runtime.ExitError"
        assert "wrote" not in invocation.log


def test_a_frozen_function_continues_after_it_is_resumed(tmp_path: Path) -> None:
    states = {"Slow": call("Work", TimeoutSeconds=5, Retry=[{"ErrorEquals": ["States.Timeout"], "MaxAttempts": 1}])}
    body = """
        clock.sleep(1)
        print("acted")
    """
    with stack(tmp_path, states, {"Work": body}) as engine:
        zombies: list[Invocation] = []

        def freeze_the_first(invocation: Invocation) -> None:
            if not zombies:
                zombies.append(invocation)
                invocation.pause()

        engine.host.before_invoke.append(freeze_the_first)
        arn = engine.start_execution({})
        engine.run(until=START + timedelta(seconds=20))
        assert engine.execution(arn).status == "SUCCEEDED"
        assert zombies[0].log == ""
        zombies[0].resume()
        engine.run()
        assert zombies[0].log == "acted\n"
        assert engine.execution(arn).stopped == START + timedelta(seconds=7)


def test_an_event_can_be_delivered_twice() -> None:
    with fixture_stack() as engine:
        first: list[Invocation] = []

        def twice(invocation: Invocation) -> None:
            if not first:
                first.append(invocation)
                engine.host.repeat(invocation)

        engine.host.before_invoke.append(twice)
        arn = engine.start_execution({"turns": 2})
        engine.run()
        assert engine.execution(arn).output["progress"]["turn"] == 3  # counted three times in two turns
        assert engine.execution(arn).states.count("Turn") == 2
        assert [invocation.event["input"]["turns"] for invocation in engine.host.invocations] == [2, 2, 2]


def test_after_invoke_hooks_run_for_every_kind_of_end(tmp_path: Path) -> None:
    ends: list[str | None] = []
    with one_function(tmp_path, "return 1 // event['by']") as engine:
        engine.host.after_invoke.append(lambda invocation: ends.append(invocation.error))
        engine.invoke("Work", {"by": 1})
        engine.invoke("Work", {"by": 0})
    assert ends == [None, "ZeroDivisionError"]


def test_a_failed_event_is_retried_after_one_and_two_minutes(tmp_path: Path) -> None:
    with one_function(tmp_path, "raise RuntimeError('no')") as engine:
        client = engine.client("lambda")
        client.invoke(FunctionName=engine.stack.physical_id("Work"), InvocationType="Event", Payload=b"{}")
        engine.scheduler.run()
        assert len(engine.host.invocations) == 3
        assert engine.scheduler.now() == START + timedelta(seconds=180)


def test_the_lambda_client_can_invoke_a_function(tmp_path: Path) -> None:
    with one_function(tmp_path, "return event['a'] + 1 if 'a' in event else 1 // 0") as engine:
        name = engine.stack.physical_id("Work")
        client = engine.client("lambda")
        answer = client.invoke(FunctionName=name, Payload=b'{"a": 1}')
        assert (answer["Payload"].read(), answer.get("FunctionError")) == (b"2", None)
        assert client.invoke(FunctionName=name, Payload=b"{}")["FunctionError"] == "Unhandled"
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.invoke(FunctionName="missing", Payload=b"{}")


def test_a_task_of_a_missing_function_fails_as_on_aws(tmp_path: Path) -> None:
    states = {"Work": call("Work")}
    with stack(tmp_path, states, {"Work": "return 1"}) as engine:
        engine.client("lambda").delete_function(FunctionName=engine.stack.physical_id("Work"))
        arn = engine.start_execution({})
        engine.run()
        assert engine.execution(arn).error == "Lambda.ResourceNotFoundException"


def test_a_request_above_lambdas_limit_is_refused(tmp_path: Path) -> None:
    with one_function(tmp_path, "return 1") as engine:
        large = "x" * (6 * 1024 * 1024)
        with pytest.raises(PayloadTooLarge):
            engine.invoke("Work", large)
        client = engine.client("lambda")
        with pytest.raises(client.exceptions.RequestTooLargeException):
            client.invoke(FunctionName=engine.stack.physical_id("Work"), Payload=json.dumps(large))
        assert engine.host.invocations == []
