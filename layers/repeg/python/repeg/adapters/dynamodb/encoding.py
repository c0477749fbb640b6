"""Rows, conditions and writes, and their encoding in requests to DynamoDB."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

# DynamoDB keeps 38 digits of a number; one that would be rounded is an error.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_NUMBERS = Context(prec=38, traps=[Inexact, InvalidOperation])

Value = str | bool | int | Decimal
Row = dict[str, Value]


@dataclass(frozen=True, order=True)
class Key:
    """Partition and sort key of a row."""

    pk: str
    sk: str


@dataclass(frozen=True)
class Condition:
    """A condition expression; `#name` stands for an attribute and `:name` for one of `values`."""

    expression: str
    values: Mapping[str, Value] = field(default_factory=dict)


ABSENT = Condition("attribute_not_exists(#pk)")
PRESENT = Condition("attribute_exists(#pk)")


@dataclass(frozen=True)
class Put:
    """Write a whole row, if the condition holds for the existing one."""

    row: Row
    condition: Condition | None = None


@dataclass(frozen=True)
class Update:
    """Change some attributes of a row; it is created if missing, unless the condition forbids that."""

    key: Key
    update: str
    values: Mapping[str, Value]
    condition: Condition | None = None


@dataclass(frozen=True)
class Check:
    """Change nothing; the transaction fails unless the condition holds."""

    key: Key
    condition: Condition


Action = Put | Update | Check


def at_most(limits: Mapping[str, Decimal | int]) -> Condition | None:
    """The condition that each counter is at most its limit; None without limits.

    A missing counter counts as zero: it passes unless its limit is negative.
    """
    expressions = [
        f"(attribute_not_exists(#{name}) OR #{name} <= :max_{name})" if limit >= 0 else f"#{name} <= :max_{name}"
        for name, limit in limits.items()
    ]
    values = {f"max_{name}": limit for name, limit in limits.items()}
    return Condition(" AND ".join(expressions), values) if limits else None


def encode_row(row: Row) -> dict[str, Any]:
    """A row in DynamoDB's JSON."""
    return {name: _encode_value(value) for name, value in row.items()}


def decode_row(item: Mapping[str, Any]) -> Row:
    """A row from DynamoDB's JSON; numbers become Decimal."""
    return {name: _decode_value(value) for name, value in item.items()}


def _encode_value(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": str(value)}
    # Without trailing zeros, as DynamoDB returns it, so that equal numbers make equal requests.
    return {"N": f"{_NUMBERS.normalize(Decimal(value)):f}"}


def _decode_value(value: Mapping[str, Any]) -> Value:
    if "S" in value:
        return str(value["S"])
    return Decimal(value["N"]) if "N" in value else bool(value["BOOL"])


def encode_key(key: Key) -> dict[str, Any]:
    """A key in DynamoDB's JSON."""
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def encode_put(put: Put) -> dict[str, Any]:
    """The request fields that write a whole row."""
    return {"Item": encode_row(put.row), **_expressions(None, put.condition, {})}


def encode_update(update: Update) -> dict[str, Any]:
    """The request fields that change some attributes."""
    return {"Key": encode_key(update.key), **_expressions(update.update, update.condition, update.values)}


def encode_check(check: Check) -> dict[str, Any]:
    """The request fields that check a condition."""
    return {"Key": encode_key(check.key), **_expressions(None, check.condition, {})}


def _expressions(update: str | None, condition: Condition | None, values: Mapping[str, Value]) -> dict[str, Any]:
    """A write's expressions with the names and values they use; a failed condition returns the existing row."""
    fields: dict[str, Any] = {}
    if update is not None:
        fields["UpdateExpression"] = update
    if condition is not None:
        fields["ConditionExpression"] = condition.expression
        fields["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    names = re.findall(r"#(\w+)", f"{update} {condition.expression if condition else ''}")
    if names:
        fields["ExpressionAttributeNames"] = {f"#{name}": name for name in names}
    bound = {**values, **(condition.values if condition else {})}
    if bound:
        fields["ExpressionAttributeValues"] = {f":{name}": _encode_value(value) for name, value in bound.items()}
    return fields
