"""DynamoDB on moto: transactions, request tokens, and the short cut, which must give the same answers as HTTP."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from repeg_workbench.engine.engine import REGION
from repeg_workbench.engine.moto_corrections import dynamodb, dynamodb_speed
from repeg_workbench.engine.scheduler import Scheduler
from tests.engine.interpreters import Correct, Interpreter, everything, moto

TABLE = "orders"
MISSING_VERSION = {"ConditionExpression": "attribute_exists(pk)"}


def with_short_cut(patches: Any, scheduler: Scheduler) -> None:
    """The corrections of DynamoDB with the short cut."""
    without_short_cut(patches, scheduler)
    dynamodb_speed.apply(patches, lambda operation: None)


def without_short_cut(patches: Any, scheduler: Scheduler) -> None:
    """The corrections of DynamoDB alone."""
    dynamodb.apply(patches, scheduler.now)


@contextmanager
def table(*correct: Correct) -> Iterator[tuple[Interpreter, Any]]:
    """An account with one table of a partition and a sort key."""
    with moto(*correct) as interpreter:
        client = interpreter.client("dynamodb")
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            BillingMode="PAY_PER_REQUEST",
        )
        yield interpreter, client


def key(sort: str) -> dict[str, Any]:
    return {"pk": {"S": "run"}, "sk": {"S": sort}}


def put(sort: str, **fields: Any) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE, "Item": key(sort), **fields}}


def add_one(sort: str) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": TABLE,
            "Key": key(sort),
            "UpdateExpression": "ADD committed :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }


def committed(client: Any) -> str:
    return str(client.get_item(TableName=TABLE, Key=key("budget"))["Item"]["committed"]["N"])


def send_twice(correct: Correct | None, *, after: timedelta = timedelta(0)) -> str:
    with table(*([correct] if correct else [])) as (interpreter, client):
        for _ in range(2):
            client.transact_write_items(TransactItems=[add_one("budget")], ClientRequestToken="order-1")
            interpreter.scheduler.sleep(after.total_seconds())
        return committed(client)


def test_a_transaction_repeated_with_its_token_is_applied_once() -> None:
    assert send_twice(None) == "2"
    assert send_twice(everything) == "1"
    assert send_twice(without_short_cut) == "1"


def test_a_token_expires_after_ten_minutes() -> None:
    assert send_twice(everything, after=timedelta(minutes=10)) == "2"
    assert send_twice(everything, after=timedelta(minutes=9)) == "1"


def test_a_token_of_another_transaction_is_refused() -> None:
    with table(everything) as (_, client):
        client.transact_write_items(TransactItems=[add_one("budget")], ClientRequestToken="order-1")
        with pytest.raises(client.exceptions.IdempotentParameterMismatchException):
            client.transact_write_items(TransactItems=[put("other")], ClientRequestToken="order-1")


def test_a_cancelled_transaction_can_be_retried_with_its_token() -> None:
    with table(everything) as (_, client):
        request = {
            "TransactItems": [add_one("budget"), put("order", **MISSING_VERSION)],
            "ClientRequestToken": "order-1",
        }
        with pytest.raises(client.exceptions.TransactionCanceledException):
            client.transact_write_items(**request)
        client.put_item(TableName=TABLE, Item=key("order"))
        client.transact_write_items(**request)
        assert committed(client) == "1"


def fail_a_transaction(*correct: Correct) -> tuple[bool, list[str]]:
    """Cancel a transaction; returns whether the table object is unchanged, and its rows."""
    with table(*correct) as (_, client):
        client.put_item(TableName=TABLE, Item={**key("old"), "version": {"N": "1"}})
        tables = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables
        before = tables[TABLE]
        delete = {"Delete": {"TableName": TABLE, "Key": key("old")}}
        with pytest.raises(client.exceptions.TransactionCanceledException) as cancelled:
            client.transact_write_items(
                TransactItems=[put("new"), delete, add_one("budget"), put("order", **MISSING_VERSION)]
            )
        codes = [reason["Code"] for reason in cancelled.value.response["CancellationReasons"]]
        assert codes == ["None", "None", "None", "ConditionalCheckFailed"]
        rows = client.scan(TableName=TABLE)["Items"]
        return tables[TABLE] is before, [f"{row['sk']['S']} {row.get('version')}" for row in rows]


def test_a_cancelled_transaction_changes_neither_rows_nor_the_table_object() -> None:
    assert fail_a_transaction() == (False, ["old {'N': '1'}"])
    assert fail_a_transaction(everything) == (True, ["old {'N': '1'}"])


def count_from_many_threads(client: Any, threads: int, times: int) -> int:
    def count() -> None:
        for _ in range(times):
            client.update_item(
                TableName=TABLE,
                Key=key("budget"),
                UpdateExpression="ADD committed :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
            )

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(threads) as pool:
            for counted in [pool.submit(count) for _ in range(threads)]:
                counted.result()
    finally:
        sys.setswitchinterval(interval)
    return int(committed(client))


@pytest.mark.parametrize("correct", [everything, without_short_cut])
def test_concurrent_real_threads_lose_no_update(correct: Correct) -> None:
    with table(correct) as (_, client):
        assert count_from_many_threads(client, threads=8, times=25) == 200


# ── the short cut ────────────────────────────────────────────────────────────────────────────────────────────────

Call = tuple[str, dict[str, Any]]

sorts = st.sampled_from([f"order#{number}" for number in range(4)] + [f"intent#{number}" for number in range(4)])
values = st.sampled_from(
    [
        {"S": "189.41"},
        {"N": "12"},
        {"BOOL": True},
        {"NULL": True},
        {"L": [{"S": "a"}]},
        {"M": {"b": {"N": "1"}}},
        {"SS": ["x", "y"]},
        {"B": b"\x00\xff"},
    ]
)
conditions = st.sampled_from(
    [
        {},
        {"ConditionExpression": "attribute_exists(pk)"},
        {"ConditionExpression": "attribute_not_exists(pk)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"},
        {"ConditionExpression": "version = :v", "ExpressionAttributeValues": {":v": {"N": "1"}}},
        {
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":v": {"N": "1"}},
        },  # unused value
        {"ConditionExpression": "version ! :v", "ExpressionAttributeValues": {":v": {"N": "1"}}},  # not a condition
        {
            "ConditionExpression": "(attribute_not_exists(#v) OR #v <= :most) AND NOT sk = :name",
            "ExpressionAttributeNames": {"#v": "version"},
            "ExpressionAttributeValues": {":most": {"N": "2"}, ":name": {"S": "order#1"}},
        },
    ]
)
# Update expressions with their values; the last four are errors.
UPDATES: list[tuple[str, tuple[str, ...]]] = [
    ("ADD version :one", (":one",)),
    ("SET again = if_not_exists(again, :value), version = version + :one", (":value", ":one")),
    ("SET list_of = list_append(if_not_exists(list_of, :list), :list) REMOVE again", (":list",)),
    ("SET again = :wide", (":wide",)),
    ("REMOVE version", ()),
    ("SET again = version", ()),
    ("SET again = :value, again = :one", (":value", ":one")),
    ("ADD sk :one", (":one",)),
    ("SET again = missing", ()),
    ("SET again = ", ()),
]


def updating(sort: str, update: tuple[str, tuple[str, ...]], value: dict[str, Any]) -> Call:
    expression, names = update
    known = {":one": {"N": "1"}, ":value": value, ":list": {"L": [value]}, ":wide": {"S": "½" * 9}}
    given = {"ExpressionAttributeValues": {name: known[name] for name in names}} if names else {}
    return "update_item", {"Key": key(sort), "UpdateExpression": expression, "ReturnValues": "UPDATED_NEW", **given}


projections = st.sampled_from(
    [
        {},
        {"ProjectionExpression": "sk"},
        {"ProjectionExpression": "sk, #value", "ExpressionAttributeNames": {"#value": "value"}},
        {"ProjectionExpression": "#value[0]", "ExpressionAttributeNames": {"#value": "value"}},
        {"ProjectionExpression": "#value.b, version", "ExpressionAttributeNames": {"#value": "value"}},
        {"ProjectionExpression": "missing"},
    ]
)
items = st.builds(lambda sort, value: {**key(sort), "version": {"N": "1"}, "value": value}, sorts, values)
calls = st.one_of(
    st.builds(lambda sort: ("get_item", {"Key": key(sort), "ConsistentRead": True}), sorts),
    st.builds(lambda item, condition: ("put_item", {"Item": item, **condition}), items, conditions),
    st.builds(lambda sort, condition: ("delete_item", {"Key": key(sort), **condition}), sorts, conditions),
    st.builds(
        lambda sort, value: (
            "update_item",
            {
                "Key": key(sort),
                "UpdateExpression": "SET #value = :value ADD version :one",
                "ExpressionAttributeNames": {"#value": "value"},
                "ExpressionAttributeValues": {":value": value, ":one": {"N": "1"}},
                "ReturnValues": "ALL_NEW",
            },
        ),
        sorts,
        values,
    ),
    st.builds(updating, sorts, st.sampled_from(UPDATES), values),
    st.builds(
        lambda sort, condition: (
            "update_item",
            {"Key": key(sort), "UpdateExpression": "REMOVE again", "ReturnValues": "ALL_NEW", **condition},
        ),
        sorts,
        conditions,
    ),
    st.builds(
        lambda first, last: (
            "query",
            {
                "KeyConditionExpression": "pk = :run AND sk BETWEEN :first AND :last",
                "ExpressionAttributeValues": {":run": {"S": "run"}, ":first": {"S": first}, ":last": {"S": last}},
            },
        ),
        sorts,
        sorts,
    ),
    st.builds(
        lambda prefix, limit, forward, projection: (
            "query",
            {
                **projection,
                "KeyConditionExpression": "pk = :run AND begins_with(sk, :prefix)",
                "ExpressionAttributeValues": {":run": {"S": "run"}, ":prefix": {"S": prefix}},
                **limit,
                "ScanIndexForward": forward,
            },
        ),
        st.sampled_from(["order#", "intent#", "nothing#", "o"]),
        st.sampled_from([{}, *({"Limit": rows} for rows in range(1, 7))]),
        st.booleans(),
        projections,
    ),
    st.builds(lambda sort, projection: ("get_item", {"Key": key(sort), **projection}), sorts, projections),
    st.just(("get_item", {"Key": {"pk": {"S": "run"}}})),  # an error: half a key
    st.just(("query", {"KeyConditionExpression": "pk = :run", "ExpressionAttributeValues": {":run": {"S": "run"}}})),
)


def outcome(client: Any, call: Call) -> Any:
    name, parameters = call
    try:
        answer = getattr(client, name)(TableName=TABLE, **parameters)
    except ClientError as error:
        kept = {name: value for name, value in error.response.items() if name != "ResponseMetadata"}
        return type(error).__name__, kept
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return type(error).__name__, str(error)  # moto crashes on some requests; both ways must crash alike
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def outcomes(correct: Correct, script: list[Call]) -> list[Any]:
    with table(correct) as (_, client):
        return [outcome(client, call) for call in script]


@settings(max_examples=40, deadline=None)
@given(st.lists(calls, min_size=1, max_size=12))
def test_the_short_cut_gives_the_answers_of_http(script: list[Call]) -> None:
    assert outcomes(with_short_cut, script) == outcomes(without_short_cut, script)


@pytest.mark.parametrize("update", UPDATES)
def test_repeated_updates_agree_on_the_short_cut_and_over_http(update: tuple[str, tuple[str, ...]]) -> None:
    """The cached expression must keep nothing of a call's row or values."""
    first = ("put_item", {"Item": {**key("order#0"), "version": {"N": "1"}}})
    read = ("get_item", {"Key": key("order#0")})
    script = [first, *(updating("order#0", update, value) for value in ({"S": "a"}, {"N": "2"})), read]
    assert outcomes(with_short_cut, script) == outcomes(without_short_cut, script)


