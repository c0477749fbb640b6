"""Reads a journal's JSON value by value: another release's journal may lack them, or have them as other types."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

# No amount of an account is longer, and a chart cannot draw it.
MOST_DIGITS = 20

_Model = TypeVar("_Model", bound=BaseModel)


def fields_of(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def list_of(value: Any) -> list[Any]:
    """A JSON list; an empty one in place of anything else."""
    return value if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """A text; empty in place of anything else."""
    return value if isinstance(value, str) else ""


def amount_of(value: Any) -> Decimal | None:
    """A decimal number, as JSON has it, with at most MOST_DIGITS digits before its point; None for anything else."""
    try:
        found = Decimal(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() and found.adjusted() < MOST_DIGITS else None


def price_of(value: Any) -> Decimal | None:
    """A price in dollars; None for an empty side of a book, and in place of anything else."""
    found = amount_of(value)
    return found if found is not None and found > 0 else None


def instant_of(value: Any) -> datetime | None:
    """A time with its zone; None in place of anything else."""
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def model_of(model: type[_Model], value: Any) -> _Model | None:
    """A value as this release's model; None if it does not fit."""
    try:
        return model.model_validate(value)
    except ValidationError:
        return None
