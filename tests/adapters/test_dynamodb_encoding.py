"""Encoding of values, conditions and writes for DynamoDB."""

from __future__ import annotations

from decimal import Decimal, Inexact, InvalidOperation

import pytest

from repeg.adapters.dynamodb.encoding import (
    ABSENT,
    Condition,
    Key,
    Put,
    Update,
    Value,
    at_most,
    decode_row,
    encode_put,
    encode_row,
    encode_update,
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
def test_a_number_is_sent_as_the_service_returns_it(number: str, spelt: str) -> None:
    assert encode_row({"n": Decimal(number)}) == {"n": {"N": spelt}}


@pytest.mark.parametrize("zeros", [37, 40])
def test_a_number_beyond_38_digits_raises(zeros: int) -> None:
    with pytest.raises(Inexact):
        encode_row({"n": Decimal("1." + "0" * zeros + "1")})


def test_a_number_that_is_none_raises() -> None:
    with pytest.raises(InvalidOperation):
        encode_row({"n": Decimal("sNaN")})


@pytest.mark.parametrize("value", ["text", "", True, False, Decimal("1.5"), Decimal(0), Decimal(-7)])
def test_a_value_survives_the_round_trip(value: Value) -> None:
    found = decode_row(encode_row({"a": value}))["a"]
    assert (found, type(found)) == (value, type(value))


def test_a_write_declares_only_names_used_by_its_expressions() -> None:
    put = encode_put(Put({"pk": "a", "sk": "b"}, ABSENT))
    assert put["ExpressionAttributeNames"] == {"#pk": "pk"}
    assert "ExpressionAttributeValues" not in put
    condition = Condition("#epoch = :epoch", {"epoch": 1})
    update = encode_update(Update(KEY, "SET #state = :state", {"state": "closed"}, condition))
    assert update["ExpressionAttributeNames"] == {"#state": "state", "#epoch": "epoch"}
    assert update["ExpressionAttributeValues"] == {":state": {"S": "closed"}, ":epoch": {"N": "1"}}
    assert update["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"


def test_a_write_without_a_condition_sends_no_condition() -> None:
    assert encode_put(Put({"pk": "a", "sk": "b"})) == {"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}}


def test_a_missing_counter_passes_unless_its_room_is_negative() -> None:
    assert at_most({}) is None
    roomy, full = at_most({"orders": 0}), at_most({"orders": -1})
    assert roomy is not None
    assert full is not None
    assert "attribute_not_exists(#orders)" in roomy.expression
    assert "attribute_not_exists" not in full.expression
