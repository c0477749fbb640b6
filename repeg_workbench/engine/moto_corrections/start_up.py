"""A faster import of moto and botocore: unneeded services are left out, and botocore's files are read once.

moto's CloudFormation imports every service that it can deploy, because it finds its resource types among the loaded
classes, and the interpreter imports all of Batch for one of its constants. Most of that time goes into services that a
serverless stack does not have, above all EC2. They are imported only for a template that declares one of their types.
Observed with the pinned version (`python -X importtime`); no upstream report was found.
"""

# ruff: noqa: TID251, SLF001 - it changes how botocore finds and reads its files
from __future__ import annotations

import functools
import importlib
import json
import sys
from collections.abc import Collection, Iterator
from importlib.metadata import distribution
from pathlib import Path
from types import ModuleType
from typing import Any

from botocore import session
from botocore.exceptions import DataNotFoundError
from botocore.loaders import JSONFileLoader, Loader

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
    _read_descriptions_once()
    names = [f"moto.{name}{part}" for name in LEFT_OUT for part in ("", ".models")]
    with in_place_of({name: _Empty(name) for name in names}):
        parsing = importlib.import_module(CLOUDFORMATION)
        importlib.import_module(INTERPRETER)
    _share_descriptions()
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


def _read_descriptions_once() -> None:
    """Read each service description once in the process, into plain dicts; and look one up instead of listing all."""
    # Without the cache each session reads and parses the same service descriptions again.
    session.create_loader = functools.cache(session.create_loader)
    listed: Any = Loader.list_available_services
    loader: Any = Loader
    loader.list_available_services = lambda self, type_name: _Services(self, type_name, listed)

    def load(self: Any, full_path: str, open_method: Any) -> Any:
        del self
        if not Path(full_path).is_file():
            return None
        with open_method(full_path, "rb") as file:
            return json.loads(file.read())

    reader: Any = JSONFileLoader
    reader._load_file = load


def _share_descriptions() -> None:
    """Let moto read descriptions with boto3's loader, except those to which moto adds something of its own."""

    def load(service: str, model: str) -> Any:
        if any(MOTO.joinpath(service.replace("-", "")).glob(f"*/{model}.moto-extras.json*")):
            return original(service, model)
        return session.create_loader(None).load_service_model(service, model)

    utils: Any = importlib.import_module("moto.core.utils")
    utils.create_loader = functools.cache(utils.create_loader)
    original = utils._load_service_model
    utils._load_service_model = load


class _Services(Collection[str]):
    """The services of a loader that have a description of this type. botocore looks for the files of all of them to
    find one."""

    def __init__(self, loader: Any, type_name: str, listed: Any) -> None:
        self._loader, self._type, self._listed = loader, type_name, listed

    def __contains__(self, name: object) -> bool:
        try:
            return bool(self._loader.list_api_versions(name, self._type))
        except DataNotFoundError:
            return False

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed(self._loader, self._type))

    def __len__(self) -> int:
        return len(self._listed(self._loader, self._type))


class _Empty(ModuleType):
    """A package that has not been executed: each of its names is an empty class. Its submodules can be imported."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__path__ = [str(MOTO.joinpath(*name.split(".")[1:]))]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return sys.modules.get(f"{self.__name__}.{name}") or type(name, (), {})
