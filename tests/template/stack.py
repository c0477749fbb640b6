"""The template as written and as SAM translates it."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "template.yaml"
DEFINITION = ROOT / "statemachine" / "execute_plan.asl.json"
FUNCTION = "AWS::Serverless::Function"
REGION = "us-east-1"

# `sam package` replaces each local folder by an address that changes with its content.
PACKAGED = ("CodeUri", "ContentUri", "DefinitionUri")
# SAM looks these up in IAM; offline they are supplied here.
MANAGED = {
    name: f"arn:aws:iam::aws:policy/{name}"
    for name in ("service-role/AWSLambdaBasicExecutionRole", "AWSXrayWriteOnlyAccess")
}

Template = dict[str, Any]


def written() -> Template:
    """The template, with short intrinsics in their long form."""
    return copy.deepcopy(_parsed(TEMPLATE.read_text()))


@functools.cache
def _parsed(text: str) -> Template:
    parsed: Template = yaml_parse(text)
    return parsed


def translated(template: Template | None = None, contents: Mapping[str, str] | None = None) -> Template:
    """The template that CloudFormation receives. `contents` marks changed files by their logical id."""
    packaged = copy.deepcopy(template or written())
    for name, resource in packaged["Resources"].items():
        properties = resource.get("Properties", {})
        for field in PACKAGED:
            if field in properties:
                properties[field] = f"s3://artifacts/{(contents or {}).get(name, name)}"
    answer: Template = Translator(MANAGED, Parser(), boto_session=_Offline()).translate(packaged, defaults(packaged))
    return answer


def defaults(template: Template) -> dict[str, str]:
    """Every parameter at its default, as CloudFormation passes it: a string."""
    return {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items()}


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """The resources of a type, by logical id."""
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] == kind}


def functions(*, listening: bool = False) -> dict[str, dict[str, Any]]:
    """The functions as written, merged with Globals, in a stack whose runs listen or do not."""
    template = written()
    shared = template["Globals"]["Function"]
    found = {}
    for name, resource in of_type(template, FUNCTION).items():
        own = resource["Properties"]
        variables = {
            **shared["Environment"]["Variables"],
            **own.get("Environment", {}).get("Variables", {}),
        }
        found[name] = {**shared, **own, "Environment": {"Variables": variables}}
        found[name]["Timeout"] = _chosen(found[name]["Timeout"], listening=listening)
    return found


def _chosen(value: Any, *, listening: bool) -> int:
    """A number, or the one that the condition `Listens` chooses."""
    if isinstance(value, int):
        return value
    condition, if_true, if_false = value["Fn::If"]
    assert condition == "Listens"
    return int(if_true if listening else if_false)


def environment(function: str) -> dict[str, str]:
    """A function's environment with default parameters, without values known only at deployment."""
    variables = functions()[function]["Environment"]["Variables"]
    values = {name: _at_defaults(value) for name, value in variables.items()}
    return {name: value for name, value in values.items() if value is not None}


def _at_defaults(value: Any) -> str | None:
    """The value of a Ref or If with default parameters; None if it is known only at deployment."""
    if not isinstance(value, dict):
        return str(value)
    if "Ref" in value:
        return defaults(written()).get(value["Ref"])
    condition, held, otherwise = value["Fn::If"]
    left, right = written()["Conditions"][condition]["Fn::Equals"]
    return _at_defaults(held if _at_defaults(left) == _at_defaults(right) else otherwise)


def definition() -> Template:
    """The state machine's definition before substitution."""
    parsed: Template = json.loads(DEFINITION.read_text())
    return parsed


def statements(template: Template, effect: str = "Allow") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every policy statement of that effect with its role's logical id, including both arms of a condition."""
    for name, policy in policies(template):
        for statement in policy["PolicyDocument"]["Statement"]:
            arms = statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
            yield from ((name, arm) for arm in arms if arm.get("Effect") == effect)


def policies(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every policy with its role's logical id: those inside of a role, and those that are resources of their own."""
    for name, role in of_type(template, "AWS::IAM::Role").items():
        yield from ((name, policy) for policy in role["Properties"].get("Policies", []))
    for policy in of_type(template, "AWS::IAM::Policy").values():
        yield from ((role["Ref"], policy["Properties"]) for role in policy["Properties"]["Roles"])


def listed(value: Any) -> list[Any]:
    """A list of IAM values, which may be written as a single value."""
    return value if isinstance(value, list) else [value]


class _Offline:
    """The part of an AWS session that the translator uses."""

    region_name = REGION
