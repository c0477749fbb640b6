"""DynamoDB's own behaviour: pages, lost answers, conflicts, throttling and unreadable rows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError  # noqa: TID251 - what a table raises
from moto import mock_aws

from repeg.adapters.dynamodb.encoding import Key
from repeg.adapters.dynamodb.store import DynamoStore
from repeg.adapters.dynamodb.table import RETRY_PAUSES_SECONDS
from repeg.adapters.runtime import SystemRuntime
from repeg.domain.errors import RefusedRun, StoreUnavailable
from repeg.domain.parent_order import ParentOrder
from repeg.domain.run import KillSwitch, RunState
from tests.adapters.dynamodb_table import BUSY, RecordingClient, Table, another, client_error, place, timeout
from tests.builders import a_report_of
from tests.contracts.tables import TABLE, a_client
from tests.contracts.words import RUN_ID, a_fill, a_run, an_intent, an_order, with_intent


@pytest.fixture
def table() -> Iterator[Table]:
    """A table on moto."""
    with mock_aws():
        yield Table()


# Pages


def long_reason(symbol: str) -> ParentOrder:
    """An order whose row fills a large part of a page."""
    return an_order(symbol).model_copy(update={"reason": symbol * 60_000})


def test_orders_are_read_from_all_pages(table: Table) -> None:
    symbols = [f"{a}{b}" for a in "ABCD" for b in "EFGHI"]
    other = table.store.claim_run(a_run(run_id=f"{RUN_ID}-r2"))
    orders = [long_reason(symbol).model_copy(update={"run_id": other.run_id}) for symbol in symbols]
    for order in orders:
        table.wire.client.put_item(TableName=TABLE, Item=_row_of(order))
    table.wire.calls.clear()
    assert table.store.orders(other.run_id) == orders
    pages = table.wire.made("query")
    assert len(pages) > 1
    assert all(page["ConsistentRead"] for page in pages)


def test_intents_are_read_from_all_pages(table: Table) -> None:
    order = an_order()
    for n in range(1, 21):
        intent = an_intent(order, n).model_copy(update={"reason": "x" * 100_000})
        order = table.store.write_intent(with_intent(order, intent), intent, 1, [])
    table.wire.calls.clear()
    assert [intent.n for intent in sorted(table.store.intents(RUN_ID), key=lambda i: i.n)] == list(range(1, 21))
    assert len(table.wire.made("query")) > 1


def test_fills_beyond_one_batch_are_booked_once(table: Table) -> None:
    fills = [a_fill(f"{n:04}") for n in range(230)]
    assert table.store.book(RUN_ID, fills) == fills
    elsewhere = DynamoStore(a_client(), TABLE, table.pauses.append)
    assert elsewhere.book(RUN_ID, [*fills, a_fill("new")]) == [a_fill("new")]


def test_a_fill_already_booked_costs_no_request(table: Table) -> None:
    table.store.book(RUN_ID, [a_fill("a")])
    table.wire.calls.clear()
    assert table.store.book(RUN_ID, [a_fill("a")]) == []
    assert table.wire.calls == []


def test_unprocessed_keys_of_a_batch_are_requested_again(table: Table) -> None:
    fills = [a_fill("a"), a_fill("b")]
    table.store.book(RUN_ID, fills)
    asked: list[Any] = []

    def half(**request: Any) -> Any:
        asked.append(request["RequestItems"][TABLE]["Keys"])
        kept, left = asked[-1][:1], asked[-1][1:]
        answer = table.wire.client.batch_get_item(RequestItems={TABLE: {"Keys": kept, "ConsistentRead": True}})
        return {**answer, "UnprocessedKeys": {TABLE: {"Keys": left, "ConsistentRead": True}} if left else {}}

    other = RecordingClient(table.wire.client)
    other.batch_get_item = half  # type: ignore[attr-defined]
    assert DynamoStore(cast("Any", other), TABLE, table.pauses.append).book(RUN_ID, fills) == []
    assert len(asked) == 2


# Lost answers


def test_an_intent_whose_answer_was_lost_is_written_once(table: Table) -> None:
    table.wire.after.append(timeout())
    with pytest.raises(StoreUnavailable, match="ReadTimeoutError"):
        place(table.store)
    written = place(table.store)
    assert table.store.orders(RUN_ID) == [written]
    assert table.row(Key(f"RUN#{RUN_ID}", "BUDGET"))["orders"] == {"N": "1"}


class IdempotentClient:
    """A client with the service's idempotency: a transaction repeated under its token within ten minutes succeeds
    without checking its conditions."""

    def __init__(self, wire: RecordingClient) -> None:
        self._wire = wire
        self._had: set[str] = set()

    def __getattr__(self, operation: str) -> Any:
        return getattr(self._wire, operation)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """Write, unless the token is known."""
        token = request.get("ClientRequestToken")
        if token in self._had:
            return {}
        try:
            answer: dict[str, Any] = self._wire.transact_write_items(**request)
            return answer
        finally:
            if token is not None:
                self._had.add(token)


@pytest.mark.parametrize("blocker", ["kill switch", "epoch"])
def test_a_retried_intent_is_checked_against_the_kill_switch_and_the_epoch(table: Table, blocker: str) -> None:
    """The first answer was lost and the run was stopped since: the service's idempotent success must not count."""
    stop = {
        "kill switch": lambda: another(table).set_kill_switch(KillSwitch.HALT_NEW),
        "epoch": lambda: another(table).take_over(RUN_ID, 1, "arn:sweeper"),
    }
    store = DynamoStore(cast("Any", IdempotentClient(table.wire)), TABLE, table.pauses.append)
    table.wire.first("transact_write_items", stop[blocker])
    table.wire.after.append(client_error("InternalServerError"))
    with pytest.raises(RefusedRun, match=blocker):
        place(store)
    with pytest.raises(RefusedRun, match=blocker):
        place(store)


