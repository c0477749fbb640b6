"""One DynamoDB table: strongly consistent reads, conditional writes, transactions, and its errors in our words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from repeg.adapters.dynamodb.wire import (
    Action,
    Key,
    Put,
    Row,
    Update,
    expressions,
    put_fields,
    read_row,
    update_fields,
    wire_key,
)
from repeg.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Result = TypeVar("Result")

PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.4)
TRANSACTION_LIMIT = 100
BATCH_READ_LIMIT = 100

_PASSING = frozenset(
    {
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ThrottlingError",
        "ThrottlingException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "InternalServerError",
    }
)


class ConditionFailed(Exception):
    """A single write found another row than its condition asked for; `found` is that row, None where there is none."""

    def __init__(self, found: Row | None) -> None:
        super().__init__("the condition does not hold")
        self.found = found


class TransactionRefused(Exception):
    """Some conditions of a transaction did not hold; `found` has the row (or None) at the place of each that failed."""

    def __init__(self, found: Mapping[int, Row | None]) -> None:
        super().__init__(f"the conditions {sorted(found)} do not hold")
        self.found = dict(found)


class Table:
    """A table of rows with `pk` and `sk`. Every method may raise StoreUnavailable."""

    def __init__(self, client: DynamoDBClient, name: str, pause: Callable[[float], None]) -> None:
        self._client = client
        self._name = name
        self._pause = pause
        # The transactions of one handler share the run's budget row: side by side they would only make conflicts.
        # Reentrant, because several of a simulation's workers may share one thread.
        self._transactions = threading.RLock()

    def read(self, key: Key) -> Row | None:
        """The row, or None."""
        answer = self._call(lambda: self._client.get_item(TableName=self._name, Key=wire_key(key), ConsistentRead=True))
        return read_row(answer["Item"]) if "Item" in answer else None

    def read_all(self, pk: str, prefix: str, attribute: str) -> Iterator[Row]:
        """One attribute of the rows whose sort key begins with `prefix`, in the order of those keys."""
        request: dict[str, Any] = {
            "TableName": self._name,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": {":pk": {"S": pk}, ":prefix": {"S": prefix}},
            "ProjectionExpression": "#attribute",
            "ExpressionAttributeNames": {"#attribute": attribute},
        }
        while True:
            answer = self._call(lambda: self._client.query(**request))
            yield from ({"pk": pk, **read_row(item)} for item in answer["Items"])
            if not answer.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def existing(self, keys: Sequence[Key]) -> set[Key]:
        """Those of the keys that have a row."""
        found: set[Key] = set()
        for start in range(0, len(keys), BATCH_READ_LIMIT):
            found |= self._existing(keys[start : start + BATCH_READ_LIMIT])
        return found

    def put(self, put: Put) -> None:
        """Write one row. Raises ConditionFailed."""
        fields = put_fields(put)
        self._call(lambda: self._client.put_item(TableName=self._name, **fields))

    def update(self, update: Update) -> Row:
        """Change one row; returned as it is afterwards. Raises ConditionFailed."""
        fields = update_fields(update)
        answer = self._call(lambda: self._client.update_item(TableName=self._name, ReturnValues="ALL_NEW", **fields))
        return read_row(answer["Attributes"])

    def transact(self, actions: Sequence[Action]) -> None:
        """All of the actions or none. Raises TransactionRefused.

        It carries no token of ours: for ten minutes the service would answer a second one by the same token as it did
        the first, without a look at the conditions, and a brake pulled in between would not be seen. The SDK makes a
        token for each call, so that only what it repeats within a call, seconds later, is answered so.
        """
        items = [self._wire_action(action) for action in actions]
        self._call(lambda: self._transact(items))

    def _transact(self, items: list[dict[str, Any]]) -> Any:
        with self._transactions:
            return self._client.transact_write_items(TransactItems=items)  # type: ignore[arg-type]

    def _existing(self, keys: Sequence[Key]) -> set[Key]:
        wanted: Any = {self._name: {"Keys": [wire_key(key) for key in keys], "ConsistentRead": True}}
        found: set[Key] = set()
        while wanted:
            answer = self._call(lambda wanted=wanted: self._client.batch_get_item(RequestItems=wanted))  # type: ignore[misc]
            found |= {Key(item["pk"]["S"], item["sk"]["S"]) for item in answer["Responses"].get(self._name, [])}
            wanted = answer.get("UnprocessedKeys")
        return found

    def _wire_action(self, action: Action) -> dict[str, Any]:
        if isinstance(action, Put):
            verb, fields = "Put", put_fields(action)
        elif isinstance(action, Update):
            verb, fields = "Update", update_fields(action)
        else:
            verb, fields = "ConditionCheck", {"Key": wire_key(action.key), **expressions(None, action.condition, {})}
        return {verb: {"TableName": self._name, **fields}}

    def _call(self, request: Callable[[], Result]) -> Result:
        for pause in PAUSES_SECONDS:
            try:
                return request()
            except ClientError as error:
                if not _is_passing(error):
                    raise _translated(error) from None
            except BotoCoreError as error:
                raise StoreUnavailable(f"table {self._name}: {type(error).__name__}") from None
            self._pause(pause)
        raise StoreUnavailable(f"table {self._name}: still busy after {len(PAUSES_SECONDS)} attempts")


def _reasons(error: ClientError) -> list[dict[str, Any]]:
    reasons: list[dict[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return reasons


def _is_passing(error: ClientError) -> bool:
    """Whether the same request may well succeed in a moment."""
    codes = {error.response["Error"].get("Code", ""), *(reason.get("Code", "") for reason in _reasons(error))}
    return not _PASSING.isdisjoint(codes)


def _translated(error: ClientError) -> Exception:
    """A refused condition with the row that refused it; anything else is a table that does not answer."""
    code = error.response["Error"].get("Code", "")
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(_found(error.response))
    failed = {
        place: _found(reason)
        for place, reason in enumerate(_reasons(error))
        if reason.get("Code") == "ConditionalCheckFailed"
    }
    if failed:
        return TransactionRefused(failed)
    return StoreUnavailable(f"{error.operation_name}: {code}: {error.response['Error'].get('Message', '')}")


def _found(holder: Mapping[str, Any]) -> Row | None:
    return read_row(holder["Item"]) if holder.get("Item") else None
