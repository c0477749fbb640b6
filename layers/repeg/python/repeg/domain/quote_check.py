"""The quote check of a waiting order: whether its book may be traded on, and the collar that the first one fixes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from repeg.domain.arm import Arm
from repeg.domain.control import arm_of
from repeg.domain.fallback import fallback_arrival, is_fallback_due
from repeg.domain.frozen import Frozen
from repeg.domain.moment import Moment
from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import check_market_quote, decide, is_escalation
from repeg.domain.pricing import collar
from repeg.domain.quote import HALT_AGE_SECONDS, Quote, QuoteVerdict, age_seconds
from repeg.domain.settings import Settings
from repeg.domain.sizing_price import are_apart


class QuoteCheck(Frozen):
    """The result for one order: the verdict on its quote (`gate`, as journals name it), and the collar from then on.

    `is_fallback` frees an order although its quote does not pass. `arm` is drawn with the collar.
    """

    gate: QuoteVerdict
    collar: Decimal | None = None
    is_fallback: bool = False
    arm: Arm | None = None

    @property
    def frees(self) -> bool:
        """Whether the order may be placed."""
        return self.gate is QuoteVerdict.OK or self.is_fallback

    def arrival(self, order: ParentOrder, quote: Quote | None, now: datetime) -> Quote | None:
        """The order's arrival from this check on; None if it has none yet."""
        if order.arrival is not None or not self.frees:
            return order.arrival
        return fallback_arrival(order, quote, now) if self.is_fallback else quote


def check_waiting_order(order: ParentOrder, quote: Quote | None, moment: Moment, settings: Settings) -> QuoteCheck:
    """Whether a waiting order's quote may be traded on. The quote that frees the order first fixes its collar."""
    verdict = check_market_quote(order, quote, moment.now, settings)
    if verdict is QuoteVerdict.THIN and is_escalation(decide(order, quote, moment, settings)):
        verdict = QuoteVerdict.OK
    falls_back = verdict is not QuoteVerdict.OK and is_fallback_due(order, quote, moment, settings)
    check = QuoteCheck(gate=verdict, collar=order.collar, is_fallback=falls_back)
    arrival = check.arrival(order, quote, moment.now)
    if arrival is None or order.arrival is not None:
        return check
    day = moment.now.date()
    worst = collar(order.side, arrival, settings.max_slippage_bps, day, settings.tick_size)
    arm = None if falls_back else arm_of(order, arrival, moment.now, settings)
    return QuoteCheck(gate=verdict, collar=worst, is_fallback=falls_back, arm=arm)


def is_repriced(order: ParentOrder, quote: Quote) -> bool:
    """Whether an order's arrival mid is more than 10 % from the price at which its weight was turned into shares."""
    return order.sized_at is not None and are_apart(quote.mid, order.sized_at)


def hold_reason(verdict: QuoteVerdict, quote: Quote | None, now: datetime) -> HoldReason:
    """The hold that a verdict leads to; a quote that has not changed for minutes counts as a halt."""
    age = age_seconds(quote, now) if quote is not None else None
    if verdict is QuoteVerdict.STALE and age is not None and age >= HALT_AGE_SECONDS:
        return HoldReason.HALTED
    return HoldReason(verdict.value)


def is_new_hold(order: ParentOrder, reason: HoldReason | None) -> bool:
    """Whether a hold is not yet in the order's row. Rows of earlier releases lack the time since when a book holds."""
    lacks_time = reason is not None and reason.is_of_the_book and order.held_by_book_since is None
    return order.held is not reason or lacks_time