def test_an_order_whose_answer_was_lost_is_saved_once(table: Table) -> None:
    moved = an_order().model_copy(update={"moves": 1})
    table.wire.after.append(timeout())
    with pytest.raises(StoreUnavailable):
        table.store.save_order(moved)
    assert table.store.save_order(moved) == table.store.orders(RUN_ID)[0]


def test_a_claim_whose_answer_was_lost_can_be_repeated(table: Table) -> None:
    run = a_run(run_id=f"{RUN_ID}-r2")
    table.wire.after.append(timeout())
    with pytest.raises(StoreUnavailable):
        table.store.claim_run(run)
    assert table.store.claim_run(run) == run


def test_a_takeover_whose_answer_was_lost_raises_the_epoch_once(table: Table) -> None:
    table.wire.after.append(timeout())
    with pytest.raises(StoreUnavailable):
        table.store.take_over(RUN_ID, 1, "arn:sweeper")
    assert table.store.take_over(RUN_ID, 1, "arn:sweeper").epoch == 2


def test_a_fill_whose_answer_was_lost_is_booked(table: Table) -> None:
    table.wire.lost.add("put_item")
    with pytest.raises(StoreUnavailable):
        table.store.book(RUN_ID, [a_fill("a")])
    table.wire.lost.clear()
    assert table.store.book(RUN_ID, [a_fill("a")]) == []
    assert table.store.executions(RUN_ID) == [a_fill("a")]


def test_fills_whose_write_failed_are_booked_by_the_next_call(table: Table) -> None:
    """The same container goes on: what it remembers as booked must have been written."""
    table.wire.down.add("put_item")
    with pytest.raises(StoreUnavailable):
        table.store.book(RUN_ID, [a_fill("a"), a_fill("b")])
    table.wire.down.clear()
    assert table.store.book(RUN_ID, [a_fill("a"), a_fill("b")]) == [a_fill("a"), a_fill("b")]
    assert {fill.activity_id for fill in table.store.executions(RUN_ID)} == {"a", "b"}


def test_a_fill_booked_by_a_concurrent_step_is_booked_once(table: Table) -> None:
    table.wire.first("batch_get_item", lambda: another(table).book(RUN_ID, [a_fill("a", qty="10")]))
    table.store.book(RUN_ID, [a_fill("a", qty="99")])
    assert table.store.executions(RUN_ID) == [a_fill("a", qty="10")]


# A busy table


@pytest.mark.parametrize(
    "error",
    [
        client_error(*BUSY),
        client_error("TransactionCanceledException", "None", "ThrottlingError"),
        client_error("TransactionConflictException"),
        client_error("ProvisionedThroughputExceededException"),
        client_error("ThrottlingException"),
        client_error("TransactionInProgressException"),
        client_error("InternalServerError"),
    ],
)
def test_a_transient_error_is_retried_after_a_pause(table: Table, error: ClientError) -> None:
    table.wire.before += [error, error]
    place(table.store)
    assert table.pauses == list(RETRY_PAUSES_SECONDS[:2])
    assert len(table.store.intents(RUN_ID)) == 1


def test_a_persistent_conflict_is_unavailable_after_a_few_attempts(table: Table) -> None:
    table.wire.before += [client_error(*BUSY)] * 9
    with pytest.raises(StoreUnavailable, match="still busy"):
        place(table.store)
    assert sum(table.pauses) < 1
    table.wire.before.clear()
    assert table.store.intents(RUN_ID) == []


@pytest.mark.parametrize(
    "error",
    [
        client_error("ResourceNotFoundException"),
        client_error("AccessDeniedException"),
        client_error("ValidationException"),
        ConnectTimeoutError(endpoint_url="https://dynamodb.us-east-1.amazonaws.com"),
    ],
)
def test_a_permanent_table_error_is_unavailable_at_once(table: Table, error: Exception) -> None:
    for attempt in (table.store.kill_switch, lambda: table.store.run(RUN_ID), lambda: place(table.store)):
        table.wire.before = [error]
        with pytest.raises(StoreUnavailable):
            attempt()
    assert table.pauses == []


