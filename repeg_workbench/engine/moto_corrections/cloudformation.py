"""Differences of moto's CloudFormation from AWS: unsupported types, ignored properties, JSON parsed as YAML.

Ignored properties: a table's TimeToLiveSpecification and PointInTimeRecoverySpecification, a function's Layers, and a
LayerVersion's Ref. No upstream report was found; tests/engine/test_deployment.py reads each of them back.
"""

# ruff: noqa: SLF001 - moto has no other handles; the account that it deploys to is simulated
from __future__ import annotations

import json
from typing import Any

from moto.awslambda.models import LambdaFunction, LayerVersion
from moto.cloudformation import parsing
from moto.cloudformation.models import Stack
from moto.dynamodb.models.table import Table

from repeg_workbench.engine.moto_corrections import account, start_up
from repeg_workbench.engine.moto_corrections.patches import Patches
from repeg_workbench.engine.moto_corrections.resources import SUPPLIED


def apply(patches: Patches) -> None:
    """Add the missing types and properties."""
    moto_types = parsing.get_model_map
    patches.replace(parsing, "get_model_map", lambda: {**moto_types(), **SUPPLIED})
    _read_json_as_json(patches)
    _keep_expiry_and_recovery(patches)
    _keep_layers(patches)
    patches.add(LayerVersion, "physical_resource_id", property(lambda version: version.arn))


def unknown_types(template: dict[str, Any]) -> list[str]:
    """The types of a translated template that neither moto nor `resources` supports."""
    declared = {resource["Type"] for resource in template["Resources"].values()}
    parameters = {parameter["Type"] for parameter in template.get("Parameters", {}).values()}
    if not declared <= set(parsing.get_model_map()) or any(kind.startswith("AWS::SSM") for kind in parameters):
        start_up.complete()
    return sorted(declared - set(parsing.get_model_map()))


def _read_json_as_json(patches: Patches) -> None:
    """Parse templates as JSON, which they always are; moto parses them as YAML, a hundred times slower."""

    def parse(text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            return original(text)

    original = patches.replace(Stack, "parse_template", staticmethod(parse))


def _keep_expiry_and_recovery(patches: Patches) -> None:
    def create(cls: Any, name: str, declared: Any, account_id: str, region_name: str, **kwargs: Any) -> Any:
        del cls
        table = original(name, declared, account_id, region_name, **kwargs)
        properties = declared["Properties"]
        client = account.client("dynamodb", region_name)
        if "TimeToLiveSpecification" in properties:
            wanted = properties["TimeToLiveSpecification"]
            client.update_time_to_live(TableName=table.name, TimeToLiveSpecification=wanted)
        if "PointInTimeRecoverySpecification" in properties:
            wanted = properties["PointInTimeRecoverySpecification"]
            client.update_continuous_backups(TableName=table.name, PointInTimeRecoverySpecification=wanted)
        return table

    original = patches.replace(Table, "create_from_cloudformation_json", _class_method(create))


def _keep_layers(patches: Patches) -> None:
    def create(cls: Any, name: str, declared: Any, account_id: str, region_name: str, **kwargs: Any) -> Any:
        del cls
        function = original(name, declared, account_id, region_name, **kwargs)
        function.layers = function._get_layers_data(declared["Properties"].get("Layers", []))
        return function

    original = patches.replace(LambdaFunction, "create_from_cloudformation_json", _class_method(create))


def _class_method(function: Any) -> Any:
    return classmethod(function)
