"""The decision price: what an order's shares were worth when its run could first trade.

Every order is checked in the run's first turn, also a buy that then waits for the cash of sells. The book of that
check is its arrival if it may be traded on. Otherwise the first book with a mid is kept beside the arrival, which
comes later.
"""

from __future__ import annotations

from datetime import datetime

from repeg.domain.fallback import has_mid
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.domain.settings_limits import WIDEST_SPREAD_PCT


def decision_book(order: ParentOrder) -> Quote | None:
    """The book whose mid is the decision price; None if none with a mid was seen. Rows of releases that did not keep it
    have the arrival's."""
    return order.decision or order.arrival


def with_decision(order: ParentOrder, quote: Quote | None, now: datetime) -> ParentOrder:
    """A held order with the first book that has a mid: two sides in order, current, and no stub."""
    if decision_book(order) is not None or quote is None or not has_mid(quote, now, WIDEST_SPREAD_PCT):
        return order
    return order.decided_on(quote)
