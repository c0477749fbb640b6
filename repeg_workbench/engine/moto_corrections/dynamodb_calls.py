"""Calls of the DynamoDB client that reach moto's handler within the process: no HTTP, no signatures, no endpoint rules.

Speed alone; answers and errors are the same, which tests/engine/test_moto_dynamodb.py compares call by call. Parameters
are completed by botocore as always, and validated by it once for each outline; what is left out only builds an HTTP
request that is not sent.
"""

# ruff: noqa: TID251, SLF001 - the calls that it shortens are made with boto3, which has no other handle
from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

from botocore import parsers
from botocore.client import BaseClient
from botocore.exceptions import ParamValidationError
from botocore.validate import ParamValidator
from moto.core.exceptions import JsonRESTError
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.responses import DynamoHandler

from repeg_workbench.engine.moto_corrections.dynamodb import LOCK
from repeg_workbench.engine.moto_corrections.patches import Patches

# The calls of a running store. All others go over HTTP to moto.
SHORT_CUTS = {
    "GetItem": "get_item",
    "PutItem": "put_item",
    "UpdateItem": "update_item",
    "DeleteItem": "delete_item",
    "Query": "query",
    "Scan": "scan",
    "BatchGetItem": "batch_get_item",
    "BatchWriteItem": "batch_write_item",
    "TransactGetItems": "transact_get_items",
    "TransactWriteItems": "transact_write_items",
}

# How moto's handler calls them, and those that make and remove a table.
_METHODS = {**SHORT_CUTS, "CreateTable": "create_table", "DeleteTable": "delete_table"}

_SCALARS = frozenset({int, float, bool, type(None)})

KEPT_OUTLINES = 10_000

# No text of a call has to be longer, in characters.
LEAST_LENGTH = 3

BeforeCall = Callable[[str], None]

_accepted: set[tuple[str, Any]] = set()


def apply(patches: Patches, before_call: BeforeCall) -> None:
    """Shorten the calls; `before_call` receives the name of every operation of DynamoDB before it runs."""

    def call(self: Any, operation: str, params: dict[str, Any]) -> Any:
        if self.meta.service_model.service_name != "dynamodb":
            return original(self, operation, params)
        body = _body(self, operation, params) if operation in SHORT_CUTS else None
        before_call(operation)
        return original(self, operation, params) if body is None else _answer(self, operation, body)

    original = patches.replace(BaseClient, "_make_api_call", call)


def answer(client: Any, operation: str, params: dict[str, Any]) -> Any:
    """One call of a client that has no service behind it. Raises ClientError as botocore does.

    For operations of a table and its rows, without binary values.
    """
    body = _body(client, operation, params)
    if body is None:
        raise ValueError(f"{operation} with binary values needs botocore")
    return _answer(client, operation, body)


def _body(client: Any, operation: str, params: dict[str, Any]) -> str | None:
    """The request's body as botocore writes it; None if it has binary values, which only botocore encodes.

    Raises ParamValidationError.
    """
    model = client.meta.service_model.operation_model(operation)
    given = client._emit_api_params(api_params=dict(params), operation_model=model, context={})
    _validate(operation, given, model.input_shape)
    try:
        body = json.dumps(given)
    except TypeError:  # bytes
        return None
    return None if '"B":' in body or '"BS":' in body else body


def _answer(client: Any, operation: str, body: str) -> Any:
    """The answer of moto's handler, with the keys that botocore knows. Raises ClientError as botocore does."""
    handler = DynamoHandler()
    handler.current_account, handler.region = DEFAULT_ACCOUNT_ID, client.meta.region_name
    handler.body = handler.params = json.loads(body)
    model = client.meta.service_model.operation_model(operation)
    try:
        with LOCK:
            result = getattr(handler, _METHODS[operation])().result
    except JsonRESTError as error:
        parsed = _error(error, model)
        raise client.exceptions.from_code(parsed["Error"]["Code"])(parsed, operation) from None
    known = model.output_shape.members
    answer = {key: value for key, value in result.items() if value is not None and key in known}
    answer["ResponseMetadata"] = {"HTTPStatusCode": 200, "HTTPHeaders": {}, "RetryAttempts": 0}
    return answer


def _error(error: JsonRESTError, model: Any) -> Any:
    """The error as botocore parses it, with the fields of its error shape."""
    wire = {"status_code": error.code, "headers": {}, "body": error.description.encode()}
    answer = _parser().parse(wire, model.output_shape)
    shape = model.service_model.shape_for_error_code(answer["Error"]["Code"])
    if shape is not None:
        answer.update(_parser().parse(wire, shape))
    return answer


@functools.cache
def _parser() -> Any:
    return parsers.create_parser("json")


def _validate(operation: str, given: dict[str, Any], shape: Any) -> None:
    """Validate parameters as botocore does. Raises ParamValidationError."""
    case = operation, outline(given)
    if case in _accepted:
        return
    errors = ParamValidator().validate(given, shape)
    if errors.has_errors():
        raise ParamValidationError(report=errors.generate_report())
    if len(_accepted) >= KEPT_OUTLINES:
        _accepted.clear()
    _accepted.add(case)


def outline(value: Any) -> Any:
    """All of a parameter that botocore validates: names, types, numbers, lengths of lists, and which texts are short.

    It checks no greatest length and no pattern of a text.
    """
    kind = type(value)
    if kind is str:
        return min(len(value), LEAST_LENGTH)
    if kind is dict:
        return tuple([(name, outline(item)) for name, item in value.items()])
    if kind is list:
        return kind, tuple([outline(item) for item in value])
    return (kind, value) if kind in _SCALARS else object()  # equal to nothing, so it is validated each time
