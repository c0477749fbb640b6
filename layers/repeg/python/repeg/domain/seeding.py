"""The usual spread of an arriving order, from the quotes of the minutes before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from repeg.domain.parent_order import ParentOrder
from repeg.domain.policy import SAMPLE_EVERY, SAMPLES, book_of, spread_sample
from repeg.domain.quote import Quote
from repeg.domain.settings import Settings

# How far back an arriving order's samples are seeded from: a little more than they span, for the quote in force then.
SEEDED_BY = SAMPLES * SAMPLE_EVERY


def having_seeded(
    order: ParentOrder, quotes: Sequence[Quote], now: datetime, opens: datetime, settings: Settings
) -> ParentOrder:
    """The order with the spreads of the minutes before its arrival as samples, as if it had been looked at then.

    `quotes` are the symbol's, oldest first. At each time at which a sample would have been due, the quote in force
    counts, if there is one among them and it has two sides. Not before the window has opened: beside the spreads of the
    opening minutes, which are two to four times wider, and of the time before, any spread would look tight.
    """
    samples = []
    for due in (now - ago * SAMPLE_EVERY for ago in range(SAMPLES - 1, 0, -1)):
        if due < opens:
            continue
        quote = next((each for each in reversed(quotes) if each.at is not None and each.at <= due), None)
        if quote is not None and 0 < quote.bid < quote.ask:
            samples.append(spread_sample(order, book_of(order.side, quote, now.date(), settings), now.date(), settings))
    return order.having_sampled(tuple(samples), now - SAMPLE_EVERY) if samples else order
