"""Parses single values of Alpaca's JSON. Raises TypeError, ValueError or InvalidOperation for any other form."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from repeg.domain.quote import Side

_NUMERIC = (str, int, Decimal)

# Powers of ten. A number such as 1e999999999 is short in JSON and a gigabyte when it is written out.
_MAX_MAGNITUDE = 30


def text(raw: object) -> str:
    """A string."""
    if not isinstance(raw, str):
        raise TypeError(f"{raw!r} is not a string")
    return raw


def flag(raw: object) -> bool:
    """A boolean."""
    if not isinstance(raw, bool):
        raise TypeError(f"{raw!r} is neither true nor false")
    return raw


def amount(raw: object) -> Decimal:
    """A finite number within all that money and shares can be, given as a string or as a JSON number."""
    if isinstance(raw, bool) or not isinstance(raw, _NUMERIC):
        raise TypeError(f"{raw!r} is not an amount")
    number = Decimal(raw)
    if not number.is_finite() or abs(number.adjusted()) > _MAX_MAGNITUDE:
        raise ValueError("not an amount")
    return number


def optional_amount(raw: object) -> Decimal | None:
    """An amount, or None if it is null or empty."""
    return None if raw is None or raw == "" else amount(raw)


def timestamp(raw: object) -> datetime:
    """A timestamp in UTC, truncated to microseconds."""
    instant = datetime.fromisoformat(text(raw))
    if instant.tzinfo is None:
        raise ValueError(f"{raw} has no time zone")
    return instant.astimezone(UTC)


def optional_timestamp(raw: object) -> datetime | None:
    """A timestamp, or None if it is null or empty."""
    return None if raw is None or raw == "" else timestamp(raw)


def readable_timestamp(raw: object) -> datetime | None:
    """A timestamp that nothing depends on but whose cancel it was; None if it is not one."""
    try:
        return optional_timestamp(raw)
    except (TypeError, ValueError, OverflowError):
        return None


def side(raw: object) -> Side:
    """Buy or sell; activities may also have sell_short."""
    return Side(text(raw).split("_", maxsplit=1)[0])
