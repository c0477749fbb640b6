"""The values of a plan's fields: numbers, shares of one, objects, and the errors of any other."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from repeg.domain.errors import InvalidPlan
from repeg.domain.weights import is_weight

TOO_LARGE = 10**12
MAX_NOTES = 30
MAX_NOTE_LENGTH = 400


def number_of(field: str, raw: object, expected: str) -> Decimal:
    """A finite number of any sign. Raises InvalidPlan."""
    if isinstance(raw, bool) or not isinstance(raw, (str, int, float, Decimal)):
        raise InvalidPlan(field, raw, expected)
    try:
        value = Decimal(str(raw))
    except InvalidOperation:
        raise InvalidPlan(field, raw, expected) from None
    if not value.is_finite():
        raise InvalidPlan(field, raw, expected)
    # The exponent first: a number may be too large to be compared.
    if value.adjusted() > len(str(TOO_LARGE)) or abs(value) >= TOO_LARGE:
        raise InvalidPlan(field, raw, f"{expected}, below {TOO_LARGE:,}")
    # 1e3 is a thousand shares: shown and sent as 1000.
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value


def least_zero(field: str, raw: object, expected: str) -> Decimal:
    """A number of zero or more. Raises InvalidPlan."""
    value = number_of(field, raw, expected)
    if value < 0:
        raise InvalidPlan(field, value, expected)
    return value


def share_of(field: str, raw: object) -> Decimal:
    """A weight, but for noise. Raises InvalidPlan."""
    value = number_of(field, raw, "a weight between 0 and 1")
    if not is_weight(value):
        raise InvalidPlan(field, value, "a weight between 0 and 1")
    return value


def flag_of(field: str, raw: object) -> bool:
    """A boolean, or its word: a table has no other. Raises InvalidPlan."""
    words = {"true": True, "yes": True, "false": False, "no": False}
    found = raw if isinstance(raw, bool) else words.get(raw.lower()) if isinstance(raw, str) else None
    if found is None:
        raise InvalidPlan(field, raw, "true or false")
    return found


def notes_of(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """What the reader has changed in the plan's file; the journal and the report of the run list it."""
    listed = fields.get("notes", [])
    if not isinstance(listed, list) or not all(isinstance(note, str) for note in listed) or len(listed) > MAX_NOTES:
        raise InvalidPlan("plan.notes", listed, f"a list of at most {MAX_NOTES} texts")
    return tuple(note[:MAX_NOTE_LENGTH] for note in listed)


def object_of(field: str, raw: object) -> Mapping[str, Any]:
    """An object of names and values. Raises InvalidPlan."""
    if not isinstance(raw, Mapping):
        raise InvalidPlan(field, raw, "an object")
    return raw


def require_only(field: str, fields: Mapping[str, Any], allowed: set[str]) -> None:
    """Refuse a name that the object does not have. Raises InvalidPlan suggesting the closest."""
    for name in fields:
        if name not in allowed:
            raise InvalidPlan.unknown_name(field, name, fields[name], sorted(allowed))
