"""A table on moto behind a client that records requests, loses answers and fails on demand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from botocore.exceptions import ClientError, ReadTimeoutError  # noqa: TID251 - what a table raises

from repeg.adapters.dynamodb.encoding import Key
from repeg.adapters.dynamodb.store import DynamoStore
from repeg.domain.parent_order import ParentOrder
from tests.contracts.tables import TABLE, a_client, create_table
from tests.contracts.words import RUN_ID, a_budget, a_run, an_intent, an_order, with_intent

BUSY = ("TransactionCanceledException", "TransactionConflict")


class RecordingClient:
    """A DynamoDB client that records its requests and fails on demand.

    The next calls raise each error in `before` and `after` once, before or after the request is applied. Operations in
    `down` always time out unapplied; operations in `lost` are applied and their answers time out.
    """

    def __init__(self, client: Any) -> None:
        self.client = client
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.down: set[str] = set()
        self.lost: set[str] = set()
        self.races: dict[str, Callable[[], object]] = {}

    def __getattr__(self, operation: str) -> Any:
        return partial(self._call, operation)

    def made(self, operation: str) -> list[dict[str, Any]]:
        """The requests of one operation."""
        return [request for name, request in self.calls if name == operation]

    def first(self, operation: str, race: Callable[[], object]) -> None:
        """Run a concurrent action right after the operation's next answer."""
        self.races[operation] = race

    def _call(self, operation: str, **request: Any) -> Any:
        self.calls.append((operation, request))
        if self.before or operation in self.down:
            raise self.before.pop(0) if self.before else timeout()
        answer = getattr(self.client, operation)(**request)
        self.races.pop(operation, _no_race)()
        if self.after or operation in self.lost:
            raise self.after.pop(0) if self.after else timeout()
        return answer


class Table:
    """A store that holds a run with one order, its client, and the pauses it made."""

    def __init__(self) -> None:
        self.wire = RecordingClient(a_client())
        self.pauses: list[float] = []
        self.store = DynamoStore(cast("Any", self.wire), TABLE, self.pauses.append)
        create_table(self.wire.client)
        self.store.claim_run(a_run())
        self.store.add_orders(RUN_ID, 1, [an_order()])
        self.wire.calls.clear()

    def row(self, key: Key) -> dict[str, Any]:
        """A stored row."""
        found: dict[str, Any] = self.wire.client.get_item(
            TableName=TABLE, Key={"pk": {"S": key.pk}, "sk": {"S": key.sk}}
        ).get("Item", {})
        return found

    def spoil(self, key: Key, **attributes: str) -> None:
        """Write an invalid row."""
        item = {"pk": {"S": key.pk}, "sk": {"S": key.sk}, **{name: {"S": value} for name, value in attributes.items()}}
        self.wire.client.put_item(TableName=TABLE, Item=item)


def another(table: Table) -> DynamoStore:
    """Another container's store on the same table."""
    return DynamoStore(table.wire.client, TABLE, table.pauses.append)


def client_error(code: str, *reasons: str) -> ClientError:
    """A service error, optionally with a transaction's cancellation reasons."""
    response: Any = {"Error": {"Code": code, "Message": "no"}}
    if reasons:
        response["CancellationReasons"] = [{"Code": reason} for reason in reasons]
    return ClientError(response, "AnyOperation")


def timeout() -> ReadTimeoutError:
    """A read timeout."""
    return ReadTimeoutError(endpoint_url="https://dynamodb.us-east-1.amazonaws.com")


def place(store: DynamoStore, order: ParentOrder | None = None) -> ParentOrder:
    """Write the first intent of the only order."""
    read = order or an_order()
    intent = an_intent(read)
    return store.write_intent(with_intent(read, intent), intent, 1, [a_budget(max_notional="10000")])


def _no_race() -> None:
    return None
