"""Parses quotes and trades of the data API."""

from __future__ import annotations

from decimal import Decimal

from repeg.adapters.alpaca import values
from repeg.adapters.alpaca.parsing import Json
from repeg.domain.quote import Quote
from repeg.domain.sizing_price import Trade


def quote(symbol: str, row: Json) -> Quote:
    """A quote; an empty side (zero, null or missing) has price zero."""
    return Quote(
        symbol=symbol,
        bid=values.optional_amount(row.get("bp")) or Decimal(0),
        bid_size=values.optional_amount(row.get("bs")) or Decimal(0),
        ask=values.optional_amount(row.get("ap")) or Decimal(0),
        ask_size=values.optional_amount(row.get("as")) or Decimal(0),
        at=values.optional_timestamp(row.get("t")),
    )


def trade(row: Json) -> Trade | None:
    """A trade; None if its price is missing or not positive."""
    price = values.optional_amount(row.get("p"))
    if price is None or price <= 0:
        return None
    return Trade(price=price, at=values.optional_timestamp(row.get("t")))