def pages(client: Any, limit: int) -> list[str]:
    asked = {
        "TableName": TABLE,
        "KeyConditionExpression": "pk = :run AND begins_with(sk, :prefix)",
        "ExpressionAttributeValues": {":run": {"S": "run"}, ":prefix": {"S": "order#"}},
        "Limit": limit,
    }
    return [row["sk"]["S"] for page in client.get_paginator("query").paginate(**asked) for row in page["Items"]]


def test_query_pages_return_each_row_once() -> None:
    with table(everything) as (_, client):
        for number in range(10):
            client.put_item(TableName=TABLE, Item=key(f"order#{number}"))
            client.put_item(TableName=TABLE, Item=key(f"intent#{number}"))
        assert pages(client, 3) == [f"order#{number}" for number in range(10)]


def test_changing_a_read_row_does_not_change_the_table() -> None:
    with table(everything) as (_, client):
        client.put_item(TableName=TABLE, Item={**key("order"), "fills": {"L": [{"S": "a"}]}})
        read: Callable[[], Any] = lambda: client.get_item(TableName=TABLE, Key=key("order"))["Item"]["fills"]["L"]  # noqa: E731
        read().append({"S": "b"})
        assert read() == [{"S": "a"}]


def test_an_update_measures_the_row_again() -> None:
    with table(everything) as (_, client):
        client.put_item(TableName=TABLE, Item=key("order"))
        asked = {
            "TableName": TABLE,
            "KeyConditionExpression": "pk = :run",
            "ExpressionAttributeValues": {":run": {"S": "run"}},
        }
        assert len(client.query(**asked)["Items"]) == 1
        for sort in ("order", "order2", "order3"):
            client.update_item(
                TableName=TABLE,
                Key=key(sort),
                UpdateExpression="SET padding = :padding",
                ExpressionAttributeValues={":padding": {"S": "x" * 390_000}},
            )
        assert len(client.query(**asked)["Items"]) == 2  # a page holds at most 1 MB


def test_the_table_call_hook_runs_before_each_call() -> None:
    heard: list[str] = []

    def listening(patches: Any, scheduler: Scheduler) -> None:
        dynamodb_speed.apply(patches, heard.append)

    with table(listening) as (_, client):
        client.put_item(TableName=TABLE, Item=key("order"))
        client.list_tables()
    assert heard == ["CreateTable", "PutItem", "ListTables"]
