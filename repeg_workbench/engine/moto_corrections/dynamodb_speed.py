"""Shortcuts for moto's DynamoDB: cached sizes, queries that read one partition, and those of the other modules.

Speed alone; answers are the same, which tests/engine/test_moto_dynamodb.py compares call by call. moto made the copy of
query results cheaper in https://github.com/getmoto/moto/pull/9670; no report of the rest was found.
"""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

from moto.dynamodb.models import DynamoDBBackend, dynamo_type
from moto.dynamodb.models import table as table_module
from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.models.table import Table

from repeg_workbench.engine.moto_corrections import (
    dynamodb_calls,
    dynamodb_expressions,
    dynamodb_items,
    dynamodb_updates,
)
from repeg_workbench.engine.moto_corrections.dynamodb_calls import BeforeCall
from repeg_workbench.engine.moto_corrections.patches import Patches

# The parameters of a query that have names of their own; moto takes any other for an attribute to filter by.
_NAMED = frozenset(
    {
        "exclusive_start_key",
        "scan_index_forward",
        "projection_expressions",
        "index_name",
        "consistent_read",
        "filter_expression",
        "hash_key_conditions",
        "range_key_conditions",
    }
)


def apply(patches: Patches, before_call: BeforeCall) -> None:
    """Make all changes of this module; `before_call` receives the name of every operation before it runs."""
    dynamodb_expressions.apply(patches)
    dynamodb_items.apply(patches)
    dynamodb_updates.apply(patches)
    _take_texts_as_they_are(patches)
    _keep_sizes(patches)
    _read_one_partition(patches)
    _project_by_name(patches)
    dynamodb_calls.apply(patches, before_call)


def _take_texts_as_they_are(patches: Patches) -> None:
    """Strings need no cast for a comparison, and an ASCII string has as many bytes as characters."""

    def cast(self: Any) -> Any:
        return self.value if self.type == "S" else original.fget(self)

    def size(text: str | bytes) -> int:
        return len(text) if isinstance(text, bytes) or text.isascii() else len(text.encode())

    original = patches.replace(DynamoType, "cast_value", property(cast))
    patches.replace(dynamo_type, "bytesize", size)


def _project_by_name(patches: Patches) -> None:
    """Project whole attributes directly; only paths into attributes need moto's own projection."""

    def project(self: Any, projection_expressions: list[list[str]]) -> Any:
        if any(len(path) > 1 or path[0].endswith("]") for path in projection_expressions):
            return original(self, projection_expressions)
        part, attrs = object.__new__(Item), self.attrs
        part.hash_key, part.range_key, part.attrs = self.hash_key, self.range_key, LimitedSizeDict()
        # Skips the size check: the whole item has passed it.
        dict.update(part.attrs, {name: attrs[name] for (name,) in projection_expressions if name in attrs})
        return part

    original = patches.replace(Item, "project", project)


def _keep_sizes(patches: Patches) -> None:
    """Measure an item again only after an update; a put makes a new item."""

    def size(self: Any) -> int:
        known: int | None = self.__dict__.get("measured")
        if known is None:
            known = self.measured = measure(self)
        return known

    def update(self: Any, *args: Any, **kwargs: Any) -> Any:
        item = change(self, *args, **kwargs)
        item.__dict__.pop("measured", None)
        return item

    measure = patches.replace(Item, "size", size)
    change = patches.replace(DynamoDBBackend, "update_item", update)


def _read_one_partition(patches: Patches) -> None:
    """A query reads its own partition instead of the whole table, and copies rows once instead of twice."""

    def query(self: Any, hash_key: Any, comparison: Any, values: Any, limit: Any, *args: Any, **kwargs: Any) -> Any:
        # args: exclusive_start_key, scan_index_forward, projection_expressions, index_name …
        index_name = kwargs.get("index_name") or (args[3] if len(args) > 3 else None)
        # With a limit, whether a page is the last also depends on rows outside the query.
        if index_name or limit or hash_key is None or not self.has_range_key:
            return original(self, hash_key, comparison, values, limit, *args, **kwargs)
        rows = self.items.get(hash_key, {})
        part = copy.copy(self)
        part.all_items = lambda: _rows(rows, comparison, values)  # sorted later
        if _NAMED.issuperset(kwargs):  # no filter of the old form: the condition that the rows have met does no more
            return original(part, hash_key, None, [], limit, *args, **kwargs)
        return original(part, hash_key, comparison, values, limit, *args, **kwargs)

    def deepcopy(value: Any, memo: Any = None) -> Any:
        is_result = isinstance(value, list) and value and isinstance(value[0], Item)
        return list(value) if is_result else copy.deepcopy(value, memo)

    original = patches.replace(Table, "query", query)
    patches.replace(table_module, "copy", SimpleNamespace(copy=copy.copy, deepcopy=deepcopy))


def _rows(rows: Any, comparison: str | None, values: list[Any]) -> list[Any]:
    """The rows whose key meets the condition."""
    if comparison is None:
        return list(rows.values())
    if comparison == "BEGINS_WITH" and values[0].type == "S":
        start = values[0].value
        return [row for key, row in rows.items() if key.type == "S" and key.value.startswith(start)]
    return [row for key, row in rows.items() if key.compare(comparison, values)]
