"""Deploys a packaged template: uploads its objects and creates its stack; fails on any resource it cannot create."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from repeg_workbench.engine.invocation import Function
from repeg_workbench.engine.moto_corrections import cloudformation as corrected
from repeg_workbench.engine.moto_corrections import functions
from repeg_workbench.engine.moto_corrections.resources import DeploymentError
from repeg_workbench.engine.template import BUCKET, Package, package

STACK = "repeg"
STATE_MACHINE = "AWS::StepFunctions::StateMachine"


@dataclass(frozen=True)
class Stack:
    """A deployed stack: its resources by logical id, its outputs, and its code's folders."""

    resources: dict[str, tuple[str, str]]
    outputs: dict[str, str]
    package: Package
    region: str

    @property
    def layers(self) -> list[Path]:
        """The folders of /opt/python."""
        return self.package.layers

    def physical_id(self, logical_id: str) -> str:
        """The value of Ref for a resource."""
        if logical_id not in self.resources:
            raise KeyError(f"the stack has no resource {logical_id}")
        return self.resources[logical_id][1]

    def only(self, kind: str, logical_id: str | None = None) -> str:
        """The physical id of a resource of that type; the logical id may be omitted if there is only one."""
        if logical_id is not None:
            return self.physical_id(logical_id)
        found = [physical for type_name, physical in self.resources.values() if type_name == kind]
        if len(found) != 1:
            raise LookupError(f"the stack has {len(found)} resources of type {kind}: give a logical id")
        return found[0]

    def machine(self, logical_id: str | None = None) -> str:
        """The ARN of a state machine; the logical id may be omitted if there is only one."""
        return self.only(STATE_MACHINE, logical_id)

    def function(self, name: str) -> Function:
        """The function with that name or ARN."""
        return functions.deployed(functions.backend(self.region), name, None, self.source)

    def source(self, key: str) -> Path:
        """The source folder of an object in the bucket."""
        return self.package.sources[key]


def deploy(path: Path, parameters: dict[str, str], client: Callable[[str], Any]) -> Stack:
    """Deploy a SAM template and its local files. Raises DeploymentError."""
    packaged = package(path, parameters)
    unknown = corrected.unknown_types(packaged.template)
    if unknown:
        raise DeploymentError(f"unsupported resource types: {', '.join(unknown)}")
    _upload(packaged, client("s3"))
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(packaged.template, default=str),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise DeploymentError(f"the stack is {stack['StackStatus']}: {stack.get('StackStatusReason', 'no reason')}")
    listed = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    made = [one for one in listed if "LogicalResourceId" in one]  # moto lists what a condition has left out, nameless
    return Stack(
        resources={one["LogicalResourceId"]: (one["ResourceType"], one.get("PhysicalResourceId", "")) for one in made},
        outputs={output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        package=packaged,
        region=cloudformation.meta.region_name,
    )


def _upload(packaged: Package, s3: Any) -> None:
    s3.create_bucket(Bucket=BUCKET)
    for key, content in packaged.objects.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
