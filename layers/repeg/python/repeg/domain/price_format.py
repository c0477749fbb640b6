"""Prices as text, for the journal and the tape."""

from __future__ import annotations

from decimal import Decimal

from repeg.domain.child_order import Child
from repeg.domain.quote import format_price

# Average prices are shown to a hundredth of a cent.
_PRICE_STEP = Decimal("0.0001")


def format_limit(limit: Decimal | None) -> str:
    """A limit price, or `market` for a market order."""
    return "market" if limit is None else format_price(limit)


def format_average(price: Decimal) -> str:
    """An average price."""
    return format_price(price.quantize(_PRICE_STEP))


def fill_price(before: Child, after: Child) -> Decimal | None:
    """The price of what filled between two reports, from their two averages; None while the broker shows no price."""
    if after.average_price is None:
        return None
    earlier = before.filled * (before.average_price or Decimal(0))
    price = (after.filled * after.average_price - earlier) / (after.filled - before.filled)
    return price.quantize(_PRICE_STEP)
