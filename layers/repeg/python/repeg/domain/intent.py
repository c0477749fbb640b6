"""Intents: what is meant to be sent, written to the store before it is sent."""

from __future__ import annotations

from decimal import Decimal

from pydantic import AwareDatetime

from repeg.domain.child_order import Rung
from repeg.domain.frozen import Frozen
from repeg.domain.quote import Quote, Side


class Intent(Frozen):
    """One order request, immutable once written.

    `limit` is None for a market order. `notional` is dollars: the most that a buy may cost, or what a sell is priced
    at. `quote` is the book that the limit was set from. The request must not be sent after `not_after`.
    """

    client_order_id: str
    symbol: str
    side: Side
    n: int
    qty: Decimal
    limit: Decimal | None
    notional: Decimal
    rung: Rung
    reason: str
    quote: Quote
    decided_at: AwareDatetime
    not_after: AwareDatetime | None = None
