"""Parameters of DynamoDB calls are validated by botocore, once for each outline."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import session
from botocore.exceptions import ParamValidationError
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from repeg_workbench.engine.moto_corrections.dynamodb_calls import LEAST_LENGTH, SHORT_CUTS, outline
from tests.engine.interpreters import everything, moto

MODEL = ServiceModel(session.create_loader(None).load_service_model("dynamodb", "service-2"), "dynamodb")
GOOD: dict[str, Any] = {"TableName": "t", "Key": {"pk": {"S": "a"}}, "ConsistentRead": True}


@pytest.mark.parametrize(
    "changed",
    [
        {"TableName": ""},
        {"TableName": None},
        {"TableName": 1},
        {"Key": {"pk": {"S": 1}}},
        {"Key": {"pk": {"S": None}}},
        {"Key": {"pk": {"s": "a"}}},
        {"Key": {"pk": "a"}},
        {"Key": [{"pk": {"S": "a"}}]},
        {"ConsistentRead": "yes"},
        {"Unknown": "a"},
    ],
)
def test_a_wrong_call_is_refused_after_a_good_one(changed: dict[str, Any]) -> None:
    assert outline({**GOOD, **changed}) != outline(GOOD)
    with moto(everything) as interpreter:
        client = interpreter.client("dynamodb")
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            client.get_item(**GOOD)
        with pytest.raises(ParamValidationError):
            client.get_item(**GOOD | changed)


def test_a_number_below_its_least_is_refused_after_a_greater_one() -> None:
    assert outline({"Limit": 0}) != outline({"Limit": 1})


def test_another_text_of_the_same_kind_is_not_validated_again() -> None:
    assert outline({**GOOD, "Key": {"pk": {"S": "another"}}}) == outline({**GOOD, "Key": {"pk": {"S": "one"}}})


def test_a_value_of_an_unknown_type_is_validated_each_time() -> None:
    assert outline({"Key": bytearray(b"a")}) != outline({"Key": bytearray(b"a")})


def test_no_text_of_a_call_must_be_longer_than_an_outline_shows() -> None:
    """What an outline leaves out of a text does not change whether botocore accepts it."""
    for operation in SHORT_CUTS:
        for shape in shapes_below(MODEL.operation_model(operation).input_shape, set()):
            assert shape.type_name != "string" or shape.metadata.get("min", 0) <= LEAST_LENGTH, shape.name


def test_botocore_checks_no_greatest_length() -> None:
    shape: Any = MODEL.operation_model("GetItem").input_shape
    assert MODEL.shape_for("TableArn").metadata["max"] == 1_024
    assert not ParamValidator().validate({**GOOD, "TableName": "t" * 5_000}, shape).has_errors()


def shapes_below(shape: Any, seen: set[str]) -> list[Any]:
    """The shape and every one that it holds."""
    if shape.name in seen:
        return []
    seen.add(shape.name)
    below = [*getattr(shape, "members", {}).values()]
    below += [getattr(shape, name) for name in ("member", "key", "value") if hasattr(shape, name)]
    return [shape, *(each for one in below for each in shapes_below(one, seen))]
