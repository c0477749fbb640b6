"""A deploy publishes what it changes, and leaves alone what a running execution still calls."""

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


def test_the_machine_calls_versions() -> None:
    template = translated()
    (machine,) = of_type(template, "AWS::StepFunctions::StateMachine").values()
    called = {value["Ref"] for value in machine["Properties"]["DefinitionSubstitutions"].values()}
    assert called == {name for name in versions(template) if name.split("Version")[0] in STEPS}


def test_each_substitution_is_the_version_of_its_namesake() -> None:
    template = translated()
    (machine,) = of_type(template, "AWS::StepFunctions::StateMachine").values()
    for name, value in machine["Properties"]["DefinitionSubstitutions"].items():
        version = template["Resources"][value["Ref"]]
        assert version["Properties"]["FunctionName"] == {"Ref": name.removesuffix("Arn")}


def test_a_version_outlives_its_successor() -> None:
    """Dropped from the template, or replaced in place: either way an execution may still be calling it."""
    for version in of_type(translated(), VERSION).values():
        assert (version["DeletionPolicy"], version["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_same_template_publishes_nothing_new() -> None:
    assert versions(translated()) == versions(translated())


@pytest.mark.parametrize("layer", ["RepegLayer", "DependenciesLayer"])
def test_a_change_in_a_layer_alone_publishes_every_function_anew(layer: str) -> None:
    changed = translated(contents={layer: "changed"})
    assert versions(changed).isdisjoint(versions(translated()))


def change_timeout(template: Template) -> None:
    template["Resources"]["PlaceOrders"]["Properties"]["Timeout"] = 49


def change_setting(template: Template) -> None:
    template["Globals"]["Function"]["Environment"]["Variables"]["TRADING_MODE"] = "live"


@pytest.mark.parametrize("change", [change_timeout, change_setting], ids=lambda change: change.__name__)
def test_a_change_of_a_function_publishes_it_anew(change: Callable[[Template], None]) -> None:
    template = written()
    change(template)
    before = {name for name in versions(translated()) if name.startswith("PlaceOrdersVersion")}
    assert versions(translated(template)).isdisjoint(before)


def test_a_change_of_code_publishes_that_function_alone() -> None:
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
def test_the_value_of_a_parameter_replaces_the_version_that_was_published_with_another(name: str) -> None:
    """SAM looks at the text of the template and not at values; a version's description is replaced with its value."""
    function = functions()[name]
    described = set(re.findall(r"\$\{(\w+)\}", function["VersionDescription"]["Fn::Sub"]))
    assert described == parameters_in(function["Environment"])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_description_of_a_version_is_short_enough(name: str) -> None:
    text = functions()[name]["VersionDescription"]["Fn::Sub"]
    # Forty characters for each value are more than any pattern of ours lets through in earnest.
    assert len(re.sub(r"\$\{\w+\}", "", text)) + 15 * text.count("${") <= 256


def test_cloudformation_replaces_a_version_whose_description_changes() -> None:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, VERSION).schema
    assert "/properties/Description" in schema["createOnlyProperties"]
