"""Figures as a trader reads them: a book with its sizes, times of the day, lengths of time, dollars."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from repeg.domain.quote import Quote, format_price
from repeg.domain.session import NEW_YORK

_CENT = Decimal("0.01")
_FINE = Decimal("0.0001")


def book(quote: Quote | None) -> str:
    """Both sides with the shares that they display."""
    if quote is None:
        return "no quote"
    bid = f"bid {format_price(quote.bid)} ({shares(quote.bid_size)})" if quote.bid > 0 else "no bid"
    ask = f"ask {format_price(quote.ask)} ({shares(quote.ask_size)})" if quote.ask > 0 else "no ask"
    return f"{bid} × {ask}"


def price(amount: Decimal) -> str:
    """A price, to a hundredth of a cent at most."""
    return format_price(amount.quantize(_FINE))


def shares(qty: Decimal) -> str:
    """A number of shares."""
    return f"{qty.normalize():f}"


def dollars(amount: Decimal) -> str:
    """An amount with its cents and separators."""
    return f"{amount.quantize(_CENT):,}"


def clock(at: datetime) -> str:
    """The time of the day in New York."""
    return f"{at.astimezone(NEW_YORK):%H:%M:%S}"


def span(length: timedelta) -> str:
    """A length of time in its two largest units, such as 4m07s."""
    seconds = max(0, round(length.total_seconds()))
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minute:02}m"
    return f"{minutes}m{second:02}s" if minutes else f"{second}s"


def percent(part: Decimal) -> str:
    """A percentage, with as many digits as a spread needs."""
    return f"{part:.2f} %" if part < 10 else f"{part:.0f} %"


def plural(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
