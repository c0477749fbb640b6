"""Parses quotes and trades of the data API. A value that no market can have is left out, and named in words."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from repeg.adapters.alpaca import values
from repeg.adapters.alpaca.parsing import Json
from repeg.domain.quote import Quote
from repeg.domain.sizing_price import Trade

# From the increment below a dollar to ten times the dearest share that is listed: the rules compute with prices to the
# hundredth of a cent, and in 28 digits.
_PRICES = Decimal("0.0001"), Decimal(10_000_000)
# More shares than any company has issued.
_MOST_SHARES = Decimal(10) ** 12
# Regulation NMS began at the first of these, and with it the tables of increments and round lots.
_STAMPS = datetime(2005, 8, 29, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)

_NOTHING = Decimal(0)


def quote(symbol: str, row: Json) -> Quote:
    """A quote; an empty side (zero, null or missing) has price zero, and so has one with an impossible number."""
    odd: list[str] = []
    bid, bid_size = _side(row, "bp", "bs", "bid", odd)
    ask, ask_size = _side(row, "ap", "as", "ask", odd)
    at = _stamp(row.get("t"), odd)
    return Quote(
        symbol=symbol, bid=bid, bid_size=bid_size, ask=ask, ask_size=ask_size, at=at, impossible=", ".join(odd)
    )


def trade(row: Json) -> Trade | None:
    """A trade; None if its price is missing, not positive, or none that a market can have."""
    price = values.optional_amount(row.get("p"))
    if price is None or not _is_price(price):
        return None
    return Trade(price=price, at=_stamp(row.get("t"), []))


def _side(row: Json, price_field: str, size_field: str, name: str, odd: list[str]) -> tuple[Decimal, Decimal]:
    """Price and size of one side, or two zeros; what no market can have is added to `odd`."""
    price = values.optional_amount(row.get(price_field)) or _NOTHING
    size = values.optional_amount(row.get(size_field)) or _NOTHING
    if price != 0 and not _is_price(price):
        odd.append(f"{name} {price}")
        return _NOTHING, _NOTHING
    if not 0 <= size <= _MOST_SHARES:
        odd.append(f"{name} size {size}")
        return _NOTHING, _NOTHING
    return price, size


def _is_price(price: Decimal) -> bool:
    least, most = _PRICES
    return least <= price <= most


def _stamp(raw: object, odd: list[str]) -> datetime | None:
    """A time stamp, or None for one that is missing or of another age of the market."""
    try:
        at = values.optional_timestamp(raw)
    except OverflowError:
        at = None
    earliest, latest = _STAMPS
    if at is not None and earliest <= at < latest:
        return at
    if raw is not None and raw != "":
        odd.append(f"time stamp {raw}")
    return None
