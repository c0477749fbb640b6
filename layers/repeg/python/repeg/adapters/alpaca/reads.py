"""Reads of a resource: an answer as a value, or the exception that says why there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote as url_quote

from repeg.adapters.alpaca import errors, parsing
from repeg.adapters.alpaca.http import Answer, Api, Failure

Read = TypeVar("Read")


def read(api: Api, path: str, parse: Callable[[Any], Read], **params: object) -> Read:
    """The resource. Raises BrokerUnavailable or BrokerDenied."""
    return value(path, api.get(path, params), parse)


def find(api: Api, path: str, parse: Callable[[Any], Read], **params: object) -> Read | None:
    """The resource, or None if the broker itself says that there is none. Raises like `read`."""
    answer = api.get(path, params)
    if isinstance(answer, Failure) and errors.is_absent(answer):
        return None
    return value(path, answer, parse)


def value(path: str, answer: Answer, parse: Callable[[Any], Read]) -> Read:
    """The value of an answer. Raises like `read`."""
    if isinstance(answer, Failure):
        raise errors.unreadable(path, answer)
    with parsing.reading(path):
        return parse(answer.value)


def rows(found: Any) -> list[parsing.Json]:
    """A list of JSON objects. Raises TypeError for anything else."""
    if not isinstance(found, list):
        raise TypeError("the answer is not a list")
    return found


def path_segment(text: str) -> str:
    """Text as one segment of a path."""
    return url_quote(text, safe="")
