"""The deployed stack: its parameters, its outputs and its resources, as CloudFormation knows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError  # noqa: TID251

from repeg.adapters.dynamodb.store import DynamoStore
from repeg_workbench.operate.failures import CannotOperate, code_of
from repeg_workbench.operate.samconfig import default_name
from repeg_workbench.operate.workstation import Workstation

TABLE, MACHINE, SECRET = "RunTableName", "ExecutePlanArn", "BrokerSecretArn"
ALIAS = "current"


@dataclass(frozen=True)
class DeployedStack:
    """A stack of repeg in one region."""

    at: Workstation
    name: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def mode(self) -> str:
        """`paper` or `live`."""
        return self.parameters.get("TradingMode", "paper")

    @property
    def title(self) -> str:
        """The stack's name and mode, for every message."""
        return f"{self.name} ({'LIVE' if self.mode == 'live' else self.mode})"

    @property
    def machine(self) -> str:
        """The state machine's ARN."""
        return self.outputs[MACHINE]

    @cached_property
    def store(self) -> DynamoStore:
        """The stack's table."""
        return self.at.store(self.outputs[TABLE])

    @cached_property
    def resources(self) -> dict[str, str]:
        """Physical ids by logical id."""
        pages = self.at.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.name)
        listed = [one for page in pages for one in page["StackResourceSummaries"]]
        return {
            one["LogicalResourceId"]: one.get("PhysicalResourceId", "") for one in listed if one.get("ResourceType")
        }

    def resource(self, logical_id: str) -> str:
        """The physical id of a resource. Raises CannotOperate if the stack lacks it."""
        if not self.resources.get(logical_id):
            raise CannotOperate(f"stack {self.name} has no {logical_id}: it is of an older release; deploy this one")
        return self.resources[logical_id]

    def invoke(self, function: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Call a function and return its answer. Raises FunctionFailed with the function's own words."""
        answer = self.at.client("lambda").invoke(
            FunctionName=self.resource(function), Qualifier=ALIAS, Payload=json.dumps(payload).encode()
        )
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise FunctionFailed(said.get("errorType", ""), said.get("errorMessage", ""))
        return said


class FunctionFailed(CannotOperate):
    """A function of the stack has failed: its error's name, and its message."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(" ".join((message or kind).split()))


def find_stack(at: Workstation, name: str | None) -> DeployedStack:
    """The stack of that name, or the one in samconfig.toml. Raises CannotOperate saying what to do."""
    name = name or default_name(Path.cwd())
    try:
        (described,) = at.client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if code_of(error) == "ValidationError":
            raise CannotOperate(_missing(at, name)) from None
        raise
    stack = _read(at, described)
    if TABLE not in stack.outputs or MACHINE not in stack.outputs:
        raise CannotOperate(_not_ours(stack))
    return stack


def only_stack(at: Workstation, name: str | None) -> DeployedStack:
    """The stack of that name; without a name the one in samconfig.toml, if no other stack of repeg is in the region.

    Who stops the paper stack must not believe that the live one has stopped. Raises CannotOperate saying what to do.
    """
    found = find_stack(at, name)
    others = _others(at, found) if name is None else []
    if others:
        known = ", ".join(sorted([found.name, *others]))
        raise CannotOperate(f"nothing was done: {at.region} has several stacks of repeg ({known}); give --stack NAME")
    return found


def _others(at: Workstation, found: DeployedStack) -> list[str]:
    """The names of the region's other stacks of repeg; none where these keys may not list stacks."""
    try:
        return [stack.name for stack in all_stacks(at) if stack.name != found.name]
    except ClientError as error:
        if "AccessDenied" in code_of(error):
            return []
        raise


def all_stacks(at: Workstation) -> list[DeployedStack]:
    """Every stack of repeg in the account and the region, by name."""
    pages = at.client("cloudformation").get_paginator("describe_stacks").paginate()
    found = [_read(at, described) for page in pages for described in page["Stacks"]]
    return sorted(
        (stack for stack in found if {TABLE, MACHINE, SECRET} <= set(stack.outputs)), key=lambda stack: stack.name
    )


def _read(at: Workstation, described: Mapping[str, Any]) -> DeployedStack:
    return DeployedStack(
        at=at,
        name=described["StackName"],
        status=described["StackStatus"],
        parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in described.get("Parameters", [])},
        outputs={one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])},
    )


def _missing(at: Workstation, name: str) -> str:
    others = ""
    with suppress(ClientError, BotoCoreError):  # the list is only a hint
        others = ", ".join(stack.name for stack in all_stacks(at))
    known = f"there, repeg's stacks are {others}" if others else "no stack of repeg is there"
    return f"no stack {name} in {at.region} ({known}): give --stack NAME, or set AWS_DEFAULT_REGION to its region"


def _not_ours(stack: DeployedStack) -> str:
    if stack.status != "CREATE_COMPLETE" and "IN_PROGRESS" in stack.status:
        return f"stack {stack.name} is {stack.status}: wait until it is deployed"
    return f"stack {stack.name} ({stack.status}) is no stack of repeg: it has no output {TABLE}; give --stack NAME"
