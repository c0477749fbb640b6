"""Prices and quantities: integers inside the exchange, Decimal at its interfaces, never float."""

from decimal import Decimal
from typing import Final

PRICE_SCALE: Final = 10_000
"""Price units per dollar: one unit is the finest price US equities are quoted in."""

QTY_SCALE: Final = 1_000_000_000
"""Quantity units per share: the broker accepts nine decimals of a share."""

_PRICE_STEP: Final = Decimal(1).scaleb(-4)
_QTY_STEP: Final = Decimal(1).scaleb(-9)


def to_price(dollars: Decimal) -> int:
    """Dollars as price units. Raises ValueError if the price is finer than 1/10,000 dollar."""
    return _exact(dollars, PRICE_SCALE, "price")


def price(units: int) -> Decimal:
    """Price units as dollars, always with four decimals."""
    return (Decimal(units) / PRICE_SCALE).quantize(_PRICE_STEP)


def to_qty(shares: Decimal) -> int:
    """Shares as quantity units. Raises ValueError if finer than nine decimals of a share."""
    return _exact(shares, QTY_SCALE, "quantity")


def qty(units: int) -> Decimal:
    """Quantity units as shares, always with nine decimals."""
    return (Decimal(units) / QTY_SCALE).quantize(_QTY_STEP)


def tick_at(price: int) -> int:
    """The minimum price increment in price units: a cent from one dollar up, 1/10,000 dollar below."""
    return PRICE_SCALE // 100 if price >= PRICE_SCALE else 1


def whole_shares(units: int) -> int:
    """The whole shares in a quantity; a book displays no fractions."""
    return units // QTY_SCALE


def _exact(value: Decimal, scale: int, what: str) -> int:
    if not value.is_finite():
        raise ValueError(f"{what} {value} is not a finite number")
    scaled = value * scale
    units = int(scaled)
    if units != scaled:
        raise ValueError(f"{what} {value} is finer than 1/{scale:,}")
    return units
