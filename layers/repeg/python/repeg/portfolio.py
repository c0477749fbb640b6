"""Plans from Python: the weights of an optimiser become the document of a plan, without importing pandas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from numbers import Real
from typing import Any

from repeg.domain.errors import InvalidPlan
from repeg.domain.plan_reading.reader import document_of, plan_of
from repeg.domain.plan_reading.shapes import draft_of

_EXPECTED = "weights by symbol: a dict, a pandas Series, a DataFrame of one column, or pairs; dict(zip(symbols, array))"


def plan_document(weights: Any, name: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The checked document of a plan of weights. Raises InvalidPlan."""
    targets: dict[str, Any] = {}
    for symbol, weight in _pairs(weights):
        if str(symbol) in targets:
            raise InvalidPlan(f"plan.targets.{symbol}", symbol, "each symbol once")
        targets[str(symbol)] = _text(weight)
    given = {field: _text(value) for field, value in fields.items() if value is not None}
    draft = draft_of({"name": name, "targets": targets, **given})
    plan_of(draft, None)
    document: dict[str, Any] = document_of(draft, None)
    return document


def _pairs(weights: Any) -> Iterable[tuple[Any, Any]]:
    """Symbols and numbers, by what the object can do: a DataFrame has columns, a dict and a Series have items."""
    held = getattr(weights, "weights_dict", weights)
    columns = getattr(held, "columns", None)
    if columns is not None:
        if len(columns) != 1:
            raise InvalidPlan(
                "plan.targets", [str(column) for column in columns], "one column, such as frame['weights']"
            )
        held = held[columns[0]]
    pairs = list(held.items()) if hasattr(held, "items") else held
    if not isinstance(pairs, list) or not all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in pairs):
        raise InvalidPlan("plan.targets", type(weights).__name__, _EXPECTED)
    return pairs


def _text(value: Any) -> Any:
    """A number as its shortest decimal text, NumPy's too; anything else as it is."""
    is_number = isinstance(value, (Real, Decimal)) and not isinstance(value, bool)
    return str(value) if is_number else list(value) if isinstance(value, tuple) else value
