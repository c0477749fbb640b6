"""Matches our orders against one symbol's day: which fill model, what an order, a fill and the shown book are."""

from dataclasses import dataclass
from enum import StrEnum


class FillModel(StrEnum):
    """How a resting order of ours is believed to fill; no tape can tell, so they are kept side by side."""

    TRADE_THROUGH = "trade_through"
    QUEUE = "queue"
    TOUCH = "touch"
    PAPER = "paper"


@dataclass(slots=True)
class BookOrder:
    """An order of ours in the book: side +1 buys, -1 sells; no limit means a market order; remaining in QTY units."""

    id: str
    side: int
    limit: int | None
    remaining: int
    displayed: bool = True


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of ours: when (ns), at what price (price units), how much (QTY units)."""

    order_id: str
    at: int
    price: int
    quantity: int


@dataclass(frozen=True, slots=True)
class BookQuote:
    """The best bid and offer as the data feed shows it; sizes in shares, an absent side is price 0 and size 0."""

    at: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    bid_venue: str
    ask_venue: str
