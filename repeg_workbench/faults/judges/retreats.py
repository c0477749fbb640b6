"""Retreats of the policy of looks: the price of an order whose predecessor, alone at its price, hides the others'."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from repeg_workbench.exchange.broker.ledger import OrderEvent
from repeg_workbench.faults.judges.placed import PRICE, Parent
from repeg_workbench.faults.judges.record import MINUTE, ServedQuote
from repeg_workbench.faults.judges.rules import Book, book_of

# What is usual of a spread is known from so long.
USUAL_FOR = 5 * MINUTE


def is_behind_own_quote(
    event: OrderEvent, parent: Parent, books: Iterable[Book], served: Iterable[ServedQuote]
) -> bool:
    """Whether a limit lies behind the order before, on a book whose near side may be that order's, shown late.

    The others' side is then not seen. It is assumed to be at most as far from the far side as in a quote that the run
    was served in the last minutes.
    """
    before = [order.arrival for order in parent.orders if order.arrival.at < event.at]
    if not before or before[-1].limit is None or event.limit is None:
        return False
    limit, own = event.limit * PRICE, before[-1].limit * PRICE
    recent = [book_of(quote, event.side, quote.at) for quote in served if quote.at >= event.at - USUAL_FOR]
    widest = max((book.ask - book.bid for book in recent), default=Decimal(0))
    furthest = [book.far - event.side * widest for book in books if book.near == own]
    return event.side * (own - limit) >= 0 and any(event.side * (limit - each) >= 0 for each in furthest)
