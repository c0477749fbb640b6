"""Rows, conditions and writes, and how DynamoDB spells them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any

# What the service keeps of a number; one that would have to be rounded is an error.
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
    """An expression in which `#name` stands for an attribute and `:name` for one of `values`."""

    expression: str
    values: Mapping[str, Value] = field(default_factory=dict)


ABSENT = Condition("attribute_not_exists(#pk)")
PRESENT = Condition("attribute_exists(#pk)")


@dataclass(frozen=True)
class Put:
    """Write a whole row, if the condition holds for the row that is there."""

    row: Row
    condition: Condition | None = None

    @property
    def key(self) -> Key:
        """The row's own key."""
        return Key(str(self.row["pk"]), str(self.row["sk"]))


@dataclass(frozen=True)
class Update:
    """Change some attributes of a row, creating it where the condition allows that."""

    key: Key
    update: str
    values: Mapping[str, Value]
    condition: Condition | None = None


@dataclass(frozen=True)
class Check:
    """Change nothing, but let the transaction fail unless the condition holds."""

    key: Key
    condition: Condition


Action = Put | Update | Check


def leaves_room(room: Mapping[str, Decimal | int]) -> Condition | None:
    """The condition that each counter, as it is, is not above its room; None where nothing is limited.

    A counter that is not there yet counts as zero: it passes unless its room is negative.
    """
    expressions = [
        f"(attribute_not_exists(#{name}) OR #{name} <= :room_{name})" if most >= 0 else f"#{name} <= :room_{name}"
        for name, most in room.items()
    ]
    return Condition(" AND ".join(expressions), {f"room_{name}": most for name, most in room.items()}) if room else None


def wire_row(row: Row) -> dict[str, Any]:
    """A row as DynamoDB spells it."""
    return {name: _wire_value(value) for name, value in row.items()}


def read_row(item: Mapping[str, Any]) -> Row:
    """A row from DynamoDB's spelling; numbers come back as Decimal."""
    return {name: _read_value(value) for name, value in item.items()}


def _wire_value(value: Value) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, str):
        return {"S": str(value)}
    # Without trailing zeros, as the service gives it back: the same number is the same request.
    return {"N": f"{_NUMBERS.normalize(Decimal(value)):f}"}


def _read_value(value: Mapping[str, Any]) -> Value:
    if "S" in value:
        return str(value["S"])
    return Decimal(value["N"]) if "N" in value else bool(value["BOOL"])


def wire_key(key: Key) -> dict[str, Any]:
    """A key as DynamoDB spells it."""
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def put_fields(put: Put) -> dict[str, Any]:
    """A whole row's write, as a request spells it."""
    return {"Item": wire_row(put.row), **expressions(None, put.condition, {})}


def update_fields(update: Update) -> dict[str, Any]:
    """A change of some attributes, as a request spells it."""
    return {"Key": wire_key(update.key), **expressions(update.update, update.condition, update.values)}


def expressions(update: str | None, condition: Condition | None, values: Mapping[str, Value]) -> dict[str, Any]:
    """The expressions of a write, with the names and values that they use; a failed condition returns the row."""
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
        fields["ExpressionAttributeValues"] = {f":{name}": _wire_value(value) for name, value in bound.items()}
    return fields
