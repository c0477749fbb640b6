"""Small stacks for single tests: a state machine and the functions it calls."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from repeg_workbench.engine.engine import Engine
from tests.engine import clock

FIXTURES = Path(__file__).parent / "fixtures"
# Not on a whole second, like a real clock.
START = datetime(2025, 1, 2, 14, 20, 0, 137_000, tzinfo=UTC)


def fixture_stack(seed: int = 1, **options: Any) -> Engine:
    """The stack of the fixture template."""
    return Engine(template=FIXTURES / "template.yaml", start=START, seed=seed, **options)


def stack(
    folder: Path,
    states: Mapping[str, Any],
    functions: Mapping[str, str] | None = None,
    *,
    seed: int = 1,
    function_timeout: int = 25,
    **machine: Any,
) -> Engine:
    """A stack whose state machine starts at the first state; `functions` are the bodies of handlers.

    Each function is called by its own name, as in `call("Work")`. A body sees `event`, `context`, `clock`, `os`,
    `boto3`, and `CALLS`, the events of this and earlier calls.
    """
    definition = {"StartAt": next(iter(states)), "States": dict(states), **machine}
    (folder / "machine.asl.json").write_text(json.dumps(definition), encoding="utf-8")
    resources: dict[str, Any] = {"Machine": _machine(functions or {}), "Role": ROLE}
    for name, body in (functions or {}).items():
        _write_handler(folder / name, body)
        resources[name] = {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "CodeUri": name,
                "Handler": "app.lambda_handler",
                "Runtime": "python3.13",
                "Timeout": function_timeout,
            },
        }
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}
    (folder / "template.yaml").write_text(json.dumps(template), encoding="utf-8")
    engine = Engine(template=folder / "template.yaml", start=START, seed=seed)
    clock.current[:] = [engine.scheduler]
    return engine


def call(name: str, **fields: Any) -> dict[str, Any]:
    """A Task that calls a function with the state's input and returns its answer."""
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": f"${{{name}Arn}}", "Payload.$": "$"},
        "OutputPath": "$.Payload",
        **({} if "Next" in fields else {"End": True}),
        **fields,
    }


HEAD = """import os

import boto3

from tests.engine import clock

CALLS = []


def lambda_handler(event, context):
    CALLS.append(event)
"""

ROLE = {
    "Type": "AWS::IAM::Role",
    "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
}


def _machine(functions: Mapping[str, str]) -> dict[str, Any]:
    properties: dict[str, Any] = {"DefinitionUri": "machine.asl.json", "Role": {"Fn::GetAtt": ["Role", "Arn"]}}
    if functions:
        properties["DefinitionSubstitutions"] = {f"{name}Arn": {"Fn::GetAtt": [name, "Arn"]} for name in functions}
    return {"Type": "AWS::Serverless::StateMachine", "Properties": properties}


def _write_handler(folder: Path, body: str) -> None:
    folder.mkdir()
    text = HEAD + textwrap.indent(textwrap.dedent(body).strip(), "    ") + "\n"
    (folder / "app.py").write_text(text, encoding="utf-8")
