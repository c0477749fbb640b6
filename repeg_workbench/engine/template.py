"""Packages a SAM template: local paths become objects in a bucket, then SAM is translated to CloudFormation."""

# ruff: noqa: TID251 - SAM translates for the region that the environment names
from __future__ import annotations

import hashlib
import importlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from samtranslator.yaml_helper import intrinsics_multi_constructor

from repeg_workbench.engine.kept import kept
from repeg_workbench.engine.moto_corrections.resources import DeploymentError

BUCKET = "artefacts"
LOCAL_PATHS = {
    "AWS::Serverless::Function": "CodeUri",
    "AWS::Serverless::LayerVersion": "ContentUri",
    "AWS::Serverless::StateMachine": "DefinitionUri",
}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # a base chosen at run time
    """Reads short forms such as !Ref as samtranslator does, but ten times faster if libyaml is installed."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


def deployed_default(path: Path, parameter: str) -> str:
    """The default of a template's parameter."""
    template = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe one
    return str(template["Parameters"][parameter]["Default"])


@dataclass(frozen=True)
class Package:
    """A translated template, its objects in the bucket, and each object's source folder or file."""

    template: dict[str, Any]
    objects: dict[str, bytes]
    sources: dict[str, Path]

    @property
    def layers(self) -> list[Path]:
        """The folders of a deployed function's /opt/python."""
        keys = [
            declared["Properties"]["Content"]["S3Key"]
            for declared in self.template["Resources"].values()
            if declared["Type"] == "AWS::Lambda::LayerVersion"
        ]
        return [_python_folder(self.sources[key]) for key in keys]


def package(path: Path, parameters: dict[str, str]) -> Package:
    """Read a SAM template, package its local files, and translate it. Raises DeploymentError."""
    template = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a safe one
    _check_parameters(template, parameters)
    objects: dict[str, bytes] = {}
    sources: dict[str, Path] = {}
    for properties, name in _local_paths(template):
        source = path.parent / properties[name]
        if not source.exists():
            raise DeploymentError(f"{name}: no file or folder {properties[name]} beside the template")
        content = _content(source)
        key = f"{hashlib.sha256(content).hexdigest()}/{source.name}"
        objects[key], sources[key] = content, source
        properties[name] = f"s3://{BUCKET}/{key}"
    return Package(_translate(template, parameters), objects, sources)


def _check_parameters(template: dict[str, Any], parameters: dict[str, str]) -> None:
    declared = template.get("Parameters", {})
    for name, value in parameters.items():
        if name not in declared:
            raise DeploymentError(f"the template has no parameter {name}")
        _check_value(name, value, declared[name])


def _check_value(name: str, value: str, rule: dict[str, Any]) -> None:
    """Check a parameter's value as CloudFormation does; moto does not."""
    allowed = [str(choice) for choice in rule.get("AllowedValues", [value])]
    if value not in allowed:
        raise DeploymentError(f"{name} is {value}, not one of {', '.join(allowed)}")
    if not re.search(rule.get("AllowedPattern", ""), value):
        raise DeploymentError(f"{name} is {value}, which does not match {rule['AllowedPattern']}")
    if rule["Type"] == "Number" and not _within(value, rule.get("MinValue"), rule.get("MaxValue")):
        raise DeploymentError(f"{name} is {value}, not between {rule.get('MinValue')} and {rule.get('MaxValue')}")


def _within(value: str, low: Any, high: Any) -> bool:
    try:
        number = Decimal(value)
    except InvalidOperation:
        return False
    return (low is None or number >= Decimal(str(low))) and (high is None or number <= Decimal(str(high)))


def _local_paths(template: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The mappings and property names that hold a local path."""
    everywhere = template.get("Globals", {}).get("Function", {})
    if isinstance(everywhere.get("CodeUri"), str):
        yield everywhere, "CodeUri"
    for declared in template["Resources"].values():
        name = LOCAL_PATHS.get(declared["Type"])
        properties = declared.get("Properties", {})
        if name and isinstance(properties.get(name), str) and not properties[name].startswith("s3://"):
            yield properties, name


def _content(source: Path) -> bytes:
    """A file's bytes; for a folder, the list of its files and their digests, which identifies its content."""
    if source.is_file():
        return source.read_bytes()
    files = sorted(file for file in source.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    lines = [
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(source).as_posix()}" for file in files
    ]
    return "\n".join([source.as_posix().rsplit("/", 1)[-1], *lines]).encode()


def _python_folder(layer: Path) -> Path:
    return layer / "python" if (layer / "python").is_dir() else layer


def _translate(template: dict[str, Any], parameters: dict[str, str]) -> dict[str, Any]:
    """The template as CloudFormation's JSON. SAM is imported only for one that has not been translated before."""
    defaults = {
        name: declared["Default"] for name, declared in template.get("Parameters", {}).items() if "Default" in declared
    }
    values = {**defaults, **parameters}
    texts = [json.dumps(part, default=str) for part in (template, values)]
    basis = [*texts, version("aws-sam-translator"), os.environ.get("AWS_DEFAULT_REGION", "")]

    def make() -> Any:
        return importlib.import_module("repeg_workbench.engine.sam").translated(template, values)

    translated: dict[str, Any] = kept("template", basis, make)
    return translated
