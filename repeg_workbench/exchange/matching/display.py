"""The displayed book: the tape plus our displayed orders, minus the size that we took."""

from collections.abc import Mapping
from typing import NamedTuple

from repeg_workbench.exchange.market.symbol_day import Quotes
from repeg_workbench.exchange.matching.side import BookSide


class BookQuote(NamedTuple):
    """The displayed best bid and offer, and the time (ns) since which it holds.

    Prices in price units, sizes in whole shares; an absent side has price 0 and size 0; a venue is a letter, or empty
    if unknown.
    """

    at: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    bid_venue: str
    ask_venue: str


def row_quote(quotes: Quotes, row: int) -> BookQuote:
    """A row of the tape, without our orders."""
    bid, ask = quotes.bid.item(row), quotes.ask.item(row)
    return BookQuote(  # by position, which takes half as long as by name
        quotes.ts.item(row),
        bid,
        quotes.bid_size.item(row) if bid else 0,
        ask,
        quotes.ask_size.item(row) if ask else 0,
        letter(quotes.bid_venue.item(row)),
        letter(quotes.ask_venue.item(row)),
    )


def with_ours(quote: BookQuote, row: int, sides: Mapping[int, BookSide], changed: int) -> BookQuote:
    """The row with our orders, dated by our last change to it. A better price of ours takes the tape's venue."""
    buys, sells = sides[1], sides[-1]
    bid, bid_size = _shown(buys, sells, 1, (quote.bid, quote.bid_size), row)
    ask, ask_size = _shown(sells, buys, -1, (quote.ask, quote.ask_size), row)
    shown = (bid, bid_size, ask, ask_size)
    if changed <= quote.at and shown == (quote.bid, quote.bid_size, quote.ask, quote.ask_size):
        return quote
    return BookQuote(max(quote.at, changed), bid, bid_size, ask, ask_size, quote.bid_venue, quote.ask_venue)


def letter(code: int) -> str:
    """A venue's letter, empty if unknown."""
    return chr(code) if code else ""


def _shown(ours: BookSide, takers: BookSide, side: int, recorded: tuple[int, int], row: int) -> tuple[int, int]:
    price, size = recorded
    if price and takers.has_taken():
        left = takers.far_left(row)
        price, size = -side * left.price, left.size
    own = ours.own_best() if ours.orders else None
    if own is None or (price and own.price < price * side):
        return price, size
    return own.price * side, own.size + (size if own.price == price * side else 0)
