"""Intents: what is meant to be sent, written to the store before it is sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from pydantic import AwareDatetime

from repeg.domain.child_order import Rung
from repeg.domain.frozen import Frozen
from repeg.domain.quote import Quote, Side
from repeg.domain.time_limits import SENDS_FOR


class Intent(Frozen):
    """One order request, immutable once written.

    `limit` is None for a market order. `notional` is dollars: the most that a buy may cost, or what a sell is priced
    at. `quote` is the book that the limit was set from. The request must not be sent after `not_after`, by our own
    clock.
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

    def expired_at(self, now: datetime) -> str:
        """Why the request must not be sent any more, in words; empty while it may be. `now` is our own clock."""
        if self.not_after is None or now <= self.not_after:
            return ""
        return f"deadline {self.not_after.isoformat()} has passed"

    def is_older_than(self, age: timedelta, now: datetime) -> bool:
        """Whether more than that may have passed since it was written. `now` is our own clock."""
        return self.not_after is None or now > self.not_after - SENDS_FOR + age

    def resent_until(self, not_after: datetime) -> Intent:
        """This intent as it is sent once more: a decision of its own, with its own deadline."""
        return self.model_copy(update={"not_after": not_after})
