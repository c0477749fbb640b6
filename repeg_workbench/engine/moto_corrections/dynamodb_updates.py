"""Shortcuts for moto's updates: plain expressions are validated once, and copies of items share their scalars.

Speed alone; answers are the same, which tests/engine/test_moto_dynamodb.py compares call by call. Observed with the
pinned version by profiling a day of a hundred orders; no upstream report was found.
"""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any, NamedTuple

from moto.dynamodb.models.dynamo_type import DynamoType, Item, LimitedSizeDict
from moto.dynamodb.parsing.ast_nodes import (  # type: ignore[attr-defined]  # untyped
    DDBTypedValue,
    ExpressionAttributeName,
    ExpressionAttributeValue,
    UpdateExpression,
    UpdateExpressionAddAction,
    UpdateExpressionDeleteAction,
    UpdateExpressionRemoveAction,
    UpdateExpressionSetAction,
)
from moto.dynamodb.parsing.validators import UpdateExpressionValidator

from repeg_workbench.engine.moto_corrections.patches import Patches

KEPT_EXPRESSIONS = 1_000

_ACTIONS = [
    UpdateExpressionAddAction,
    UpdateExpressionDeleteAction,
    UpdateExpressionRemoveAction,
    UpdateExpressionSetAction,
]
_SCALARS = frozenset({"S", "N", "BOOL", "NULL"})


class Change(NamedTuple):
    """One action of a plain expression: it sets one whole attribute to a value of the call, or adds the value to it."""

    action: type
    path: Any
    value_name: str


def apply(patches: Patches) -> None:
    """Make all changes of this module."""
    _validate_plain_updates_once(patches)
    _share_scalars(patches)


def _validate_plain_updates_once(patches: Patches) -> None:
    """Let moto validate a plain expression once for each table, set of names and types of the values.

    What moto checks of such an expression depends on nothing else, except for empty values, which it checks each time.
    """

    def begin(self: Any, expression: Any, **given: Any) -> None:
        self.expression, self.given = expression, given

    def validate(self: Any) -> Any:
        changes = changes_of(self.expression)
        values = _values(changes, self.given["expression_attribute_values"] or {})
        if not values:
            return in_full(self)
        names = tuple((self.given["expression_attribute_names"] or {}).items())
        case = self.expression, names, tuple(value.type for value in values)
        accepted = self.given["table"].__dict__.setdefault("accepted_updates", set())
        if case in accepted:
            return UpdateExpression(children=[_node(*pair) for pair in zip(changes, values, strict=True)])
        validated = in_full(self)
        accepted.add(case)
        return validated

    def in_full(self: Any) -> Any:
        original_begin(self, self.expression, **self.given)
        return original_validate(self)

    changes_of = lru_cache(maxsize=KEPT_EXPRESSIONS)(_changes)
    original_begin = patches.replace(UpdateExpressionValidator, "__init__", begin)
    original_validate = patches.replace(UpdateExpressionValidator, "validate", validate)


def _changes(expression: Any) -> list[Change]:
    """The actions of a plain expression; empty for any other."""
    actions = copy.deepcopy(expression).find_clauses(_ACTIONS)  # its own nodes, which the results share
    changes = [change for action in actions if (change := _change(action)) is not None]
    return changes if len(changes) == len(actions) else []


def _change(action: Any) -> Change | None:
    """A plain action; None for any other."""
    if isinstance(action, (UpdateExpressionRemoveAction, UpdateExpressionDeleteAction)):
        return None
    path, value = action.children
    if isinstance(action, UpdateExpressionSetAction) and len(value.children) == 1:
        value = value.children[0]
    is_whole = len(path.children) == 1 and isinstance(path.children[0], ExpressionAttributeName)
    is_plain = is_whole and isinstance(value, ExpressionAttributeValue)
    return Change(type(action), path, value.get_value_name()) if is_plain else None


def _values(changes: list[Change], given: dict[str, Any]) -> list[DynamoType]:
    """The value of each change; empty if one is missing or empty."""
    names = [change.value_name for change in changes]
    values = [DynamoType(given[name]) for name in names if name in given]
    return values if len(values) == len(names) and all(value.value for value in values) else []


def _node(change: Change, value: DynamoType) -> Any:
    return change.action(children=[change.path, DDBTypedValue(value)])


def _share_scalars(patches: Patches) -> None:
    """Share scalars between an item and its copies: moto replaces the scalars of an item and never changes them."""

    def copied(self: Any, memo: dict[int, Any]) -> Any:
        item = object.__new__(type(self))
        memo[id(self)] = item
        item.hash_key, item.range_key, item.attrs = self.hash_key, self.range_key, LimitedSizeDict()
        for name, value in self.attrs.items():
            kept = value if value.type in _SCALARS else copy.deepcopy(value, memo)
            dict.__setitem__(item.attrs, name, kept)  # the size is that of the original
        return item

    patches.replace(Item, "__deepcopy__", copied)
