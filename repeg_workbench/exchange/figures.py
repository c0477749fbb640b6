"""Converts between the exchange's exact integers and the trimmed decimal strings on the wire."""

import re
from decimal import Context, Decimal
from functools import lru_cache
from typing import Final

from repeg_workbench.exchange.units import PRICE_SCALE, QTY_SCALE

MONEY_SCALE: Final = PRICE_SCALE * QTY_SCALE
"""Money units per dollar: price units times quantity units, so that every trade's value is an exact integer."""

PRICE_DIGITS: Final = 4
QTY_DIGITS: Final = 9
MONEY_DIGITS: Final = 13

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_LARGEST_EXPONENT: Final = 30
_MOST_DIGITS: Final = 64
_WIDE: Final = Context(prec=200)


def text(units: int, digits: int) -> str:
    """Integer units with this many decimals as a trimmed decimal string: 1500000 with 4 is "150"."""
    if units < 0:
        return "-" + text(-units, digits)
    whole, part = divmod(units, 10**digits)
    if part == 0:
        return str(whole)
    return f"{whole}.{part:0{digits}d}".rstrip("0")


@lru_cache(maxsize=65_536)
def price_text(units: int) -> str:
    """Price units as dollars."""
    return text(units, PRICE_DIGITS)


@lru_cache(maxsize=65_536)
def qty_text(units: int) -> str:
    """Quantity units as shares."""
    return text(units, QTY_DIGITS)


def money_text(units: int) -> str:
    """Money units as dollars."""
    return text(units, MONEY_DIGITS)


def ratio_text(numerator: int, denominator: int, digits: int = 9) -> str:
    """A quotient, rounded half to even if it does not terminate within the digits."""
    return text(rounded(numerator * 10**digits, denominator), digits)


def rounded(numerator: int, denominator: int) -> int:
    """The quotient rounded to the nearest integer, halves to even."""
    whole, rest = divmod(numerator, denominator)
    doubled = 2 * rest
    if doubled > denominator or (doubled == denominator and whole % 2):
        return whole + 1
    return whole


def average_text(value: int, quantity: int) -> str:
    """The average price in dollars: money units divided by quantity units."""
    return ratio_text(value, quantity * PRICE_SCALE)


def money(dollars: Decimal) -> int:
    """Dollars as money units. Raises ValueError for amounts finer than one unit."""
    return exact(dollars, MONEY_DIGITS)


def exact(value: Decimal, digits: int) -> int:
    """A decimal as integer units. Raises ValueError if it has more decimals than digits."""
    scaled = _WIDE.scaleb(value, digits)
    units = int(scaled)
    if units != scaled:
        raise ValueError(f"{value} has more than {digits} decimals")
    return units


def number(value: object) -> Decimal | None:
    """A JSON number or numeric string as Decimal; None for anything else and for absurd magnitudes."""
    if isinstance(value, str):
        return _bounded(Decimal(value)) if _NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    return _bounded(Decimal(value))


def _bounded(value: Decimal) -> Decimal | None:
    is_usable = abs(value.adjusted()) <= _LARGEST_EXPONENT and len(value.as_tuple().digits) <= _MOST_DIGITS
    return value if is_usable else None
