"""Prices of orders in words, for the journal."""

from __future__ import annotations

from decimal import Decimal

from repeg.domain.child_order import Child
from repeg.domain.parent_order import Intent
from repeg.domain.quote import format_price

# Averages are told to a hundredth of a cent.
_PRICE_STEP = Decimal("0.0001")


def format_limit(of: Child | Intent) -> str:
    """The limit of an order, or `market`."""
    return "market" if of.limit is None else format_price(of.limit)


def format_average(price: Decimal) -> str:
    """An average price."""
    return format_price(price.quantize(_PRICE_STEP))


def format_fill_price(before: Child, after: Child) -> str:
    """The price of what was filled between two looks, from the two averages; `?` while the broker has no price yet."""
    if after.average_price is None:
        return "?"
    earlier = before.filled * (before.average_price or Decimal(0))
    return format_average((after.filled * after.average_price - earlier) / (after.filled - before.filled))
