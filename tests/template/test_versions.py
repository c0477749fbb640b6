"""A deployment publishes the functions it changes and keeps the versions that running executions call."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from tests.statemachine.rules import tasks
from tests.template.stack import (
    FUNCTION,
    REGION,
    Template,
    defaults,
    definition,
    functions,
    of_type,
    translated,
    written,
)

VERSION = "AWS::Lambda::Version"
FUNCTIONS = sorted(of_type(written(), FUNCTION))
STEPS = set(tasks(definition()))


def versions(template: Template) -> set[str]:
    return set(of_type(template, VERSION))


def test_the_machine_calls_published_versions() -> None:
    template = translated()
    (machine,) = of_type(template, "AWS::StepFunctions::StateMachine").values()
    called = {value["Ref"] for value in machine["Properties"]["DefinitionSubstitutions"].values()}
    assert called == {name for name in versions(template) if name.split("Version")[0] in STEPS}


def test_each_substitution_is_the_version_of_its_function() -> None:
    template = translated()
    (machine,) = of_type(template, "AWS::StepFunctions::StateMachine").values()
    for name, value in machine["Properties"]["DefinitionSubstitutions"].items():
        version = template["Resources"][value["Ref"]]
        assert version["Properties"]["FunctionName"] == {"Ref": name.removesuffix("Arn")}


def test_a_superseded_version_is_retained() -> None:
    """An execution may still call it after it was removed from the template or replaced."""
    for version in of_type(translated(), VERSION).values():
        assert (version["DeletionPolicy"], version["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_an_unchanged_template_publishes_no_version() -> None:
    assert versions(translated()) == versions(translated())


@pytest.mark.parametrize("layer", ["RepegLayer", "DependenciesLayer"])
def test_a_changed_layer_publishes_every_function(layer: str) -> None:
    changed = translated(contents={layer: "changed"})
    assert versions(changed).isdisjoint(versions(translated()))


def change_timeout(template: Template) -> None:
    template["Resources"]["PlaceOrders"]["Properties"]["Timeout"] = 49


def change_setting(template: Template) -> None:
    template["Globals"]["Function"]["Environment"]["Variables"]["TRADING_MODE"] = "live"


@pytest.mark.parametrize("change", [change_timeout, change_setting], ids=lambda change: change.__name__)
def test_a_changed_function_is_published(change: Callable[[Template], None]) -> None:
    template = written()
    change(template)
    before = {name for name in versions(translated()) if name.startswith("PlaceOrdersVersion")}
    assert versions(translated(template)).isdisjoint(before)


def test_changed_code_publishes_only_its_function() -> None:
    before, after = versions(translated()), versions(translated(contents={"PlaceOrders": "changed"}))
    assert {name.split("Version")[0] for name in before ^ after} == {"PlaceOrders"}


def parameters_in(value: Any) -> set[str]:
    """The parameters that a property depends on."""
    if isinstance(value, dict):
        named = {value["Ref"]} if "Ref" in value else set()
        decided = parameters_in(written()["Conditions"][value["Fn::If"][0]]) if "Fn::If" in value else set()
        return named.union(decided, *(parameters_in(part) for part in value.values())) & set(defaults(written()))
    if isinstance(value, list):
        return set().union(*(parameters_in(part) for part in value))
    return set()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_changed_parameter_value_publishes_a_new_version(name: str) -> None:
    """SAM compares the template's text and not its values, but CloudFormation replaces a changed description."""
    function = functions()[name]
    described = set(re.findall(r"\$\{(\w+)\}", function["VersionDescription"]["Fn::Sub"]))
    timeout = written()["Resources"][name]["Properties"].get("Timeout")
    assert described == parameters_in(function["Environment"]) | parameters_in(timeout)


def longest(parameter: dict[str, Any]) -> int:
    """The length of a parameter's longest value."""
    if "AllowedValues" in parameter:
        return max(len(str(value)) for value in parameter["AllowedValues"])
    return int(parameter["MaxLength"]) if parameter["Type"] == "String" else len(str(parameter["MaxValue"]))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_versions_description_is_short_enough_for_every_value(name: str) -> None:
    """Lambda refuses more than 256 characters, and with it the deployment."""
    text = functions()[name]["VersionDescription"]["Fn::Sub"]
    values = [longest(written()["Parameters"][parameter]) for parameter in re.findall(r"\$\{(\w+)\}", text)]
    assert len(re.sub(r"\$\{\w+\}", "", text)) + sum(values) <= 256


def test_cloudformation_replaces_a_version_on_a_changed_description() -> None:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, VERSION).schema
    assert "/properties/Description" in schema["createOnlyProperties"]
