"""Differences of moto's DynamoDB from AWS: transactions copy tables, request tokens are ignored, calls race.

Transactions came with https://github.com/getmoto/moto/pull/2879, which implements neither tokens nor isolation. No
report of the three differences was found; tests/engine/test_moto_dynamodb.py shows each on unmodified moto.
"""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb import models
from moto.dynamodb.exceptions import ERROR_TYPE_PREFIX, DynamodbException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from repeg_workbench.engine.moto_corrections.patches import Patches

TOKEN_LIFE = timedelta(minutes=10)
# moto is not thread-safe: every access to its tables holds this lock.
LOCK = threading.RLock()


def apply(patches: Patches, now: Callable[[], datetime]) -> None:
    """Make all corrections of this module."""
    _serve_one_call_at_a_time(patches)
    _undo_only_what_a_transaction_touched(patches)
    _honour_request_tokens(patches, now)


def _serve_one_call_at_a_time(patches: Patches) -> None:
    def call(self: Any) -> Any:
        with LOCK:
            return original(self)

    original = patches.replace(DynamoHandler, "call_action", call)


def _undo_only_what_a_transaction_touched(patches: Patches) -> None:
    """Restore only the transaction's rows: moto copies whole tables first and replaces them after a failure."""

    def deepcopy(value: Any, memo: Any = None) -> Any:
        return value if isinstance(value, Table) else copy.deepcopy(value, memo)

    def transact(self: Any, transact_items: list[dict[str, Any]]) -> None:
        with _restored_on_failure(_touched(self, transact_items)):
            original(self, transact_items)

    patches.replace(models, "copy", SimpleNamespace(deepcopy=deepcopy, copy=copy.copy))
    original = patches.replace(DynamoDBBackend, "transact_write_items", transact)


@dataclass(frozen=True)
class _Row:
    """A key of a table and the item that was there before the transaction."""

    table: Table
    hash_key: DynamoType
    range_key: DynamoType | None
    item: Any

    def put_back(self) -> None:
        """Restore the item."""
        if self.item is None:
            self.table.delete_item(self.hash_key, self.range_key)
        elif self.range_key is None:
            self.table.items[self.hash_key] = self.item
        else:
            self.table.items[self.hash_key][self.range_key] = self.item


def _touched(backend: Any, transact_items: list[dict[str, Any]]) -> list[_Row]:
    rows = []
    for action in transact_items:
        for request in action.values():
            table = backend.tables.get(request.get("TableName"))
            key = request.get("Key") or request.get("Item")
            if table is not None and key and all(name in key for name in table.table_key_attrs):
                hash_key, range_key = backend.get_keys_value(table, key)
                item = copy.deepcopy(table.get_item(hash_key, range_key) or None)
                rows.append(_Row(table, hash_key, range_key, item))
    return rows


@contextmanager
def _restored_on_failure(rows: list[_Row]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        for row in rows:
            row.put_back()
        raise


def _honour_request_tokens(patches: Patches, now: Callable[[], datetime]) -> None:
    """A transaction repeated with its token within ten minutes succeeds without effect."""
    seen: dict[tuple[str, str, str], tuple[datetime, str]] = {}

    def transact(self: Any) -> Any:
        key = (self.current_account, self.region, self.body.get("ClientRequestToken", ""))
        request = json.dumps(self.body["TransactItems"], sort_keys=True, default=str)
        when, earlier = seen.get(key, (now() - TOKEN_LIFE, ""))
        if when + TOKEN_LIFE <= now():
            answer = original(self)
            if key[2]:
                seen[key] = (now(), request)
            return answer
        if earlier != request:
            kind = ERROR_TYPE_PREFIX + "IdempotentParameterMismatchException"
            raise DynamodbException(kind, "A request with the same token had other parameters.")
        return ActionResult({})

    original = patches.replace(DynamoHandler, "transact_write_items", transact)
