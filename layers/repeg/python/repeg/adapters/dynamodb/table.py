"""One DynamoDB table: strongly consistent reads, conditional writes, transactions, retries of transient errors."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from repeg.adapters.dynamodb.encoding import (
    Action,
    Key,
    Put,
    Row,
    Update,
    decode_row,
    encode_check,
    encode_key,
    encode_put,
    encode_update,
)
from repeg.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Result = TypeVar("Result")

RETRY_PAUSES_SECONDS = (0.05, 0.1, 0.2, 0.4)
TRANSACTION_LIMIT = 100
BATCH_READ_LIMIT = 100

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
_TRANSIENT = frozenset(
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
    """The condition of a single write failed; `found` is the existing row, or None."""

    def __init__(self, found: Row | None) -> None:
        super().__init__("the condition failed")
        self.found = found


class TransactionRefused(Exception):
    """Conditions of a transaction failed; `found` maps the index of each failed action to the existing row, or None."""

    def __init__(self, found: Mapping[int, Row | None]) -> None:
        super().__init__(f"the conditions {sorted(found)} failed")
        self.found = dict(found)


class Table:
    """A table with the string keys `pk` and `sk`. Every method may raise StoreUnavailable."""

    def __init__(self, client: DynamoDBClient, name: str, pause: Callable[[float], None]) -> None:
        self._client = client
        self._name = name
        self._pause = pause
        # The transactions of one handler write to the same budget row: run concurrently, they would conflict.
        # Reentrant, because several workers of a simulation may share one thread.
        self._transactions = threading.RLock()

    def read(self, key: Key) -> Row | None:
        """The row, or None."""
        answer = self._call(
            lambda: self._client.get_item(TableName=self._name, Key=encode_key(key), ConsistentRead=True)
        )
        return decode_row(answer["Item"]) if "Item" in answer else None

    def read_all(self, pk: str, prefix: str, attribute: str) -> Iterator[Row]:
        """The sort key and one attribute of every row whose sort key begins with `prefix`, in their order, over all
        pages."""
        names = dict.fromkeys(("sk", attribute))
        request: dict[str, Any] = {
            "TableName": self._name,
            "ConsistentRead": True,
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": {":pk": {"S": pk}, ":prefix": {"S": prefix}},
            "ProjectionExpression": ", ".join(f"#{name}" for name in names),
            "ExpressionAttributeNames": {f"#{name}": name for name in names},
        }
        while True:
            answer = self._call(lambda: self._client.query(**request))
            yield from ({"pk": pk, **decode_row(item)} for item in answer["Items"])
            if not answer.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def existing(self, keys: Sequence[Key]) -> set[Key]:
        """The keys that have a row."""
        found: set[Key] = set()
        for start in range(0, len(keys), BATCH_READ_LIMIT):
            found |= self._existing(keys[start : start + BATCH_READ_LIMIT])
        return found

    def put(self, put: Put) -> None:
        """Write one row. Raises ConditionFailed."""
        fields = encode_put(put)
        self._call(lambda: self._client.put_item(TableName=self._name, **fields))

    def update(self, update: Update) -> Row:
        """Change one row and return it as changed. Raises ConditionFailed."""
        fields = encode_update(update)
        answer = self._call(lambda: self._client.update_item(TableName=self._name, ReturnValues="ALL_NEW", **fields))
        return decode_row(answer["Attributes"])

    def transact(self, actions: Sequence[Action]) -> None:
        """Apply all of the actions or none. Raises TransactionRefused.

        The SDK generates an idempotency token for each call, which covers its own retries. Our retries must not reuse a
        token: for ten minutes DynamoDB answers it with the first result, without checking the conditions again, so that
        a kill switch set in between would be missed.
        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
        """
        items = [self._encode_action(action) for action in actions]
        self._call(lambda: self._transact(items))

    def _transact(self, items: list[dict[str, Any]]) -> Any:
        with self._transactions:
            return self._client.transact_write_items(TransactItems=items)  # type: ignore[arg-type]

    def _existing(self, keys: Sequence[Key]) -> set[Key]:
        wanted: Any = {self._name: {"Keys": [encode_key(key) for key in keys], "ConsistentRead": True}}
        found: set[Key] = set()
        while wanted:
            answer = self._call(lambda wanted=wanted: self._client.batch_get_item(RequestItems=wanted))  # type: ignore[misc]
            found |= {Key(item["pk"]["S"], item["sk"]["S"]) for item in answer["Responses"].get(self._name, [])}
            wanted = answer.get("UnprocessedKeys")
        return found

    def _encode_action(self, action: Action) -> dict[str, Any]:
        if isinstance(action, Put):
            verb, fields = "Put", encode_put(action)
        elif isinstance(action, Update):
            verb, fields = "Update", encode_update(action)
        else:
            verb, fields = "ConditionCheck", encode_check(action)
        return {verb: {"TableName": self._name, **fields}}

    def _call(self, request: Callable[[], Result]) -> Result:
        for pause in RETRY_PAUSES_SECONDS:
            try:
                return request()
            except ClientError as error:
                if not _is_transient(error):
                    raise _translated(error) from None
            except BotoCoreError as error:
                raise StoreUnavailable(f"table {self._name}: {type(error).__name__}") from None
            self._pause(pause)
        raise StoreUnavailable(f"table {self._name}: still busy after {len(RETRY_PAUSES_SECONDS)} attempts")


def _reasons(error: ClientError) -> list[dict[str, Any]]:
    reasons: list[dict[str, Any]] = error.response.get("CancellationReasons", [])  # type: ignore[assignment]
    return reasons


def _is_transient(error: ClientError) -> bool:
    """Whether a retry of the same request may succeed."""
    codes = {error.response["Error"].get("Code", ""), *(reason.get("Code", "") for reason in _reasons(error))}
    return not _TRANSIENT.isdisjoint(codes)


def _translated(error: ClientError) -> Exception:
    """ConditionFailed or TransactionRefused with the existing rows; StoreUnavailable for any other error."""
    code = error.response["Error"].get("Code", "")
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(_found(error.response))
    failed = {
        index: _found(reason)
        for index, reason in enumerate(_reasons(error))
        if reason.get("Code") == "ConditionalCheckFailed"
    }
    if failed:
        return TransactionRefused(failed)
    return StoreUnavailable(f"{error.operation_name}: {code}: {error.response['Error'].get('Message', '')}")


def _found(holder: Mapping[str, Any]) -> Row | None:
    return decode_row(holder["Item"]) if holder.get("Item") else None
