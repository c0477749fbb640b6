"""The price that a weight is turned into shares at: fresh, and not contradicted by the other source."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from repeg.domain.frozen import Frozen
from repeg.domain.quote import CLOCK_ERROR_SECONDS, Quote, format_price

# Older, a price says little about what an order will pay.
MAX_AGE = timedelta(seconds=300)
# Two prices further apart than this cannot both be right: a stale feed, a split, a stub quote.
MOST_APART = Decimal("0.10")


class Trade(Frozen):
    """The last trade of a symbol: its price in dollars, and when it was; None if the feed gave no time stamp."""

    price: Decimal
    at: datetime | None


class SizingPrice(Frozen):
    """The price that a weight is sized at, or None with the reason in words.

    `last` may be of any age. It only values orders whose quantity is given.
    """

    price: Decimal | None
    reason: str = ""
    last: Decimal | None = None

    @property
    def best(self) -> Decimal | None:
        """The price to size with, or else the last one: enough to value an order whose quantity is given."""
        return self.price if self.price is not None else self.last

    def of_any_age(self) -> SizingPrice:
        """This price with its last one to size with: enough to check a plan before the market opens."""
        return SizingPrice(price=self.best, reason=self.reason, last=self.last)


def sizing_price(quote: Quote | None, trade: Trade | None, now: datetime) -> SizingPrice:
    """The mid of a fresh quote, else the price of a fresh trade. None if there is neither, or if they contradict."""
    mid = quote.mid if quote is not None and _is_usable(quote) and is_fresh(quote.at, now) else None
    traded = trade.price if trade is not None and is_fresh(trade.at, now) else None
    if mid is not None and traded is not None and are_apart(traded, mid):
        both = f"quote mid {format_price(mid)} and last trade {format_price(traded)}"
        return SizingPrice(price=None, reason=f"{both} are more than 10 % apart", last=max(mid, traded))
    price = mid if mid is not None else traded
    if price is not None:
        return SizingPrice(price=price, last=price)
    old = quote.mid if quote is not None and _is_two_sided(quote) else None
    reason = f"{_of_quote(quote, now)}; {_of_trade(trade, now)}"
    return SizingPrice(price=None, reason=reason, last=trade.price if trade is not None else old)


def are_apart(price: Decimal, benchmark: Decimal) -> bool:
    """Whether two prices are more than a tenth of the benchmark apart."""
    return abs(price - benchmark) > MOST_APART * benchmark


def is_fresh(at: datetime | None, now: datetime) -> bool:
    """Whether a price is at most five minutes old; one without a time stamp, or from the future, is not."""
    return at is not None and -timedelta(seconds=CLOCK_ERROR_SECONDS) <= now - at <= MAX_AGE


def _is_two_sided(quote: Quote) -> bool:
    return quote.bid > 0 and quote.ask > 0


def _is_usable(quote: Quote) -> bool:
    """Whether the mid is a price: two sides, uncrossed, and closer together than two prices may be apart."""
    return _is_two_sided(quote) and quote.bid <= quote.ask and not are_apart(quote.ask, quote.bid)


def _of_quote(quote: Quote | None, now: datetime) -> str:
    if quote is None:
        return "no quote"
    if not _is_two_sided(quote):
        return "a one-sided quote"
    book = f"{format_price(quote.bid)} × {format_price(quote.ask)}"
    if quote.bid > quote.ask:
        return f"a crossed quote {book}"
    return f"quote {book}, {_age(quote.at, now)}" if not is_fresh(quote.at, now) else f"a quote as wide as {book}"


def _of_trade(trade: Trade | None, now: datetime) -> str:
    return "no trade" if trade is None else f"last trade {format_price(trade.price)}, {_age(trade.at, now)}"


def _age(at: datetime | None, now: datetime) -> str:
    """The age of a price in words, in the largest unit that it fills."""
    if at is None:
        return "of unknown age"
    seconds = int((now - at).total_seconds())
    if seconds < 0:
        return "from the future"
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit} old"
    return f"{seconds} seconds old"
