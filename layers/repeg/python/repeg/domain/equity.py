"""The account's equity, with the plan's holdings at fresh prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from repeg.domain.broker import Position
from repeg.domain.sizing_price import SizingPrice


def revalued(equity: Decimal, positions: Iterable[Position], prices: Mapping[str, SizingPrice]) -> Decimal:
    """Equity in dollars, with each position that has a price to size with valued at that price.

    The broker values a position at its last trade, whatever its age. A wrong value of one holding would change the
    size of every weight. A position without a fresh price, or that the broker gives no price for, keeps the broker's
    value.
    """
    known = ((position, prices.get(position.symbol)) for position in positions)
    changes = [
        position.qty * (found.price - position.price)
        for position, found in known
        if found is not None and found.price is not None and position.price is not None
    ]
    return sum(changes, equity)
