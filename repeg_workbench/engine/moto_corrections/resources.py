"""CloudFormation resource types that moto does not support; it skips them without an error.

moto deploys the types of its own models alone. No report of the types below was found; to see what it skips, compare a
template's types with `moto.cloudformation.parsing.get_model_map()` of the pinned version.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from moto.awslambda_simple.models import lambda_simple_backends
from moto.cloudformation.exceptions import UnformattedGetAttTemplateException
from moto.core.models import DEFAULT_ACCOUNT_ID

from repeg_workbench.engine.moto_corrections import account

SUBSTITUTION = re.compile(r"\$\{([A-Za-z0-9_]+)\}")

Properties = dict[str, Any]


class DeploymentError(ValueError):
    """The template would fail on deployment, or a part of it would be ignored silently."""


@dataclass
class Resource:
    """A deployed resource: its values for Ref and GetAtt, and its declared properties."""

    physical_resource_id: str
    attributes: dict[str, str] = field(default_factory=dict)
    properties: Properties = field(default_factory=dict)
    cf_resource_type: str = ""
    logical_resource_id: str = ""

    def is_created(self) -> bool:
        """Always true: resources are created synchronously."""
        return True

    def get_cfn_attribute(self, name: str) -> str:
        """The value of GetAtt."""
        if name not in self.attributes:
            raise UnformattedGetAttTemplateException
        return self.attributes[name]


@dataclass(frozen=True)
class ResourceType:
    """An entry of moto's list of models for one added type."""

    make: Callable[[str, Properties, Callable[[str], Any]], Resource]
    attribute_names: tuple[str, ...] = ()

    def create_from_cloudformation_json(
        self, name: str, declared: Any, account_id: str, region_name: str, **_: Any
    ) -> Resource:
        """Create the resource."""
        del account_id
        properties = declared["Properties"]
        made = self.make(name, properties, partial(account.client, region=region_name))
        made.properties = properties
        return made

    def has_cfn_attr(self, name: str) -> bool:
        """Whether GetAtt supports the attribute."""
        return name in self.attribute_names


def definition_with(text: str, substitutions: dict[str, Any]) -> str:
    """The definition with its substitutions applied. Raises DeploymentError if one is missing or unused."""
    wanted = set(SUBSTITUTION.findall(text))
    missing, unused = sorted(wanted - set(substitutions)), sorted(set(substitutions) - wanted)
    if missing or unused:
        raise DeploymentError(f"DefinitionSubstitutions: missing {missing}, unused {unused}")
    return SUBSTITUTION.sub(lambda match: str(substitutions[match[1]]), text)


def _state_machine(name: str, properties: Properties, client: Callable[[str], Any]) -> Resource:
    definition = definition_with(_definition(properties, client), properties.get("DefinitionSubstitutions", {}))
    made = client("stepfunctions").create_state_machine(
        name=properties.get("StateMachineName", name),
        definition=definition,
        roleArn=properties["RoleArn"],
        type=properties.get("StateMachineType", "STANDARD"),
    )
    arn = made["stateMachineArn"]
    return Resource(arn, {"Arn": arn, "Name": arn.rsplit(":", 1)[-1]})


def _definition(properties: Properties, client: Callable[[str], Any]) -> str:
    if "DefinitionS3Location" in properties:
        at = properties["DefinitionS3Location"]
        body: bytes = client("s3").get_object(Bucket=at["Bucket"], Key=at["Key"])["Body"].read()
        return body.decode()
    if "DefinitionString" in properties:
        return str(properties["DefinitionString"])
    return json.dumps(properties["Definition"])


def _machine_version(name: str, properties: Properties, client: Callable[[str], Any]) -> Resource:
    del name
    made = client("stepfunctions").update_state_machine(
        stateMachineArn=properties["StateMachineArn"],
        publish=True,
        definition=_current_definition(properties["StateMachineArn"], client),
    )
    arn = made["stateMachineVersionArn"]
    return Resource(arn, {"Arn": arn})


