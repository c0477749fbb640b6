"""Quotes: the top of the book, and the check whether it may be traded on."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from pydantic import Field

from repeg.domain.frozen import Frozen
from repeg.domain.round_lot import round_lot
from repeg.domain.tick import increment

_CENT = Decimal("0.01")

# The broker's clock and the feed's may differ by this much. A quote from further in the future has a wrong time stamp.
CLOCK_ERROR_SECONDS = 2

# The feed does not report halts. A quote this old during the session is the only sign of one.
HALT_AGE_SECONDS = 300


class Side(StrEnum):
    """Which way a parent order trades."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """+1 for a buy, -1 for a sell: the direction in which a price gets worse for us."""
        return 1 if self is Side.BUY else -1


class Quote(Frozen):
    """Best bid and offer of a symbol. Prices in dollars, sizes in shares, `at` the quote's own time.

    A price of zero means that the side is empty. `at` is None if the feed gave no time stamp. `impossible` has the
    values of the feed that no market can have, in words: they were taken as missing.
    """

    symbol: str
    bid: Decimal
    bid_size: Decimal
    ask: Decimal
    ask_size: Decimal
    at: datetime | None
    impossible: str = Field(default="", exclude_if=lambda words: not words)

    @property
    def mid(self) -> Decimal:
        """Half way between bid and ask, exact."""
        return (self.bid + self.ask) / 2

    @property
    def spread(self) -> Decimal:
        """Ask less bid, in dollars."""
        return self.ask - self.bid

    def near(self, side: Side) -> Decimal:
        """The best price on our own side of the book."""
        return self.bid if side is Side.BUY else self.ask

    def near_size(self, side: Side) -> Decimal:
        """Shares displayed at the best price on our own side."""
        return self.bid_size if side is Side.BUY else self.ask_size

    def far(self, side: Side) -> Decimal:
        """The best price on the other side: what an impatient order pays."""
        return self.ask if side is Side.BUY else self.bid


def format_price(price: Decimal) -> str:
    """Dollars as a trader writes them: with cents, and with more decimals only where there are more."""
    cents = price.quantize(_CENT)
    return f"{cents if cents == price else price.normalize():f}"


class QuoteVerdict(StrEnum):
    """Whether a quote may be traded on, and if not, why."""

    OK = "use"
    MISSING = "missing"
    ONE_SIDED = "one_sided"
    CROSSED = "crossed"
    LOCKED = "locked"
    STALE = "stale"
    WIDE = "wide"
    THIN = "thin"


class QuoteLimits(Protocol):
    """The settings that the quote check reads."""

    @property
    def oldest_quote_seconds(self) -> int: ...
    @property
    def max_spread_pct(self) -> Decimal: ...
    @property
    def min_volume_shares(self) -> int: ...


def check_quote(quote: Quote | None, side: Side, now: datetime, limits: QuoteLimits) -> QuoteVerdict:
    """The first reason not to trade on this quote, in the order a trader would ask, or `use`.

    A quote without a time stamp, or with one in the future, is stale: its age is not known.
    """
    if quote is None:
        return QuoteVerdict.MISSING
    if quote.bid <= 0 or quote.ask <= 0:
        return QuoteVerdict.ONE_SIDED
    if quote.bid > quote.ask:
        return QuoteVerdict.CROSSED
    if quote.bid == quote.ask:
        return QuoteVerdict.LOCKED
    age = age_seconds(quote, now)
    if age is None or not -CLOCK_ERROR_SECONDS <= age <= limits.oldest_quote_seconds:
        return QuoteVerdict.STALE
    day = now.date()
    if is_wider(quote, limits.max_spread_pct, day):
        return QuoteVerdict.WIDE
    # One round lot is the smallest size of a protected quote, so no book with it is thin.
    size = quote.near_size(side)
    if size < limits.min_volume_shares and size < round_lot(quote.near(side), day):
        return QuoteVerdict.THIN
    return QuoteVerdict.OK


def is_wider(quote: Quote, max_spread_pct: Decimal | int, day: date) -> bool:
    """Whether a spread is over that percentage of the mid. A spread of one tick never is: it cannot be narrower."""
    is_over = quote.spread * 200 > max_spread_pct * (quote.bid + quote.ask)  # twice the mid: a division costs more
    return is_over and quote.spread > increment(quote.bid, day)


def age_seconds(quote: Quote, now: datetime) -> float | None:
    """The age of the quote in seconds, negative for a time stamp in the future; None if it has no time stamp."""
    return None if quote.at is None else (now - quote.at).total_seconds()


def is_at_most(quote: Quote, now: datetime, seconds: int) -> bool:
    """Whether a quote is known to be no older than that."""
    age = age_seconds(quote, now)
    return age is not None and age <= seconds
