"""Amounts of money, shares and basis points as reports store them, and their rounding to cents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Annotated

from pydantic import PlainSerializer

CENT = Decimal("0.01")


def _plain(value: Decimal) -> str:
    return f"{value.normalize() + 0:f}"  # adding zero removes the sign of a negative zero


Amount = Annotated[Decimal, PlainSerializer(_plain, return_type=str, when_used="json")]
"""A decimal that JSON has as a plain string."""


def in_cents(dollars: Decimal) -> Decimal:
    """Dollars, rounded to the cent."""
    return dollars.quantize(CENT)


def split_in_cents(parts: Sequence[Decimal]) -> list[Decimal]:
    """The parts of a sum, each rounded to a cent, so that they add up to the rounded sum exactly.

    Each is rounded down, and the cents that are then missing go to the parts that lost most.
    """
    floors = [part.quantize(CENT, ROUND_FLOOR) for part in parts]
    missing = int((in_cents(sum(parts, Decimal(0))) - sum(floors, Decimal(0))) / CENT)
    by_loss = sorted(range(len(parts)), key=lambda n: floors[n] - parts[n])
    for n in by_loss[:missing]:
        floors[n] += CENT
    return [floor + 0 for floor in floors]  # no sign of a negative zero


def counted(count: int, noun: str) -> str:
    """A count in words."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of amounts; None if one of them is not known."""
    found = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        found += amount
    return found
