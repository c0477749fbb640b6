"""Measures the engine itself: its start, a turn of a state machine, a table call, a virtual thread."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

TURNS = 780
START = datetime(2025, 1, 2, 14, 30, tzinfo=UTC)
ROWS, OTHER_ROWS = 100, 2_000
TARGET_SECONDS = 4

HANDLER = """
import functools, os, boto3

@functools.cache
def table():
    return boto3.client("dynamodb")

def lambda_handler(event, context):
    answer = table().update_item(
        TableName=os.environ["TABLE_NAME"], Key={"pk": {"S": "run"}, "sk": {"S": "turns"}},
        UpdateExpression="ADD turns :one", ExpressionAttributeValues={":one": {"N": "1"}}, ReturnValues="UPDATED_NEW",
    )
    return {"again": int(answer["Attributes"]["turns"]["N"]) < event["turns"]}
"""

MACHINE: dict[str, Any] = {
    "StartAt": "Wait",
    "States": {
        "Wait": {"Type": "Wait", "Seconds": 30, "Next": "Work"},
        "Work": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Parameters": {"FunctionName": "${WorkArn}", "Payload.$": "$"},
            "ResultSelector": {"again.$": "$.Payload.again"},
            "ResultPath": "$.progress",
            "TimeoutSeconds": 60,
            "Next": "Again",
        },
        "Again": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.progress.again", "BooleanEquals": True, "Next": "Wait"}],
            "Default": "Done",
        },
        "Done": {"Type": "Succeed"},
    },
}

TEMPLATE: dict[str, Any] = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "Machine": {
            "Type": "AWS::Serverless::StateMachine",
            "Properties": {
                "DefinitionUri": "machine.asl.json",
                "DefinitionSubstitutions": {"WorkArn": {"Fn::GetAtt": ["Work", "Arn"]}},
            },
        },
        "Work": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "CodeUri": "work",
                "Handler": "app.lambda_handler",
                "Runtime": "python3.13",
                "Environment": {"Variables": {"TABLE_NAME": {"Ref": "Table"}}},
            },
        },
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            },
        },
    },
}


def main() -> None:
    """Measure and print one line per figure."""
    begin = perf_counter()
    engine_module = importlib.import_module("repeg_workbench.engine.engine")
    imported = perf_counter()
    with _stack() as template, engine_module.Engine(template=template, start=START) as engine:
        deployed = perf_counter()
        arn = engine.start_execution({"turns": TURNS})
        engine.run()
        done = perf_counter()
        execution = engine.execution(arn)
        _line("imports", imported - begin, "s")
        _line("deployment", deployed - imported, "s")
        _line(f"{TURNS} turns", done - deployed, "s")
        _line("total", done - begin, f"s, target {TARGET_SECONDS} s")
        _line("one turn", (done - deployed) / TURNS * 1_000, "ms")
        _line("history events of a turn", execution.events / TURNS, "")
        for name, call in _table_calls(engine.client("dynamodb"), engine.table_name()):
            _line(name, _microseconds(call, 100), "µs")
    _line("a virtual thread that sleeps once", _thread_microseconds(), "µs")


@contextmanager
def _stack() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "work").mkdir()
        (folder / "work" / "app.py").write_text(HANDLER, encoding="utf-8")
        (folder / "machine.asl.json").write_text(json.dumps(MACHINE), encoding="utf-8")
        (folder / "template.yaml").write_text(json.dumps(TEMPLATE), encoding="utf-8")
        yield folder / "template.yaml"


def _table_calls(client: Any, table: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    for number in range(ROWS):
        client.put_item(TableName=table, Item=_row("order", number))
    for number in range(OTHER_ROWS):
        client.put_item(TableName=table, Item=_row("intent", number))
    key = {name: _row("order", 1)[name] for name in ("pk", "sk")}
    same = {"ConditionExpression": "version = :v", "ExpressionAttributeValues": {":v": {"N": "1"}}}
    asked = {":run": {"S": "day"}, ":kind": {"S": "order#"}}
    condition = "pk = :run AND begins_with(sk, :kind)"
    puts = [{"Put": {"TableName": table, "Item": _row("order", number), **same}} for number in range(5)]
    yield "GetItem", lambda: client.get_item(TableName=table, Key=key)
    yield "PutItem with a condition", lambda: client.put_item(TableName=table, Item=_row("order", 1), **same)
    yield (
        f"Query of {ROWS} in {ROWS + OTHER_ROWS}",
        lambda: client.query(TableName=table, KeyConditionExpression=condition, ExpressionAttributeValues=asked),
    )
    yield "TransactWriteItems of 5", lambda: client.transact_write_items(TransactItems=puts)


def _row(kind: str, number: int) -> dict[str, Any]:
    fields = {name: {"S": "189.41"} for name in ("limit", "average", "arrival", "reason", "state")}
    return {"pk": {"S": "day"}, "sk": {"S": f"{kind}#{number:05}"}, "version": {"N": "1"}, **fields}


def _microseconds(call: Callable[[], Any], times: int) -> float:
    call()
    begin = perf_counter()
    for _ in range(times):
        call()
    return (perf_counter() - begin) / times * 1_000_000


def _thread_microseconds(threads: int = 10_000) -> float:
    from repeg_workbench.engine.scheduler import Scheduler  # noqa: PLC0415 - the imports are measured too

    with Scheduler(START) as scheduler:
        begin = perf_counter()
        for _ in range(threads):
            scheduler.spawn(lambda: scheduler.sleep(1))
        scheduler.run()
        return (perf_counter() - begin) / threads * 1_000_000


def _line(name: str, value: float, unit: str) -> None:
    sys.stdout.write(f"{name:<36}{value:>12,.2f} {unit}\n")


if __name__ == "__main__":
    main()
