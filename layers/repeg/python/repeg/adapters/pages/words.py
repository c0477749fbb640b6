"""Numbers and times as a page shows them: the same in every browser, whatever its language and its time zone."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from repeg.domain.clustered import Mean
from repeg.domain.session import NEW_YORK

NOTHING = "–"
_CENT = Decimal("0.01")


def dollars(amount: Decimal | None) -> str:
    """Dollars with cents, a thousands separator and a minus sign."""
    if amount is None:
        return NOTHING
    sign = "−" if amount.quantize(_CENT) < 0 else ""
    return f"{sign}${abs(amount):,.2f}"


def number(value: Decimal | None, digits: int = 2) -> str:
    """A number with so many digits after the point."""
    if value is None:
        return NOTHING
    text = f"{value:,.{digits}f}"
    return text[1:] if text.strip("-0.,") == "" and text.startswith("-") else text.replace("-", "−")


def bps(value: Decimal | None) -> str:
    """Basis points."""
    return NOTHING if value is None else f"{number(value)} bps"


def shares(value: Decimal | None) -> str:
    """Shares, with as many decimals as there are."""
    return NOTHING if value is None else f"{value.normalize():,f}"


def price(value: Decimal | None) -> str:
    """A price a share: cents, and up to four decimals where there are more."""
    if value is None:
        return NOTHING
    return f"{value:,.2f}" if value == value.quantize(_CENT) else f"{value:,.4f}"


def interval(mean: Mean | None, unit: str = "") -> str:
    """A 95 % confidence interval."""
    if mean is None or mean.low is None or mean.high is None:
        return NOTHING
    return f"{number(mean.low)} to {number(mean.high)}{unit}"


def clock(at: datetime | None) -> str:
    """A time of day in New York."""
    return NOTHING if at is None else f"{at.astimezone(NEW_YORK):%H:%M:%S}"


def day(on: date | None) -> str:
    """A date, with the day of the week in English."""
    weekdays = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    return "" if on is None else f"{weekdays[on.weekday()]}, {on.isoformat()}"


def seconds(took: Decimal | None) -> str:
    """A duration, in seconds or in minutes and seconds."""
    if took is None:
        return NOTHING
    if took < 60:
        return f"{took.normalize():f} s"
    minutes, rest = divmod(int(took), 60)
    return f"{minutes} min {rest:02} s"