def _current_definition(arn: str, client: Callable[[str], Any]) -> str:
    return str(client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"])


def _machine_alias(name: str, properties: Properties, client: Callable[[str], Any]) -> Resource:
    preference = properties.get("DeploymentPreference")
    if preference:
        routes = [{"StateMachineVersionArn": preference["StateMachineVersionArn"], "Weight": 100}]
    else:
        routes = properties["RoutingConfiguration"]
    made = client("stepfunctions").create_state_machine_alias(
        name=properties.get("Name", name),
        routingConfiguration=[
            {"stateMachineVersionArn": route["StateMachineVersionArn"], "weight": int(route["Weight"])}
            for route in routes
        ],
    )
    arn = made["stateMachineAliasArn"]
    return Resource(arn, {"Arn": arn})


def _function_version(name: str, properties: Properties, client: Callable[[str], Any]) -> Resource:
    del name
    functions = _functions(client)
    made = functions.publish_version(properties["FunctionName"], properties.get("Description", ""))
    return Resource(made.function_arn, {"Version": str(made.version), "FunctionArn": made.function_arn})


def _function_alias(name: str, properties: Properties, client: Callable[[str], Any]) -> Resource:
    del name
    made = _functions(client).create_alias(
        name=properties["Name"],
        function_name=properties["FunctionName"],
        function_version=properties["FunctionVersion"],
        description=properties.get("Description", ""),
        routing_config=properties.get("RoutingConfig"),
    )
    return Resource(made.arn, {"AliasArn": made.arn})


def _functions(client: Callable[[str], Any]) -> Any:
    """moto's registry of functions. Its HTTP interface compiles a hundred routes before it answers."""
    return lambda_simple_backends[DEFAULT_ACCOUNT_ID][client("stepfunctions").meta.region_name]


def _schedule(name: str, properties: Properties, client: Callable[[str], Any]) -> Resource:
    wanted = {"Name": name, **properties}
    made = client("scheduler").create_schedule(**wanted)
    return Resource(wanted["Name"], {"Arn": made["ScheduleArn"]})


def _schedule_group(name: str, properties: Properties, client: Callable[[str], Any]) -> Resource:
    wanted = properties.get("Name", name)
    made = client("scheduler").create_schedule_group(Name=wanted)
    return Resource(wanted, {"Arn": made["ScheduleGroupArn"]})


def _secret(name: str, properties: Properties, client: Callable[[str], Any]) -> Resource:
    secrets = client("secretsmanager")
    wanted = {key: value for key, value in properties.items() if key != "GenerateSecretString"}
    if "GenerateSecretString" in properties:
        wanted["SecretString"] = _generated(properties["GenerateSecretString"], secrets)
    made = secrets.create_secret(**{"Name": name, **wanted})
    return Resource(made["ARN"], {"Id": made["ARN"]})


def _generated(rule: Properties, secrets: Any) -> str:
    shape = {key: value for key, value in rule.items() if key not in ("SecretStringTemplate", "GenerateStringKey")}
    password = secrets.get_random_password(**shape)["RandomPassword"]
    if "SecretStringTemplate" not in rule:
        return str(password)
    return json.dumps({**json.loads(rule["SecretStringTemplate"]), rule["GenerateStringKey"]: password})


def _alarm(name: str, properties: Properties, client: Callable[[str], Any]) -> Resource:
    wanted = {"AlarmName": name, **properties}
    whole = ("Period", "EvaluationPeriods", "DatapointsToAlarm")
    wanted.update({key: int(wanted[key]) for key in whole if key in wanted})
    if "Threshold" in wanted:
        wanted["Threshold"] = float(wanted["Threshold"])
    watch = client("cloudwatch")
    watch.put_metric_alarm(**wanted)
    at = f"{watch.meta.region_name}:{DEFAULT_ACCOUNT_ID}"
    return Resource(wanted["AlarmName"], {"Arn": f"arn:aws:cloudwatch:{at}:alarm:{wanted['AlarmName']}"})


def _subscription(name: str, properties: Properties, client: Callable[[str], Any]) -> Resource:
    del name
    made = client("sns").subscribe(
        TopicArn=properties["TopicArn"], Protocol=properties["Protocol"], Endpoint=properties.get("Endpoint", "")
    )
    return Resource(made["SubscriptionArn"], {"Arn": made["SubscriptionArn"]})


def _kept_as_declared(name: str, properties: Properties, client: Callable[[str], Any]) -> Resource:
    """A resource without effect on a simulated day: it can only be referenced and read back."""
    del properties, client
    return Resource(name, {"Id": name})


SUPPLIED: dict[str, Any] = {
    "AWS::StepFunctions::StateMachine": ResourceType(_state_machine, ("Arn", "Name")),
    "AWS::StepFunctions::StateMachineVersion": ResourceType(_machine_version, ("Arn",)),
    "AWS::StepFunctions::StateMachineAlias": ResourceType(_machine_alias, ("Arn",)),
    "AWS::Lambda::Version": ResourceType(_function_version, ("Version", "FunctionArn")),
    "AWS::Lambda::Alias": ResourceType(_function_alias, ("AliasArn",)),
    "AWS::Scheduler::Schedule": ResourceType(_schedule, ("Arn",)),
    "AWS::Scheduler::ScheduleGroup": ResourceType(_schedule_group, ("Arn",)),
    "AWS::SecretsManager::Secret": ResourceType(_secret, ("Id",)),
    "AWS::CloudWatch::Alarm": ResourceType(_alarm, ("Arn",)),
    "AWS::SNS::Subscription": ResourceType(_subscription, ("Arn",)),
    **{
        kind: ResourceType(_kept_as_declared, ("Id",))
        for kind in (
            "AWS::CloudWatch::CompositeAlarm",
            # moto has a model of it that it cannot create.
            "AWS::CloudWatch::Dashboard",
            "AWS::Events::ApiDestination",
            "AWS::Events::Connection",
            "AWS::Lambda::EventInvokeConfig",
            "AWS::Logs::MetricFilter",
            "AWS::Logs::QueryDefinition",
            "AWS::S3::BucketPolicy",
            "AWS::SNS::TopicPolicy",
            "AWS::SQS::QueuePolicy",
        )
    },
}