class Crowd:
    """A client that counts concurrent transactions."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        """Stay inside for a moment, so that transactions could overlap."""
        self.inside += 1
        self.most = max(self.most, self.inside)
        threading.Event().wait(0.02)
        self.inside -= 1
        return {}


def test_transactions_of_a_store_never_overlap() -> None:
    crowd = Crowd()
    store = DynamoStore(cast("Any", crowd), TABLE, lambda seconds: None)
    SystemRuntime().map(lambda symbol: place(store, an_order(symbol)), ["AAPL", "KO", "F"])
    assert crowd.most == 1


# Unreadable rows


def test_an_unreadable_kill_switch_blocks_orders(table: Table) -> None:
    table.spoil(Key("ACCOUNT", "KILL"), state="on holiday")
    with pytest.raises(StoreUnavailable, match="ACCOUNT KILL cannot be read"):
        table.store.kill_switch()
    with pytest.raises(RefusedRun, match="kill switch is on holiday"):
        place(table.store)


def test_a_kill_switch_row_without_a_state_blocks_orders(table: Table) -> None:
    table.spoil(Key("ACCOUNT", "KILL"))
    with pytest.raises(StoreUnavailable):
        table.store.kill_switch()
    with pytest.raises(RefusedRun):
        place(table.store)


def test_a_row_of_another_release_raises(table: Table) -> None:
    table.spoil(Key(f"RUN#{RUN_ID}", "ORDER#KO"), body='{"symbol": "KO"}')
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        table.store.orders(RUN_ID)
    table.spoil(Key(f"RUN#{RUN_ID}", "INTENT#x"))
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        table.store.intents(RUN_ID)


def test_a_run_in_an_unknown_state_cannot_trade(table: Table) -> None:
    table.wire.client.update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"RUN#{RUN_ID}"}, "sk": {"S": "RUN"}},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "state"},
        ExpressionAttributeValues={":s": {"S": "hovering"}},
    )
    with pytest.raises(RefusedRun, match="is hovering"):
        place(table.store)
    with pytest.raises(StoreUnavailable):
        table.store.run(RUN_ID)


def test_a_run_row_without_the_announced_mark_reads_as_not_announced(table: Table) -> None:
    table.wire.client.update_item(
        TableName=TABLE,
        Key={"pk": {"S": f"RUN#{RUN_ID}"}, "sk": {"S": "RUN"}},
        UpdateExpression="REMOVE is_announced",
    )
    found = table.store.run(RUN_ID)
    assert found is not None
    assert not found.is_announced


# Row sizes and reads


def test_the_run_row_stays_small(table: Table) -> None:
    """Every intent's transaction checks a condition on it."""
    table.store.save_report(RUN_ID, a_report_of(rows=100))
    place(table.store)
    table.store.set_run_state(RUN_ID, 1, RunState.CLOSING)
    assert len(str(table.row(Key(f"RUN#{RUN_ID}", "RUN")))) < 500


def test_a_heartbeat_does_not_touch_the_run_row(table: Table) -> None:
    before = table.row(Key(f"RUN#{RUN_ID}", "RUN"))
    table.store.record_heartbeat(RUN_ID, a_fill("a").at)
    place(table.store)
    assert table.row(Key(f"RUN#{RUN_ID}", "RUN")) == before


def test_a_runs_opening_data_is_read_once(table: Table) -> None:
    for _ in range(3):
        table.store.run(RUN_ID)
    assert len(table.wire.made("get_item")) == 3


def test_a_run_of_500_orders_and_its_report_fit_their_rows(table: Table) -> None:
    symbols = [f"{a}{b}{c}" for a in "ABCDE" for b in "FGHIJ" for c in "KLMNOPQRSTUVWXYZABCD"]
    run = a_run(run_id=f"{RUN_ID}-r2").model_copy(update={"fractionable": tuple(symbols)})
    table.store.claim_run(run)
    table.store.save_report(run.run_id, a_report_of(run.run_id, rows=500))
    found = table.store.run(run.run_id)
    assert found is not None
    assert found.report is not None
    assert len(found.report.orders) == 500


def test_no_row_is_ever_deleted(table: Table) -> None:
    place(table.store)
    table.store.set_kill_switch(KillSwitch.HALT_NEW)
    table.store.book(RUN_ID, [a_fill("a")])
    table.store.take_over(RUN_ID, 1, "arn:sweeper")
    table.store.set_run_state(RUN_ID, 2, RunState.CLOSING)
    table.store.set_run_state(RUN_ID, 2, RunState.SWEPT)
    table.store.save_report(RUN_ID, a_report_of())
    assert not {name for name, _ in table.wire.calls if "delete" in name}
    for request in table.wire.made("transact_write_items"):
        assert all("Delete" not in action for action in request["TransactItems"])


def _row_of(order: ParentOrder) -> dict[str, Any]:
    return {
        "pk": {"S": f"RUN#{order.run_id}"},
        "sk": {"S": f"ORDER#{order.symbol}"},
        "version": {"N": "0"},
        "body": {"S": order.model_dump_json()},
    }
