"""The data of a walked state machine: reference paths, payload templates, ResultPath and Choice rules."""

from __future__ import annotations

import copy
import fnmatch
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

Json = dict[str, Any]


class UnsupportedDefinition(ValueError):
    """The definition uses a feature that the walker does not implement."""


def matches_error(names: list[str], error: str) -> bool:
    """Whether a retrier or catcher with these names applies to the error."""
    return error in names or "States.ALL" in names


def read_path(path: str, data: Any) -> Any:
    """The value at a reference path such as `$.turn.turns`. Raises UnsupportedDefinition if it is missing."""
    found = data
    for part in path.split(".")[1:]:
        if not isinstance(found, Mapping) or part not in found:
            raise UnsupportedDefinition(f"{path} is missing from the data")
        found = found[part]
    return found


def fill_template(template: Any, data: Any, context: Json) -> Any:
    """A payload template with its `.$` fields resolved."""
    if isinstance(template, list):
        return [fill_template(item, data, context) for item in template]
    if not isinstance(template, Mapping):
        return template
    filled = {}
    for key, value in template.items():
        if key.endswith(".$"):
            filled[key[:-2]] = copy.deepcopy(_expression(value, data, context))
        else:
            filled[key] = fill_template(value, data, context)
    return filled


def _expression(text: str, data: Any, context: Json) -> Any:
    if text.startswith("States."):
        name, _, rest = text.partition("(")
        arguments = [a.strip() for a in rest.removesuffix(")").split(",")]
        values = [a.strip("'") if a.startswith("'") else _expression(a, data, context) for a in arguments]
        if name == "States.Format":
            return values[0].format(*values[1:])
        if name == "States.StringToJson":
            return json.loads(values[0])
        raise UnsupportedDefinition(f"intrinsic {name}")
    return read_path(text[1:], context) if text.startswith("$$") else read_path(text, data)


def place_result(state: Json, data: Any, result: Any) -> Any:
    """The state's output: ResultPath replaces the whole input, discards the result, or sets one field."""
    path = state.get("ResultPath", "$")
    if path is None:
        return data
    if path == "$":
        return result
    after = dict(data)
    after[path.removeprefix("$.")] = result
    return after


def choose_next(state: Json, data: Any) -> str:
    """The next state of a Choice."""
    for choice in state["Choices"]:
        if _holds(choice, data):
            return str(choice["Next"])
    return str(state["Default"])


def _holds(rule: Json, data: Any) -> bool:
    if "And" in rule:
        return all(_holds(part, data) for part in rule["And"])
    try:
        value = read_path(rule["Variable"], data)
    except UnsupportedDefinition:
        if "IsPresent" in rule:
            return not rule["IsPresent"]
        raise
    if "IsPresent" in rule:
        return bool(rule["IsPresent"])
    if "StringEquals" in rule:
        return bool(value == rule["StringEquals"])
    if "StringMatches" in rule:
        return isinstance(value, str) and fnmatch.fnmatchcase(value, rule["StringMatches"].replace("[", "[[]"))
    raise UnsupportedDefinition(f"rule {sorted(rule)}")


def read_value(state: Json, name: str, data: Any) -> str:
    """A field of a Fail state, given literally or by path."""
    return str(read_path(state[f"{name}Path"], data)) if f"{name}Path" in state else str(state.get(name, ""))


def parse_instant(text: str) -> datetime:
    """A timestamp of the definition or of its data."""
    return datetime.fromisoformat(text)
