"""How values, conditions and writes are spelt for DynamoDB."""

from __future__ import annotations

from decimal import Decimal, Inexact

import pytest

from repeg.adapters.dynamodb.wire import (
    ABSENT,
    Condition,
    Key,
    Put,
    Update,
    Value,
    leaves_room,
    put_fields,
    read_row,
    update_fields,
    wire_row,
)

KEY = Key("RUN#x", "RUN")


@pytest.mark.parametrize(
    ("number", "spelt"),
    [
        ("7576.40", "7576.4"),
        ("1E+9", "1000000000"),
        ("0.00", "0"),
        ("-0.5", "-0.5"),
        ("12345678901234567890.123456789012345678", "12345678901234567890.123456789012345678"),
    ],
)
def test_a_number_goes_out_as_the_service_gives_it_back(number: str, spelt: str) -> None:
    assert wire_row({"n": Decimal(number)}) == {"n": {"N": spelt}}


def test_a_number_that_would_be_rounded_is_an_error() -> None:
    with pytest.raises(Inexact):
        wire_row({"n": Decimal("1." + "0" * 40 + "1")})


@pytest.mark.parametrize("value", ["text", "", True, False, Decimal("1.5"), Decimal(0), Decimal(-7)])
def test_a_value_comes_back_as_what_it_was(value: Value) -> None:
    found = read_row(wire_row({"a": value}))["a"]
    assert (found, type(found)) == (value, type(value))


def test_a_write_names_only_what_its_expressions_use() -> None:
    put = put_fields(Put({"pk": "a", "sk": "b"}, ABSENT))
    assert put["ExpressionAttributeNames"] == {"#pk": "pk"}
    assert "ExpressionAttributeValues" not in put
    condition = Condition("#epoch = :epoch", {"epoch": 1})
    update = update_fields(Update(KEY, "SET #state = :state", {"state": "closed"}, condition))
    assert update["ExpressionAttributeNames"] == {"#state": "state", "#epoch": "epoch"}
    assert update["ExpressionAttributeValues"] == {":state": {"S": "closed"}, ":epoch": {"N": "1"}}
    assert update["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"


def test_a_write_without_a_condition_has_none() -> None:
    assert put_fields(Put({"pk": "a", "sk": "b"})) == {"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}}


def test_a_counter_that_is_not_there_passes_unless_its_room_is_negative() -> None:
    assert leaves_room({}) is None
    roomy, full = leaves_room({"orders": 0}), leaves_room({"orders": -1})
    assert roomy is not None
    assert full is not None
    assert "attribute_not_exists(#orders)" in roomy.expression
    assert "attribute_not_exists" not in full.expression
