"""A faster import of moto and botocore: unneeded services are left out, and botocore's files are read once.

moto's CloudFormation imports every service that it can deploy, because it finds its resource types among the loaded
classes, and the interpreter imports all of Batch for one of its constants. Most of that time goes into services that a
serverless stack does not have, above all EC2. They are imported only for a template that declares one of their types.
Observed with the pinned version (`python -X importtime`); no upstream report was found.
"""

# ruff: noqa: TID251 - it changes how botocore finds its files
from __future__ import annotations

import functools
import importlib
import sys
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType
from typing import Any

from botocore import session

from repeg_workbench.engine.placeholders import in_place_of

CLOUDFORMATION = "moto.cloudformation.parsing"
INTERPRETER = "moto.stepfunctions.parser.asl.parse.preprocessor"
LEFT_OUT = (
    "apigateway",
    "autoscaling",
    "batch",
    "datapipeline",
    "ec2",
    "ecs",
    "efs",
    "elb",
    "elbv2",
    "emr",
    "iot",
    "rds",
    "redshift",
    "route53",
    "sagemaker",
    "ssm",
)


MOTO = Path(distribution("moto").locate_file("moto"))  # type: ignore[arg-type]

_lists_of_types: list[Any] = []


def apply() -> None:
    """Cache botocore's files and import moto's CloudFormation; no effect if it is already imported."""
    if CLOUDFORMATION in sys.modules:
        return
    # Without the cache each session reads and parses the same service descriptions again.
    session.create_loader = functools.cache(session.create_loader)
    names = [f"moto.{name}{part}" for name in LEFT_OUT for part in ("", ".models")]
    with in_place_of({name: _Empty(name) for name in names}):
        parsing = importlib.import_module(CLOUDFORMATION)
        importlib.import_module(INTERPRETER)
    _lists_of_types.extend([parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map])


def complete() -> None:
    """Import the services left out, so that CloudFormation supports all of its types."""
    if not _lists_of_types:
        return  # another module had imported it whole
    parsing: Any = sys.modules[CLOUDFORMATION]
    for name in LEFT_OUT:
        importlib.import_module(f"moto.{name}.models")
    for cached in _lists_of_types:
        cached.cache_clear()
    parsing.ec2_models = importlib.import_module("moto.ec2.models")
    parsing.ssm_backends = importlib.import_module("moto.ssm").ssm_backends


class _Empty(ModuleType):
    """A package that has not been executed: each of its names is an empty class. Its submodules can be imported."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = [str(MOTO.joinpath(*name.split(".")[1:]))]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return sys.modules.get(f"{self.__name__}.{name}") or type(name, (), {})
