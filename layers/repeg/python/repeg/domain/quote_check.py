"""The quote check of a waiting order: whether its book may be traded on, and the collar that the first one fixes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from repeg.domain.frozen import Frozen
from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import Moment, check_market_quote
from repeg.domain.pricing import collar
from repeg.domain.quote import Quote, QuoteVerdict, age_seconds
from repeg.domain.settings import Settings

# The feed does not report halts. A quote this old during the session is the only sign of one.
HALT_AGE_SECONDS = 300


class QuoteCheck(Frozen):
    """The result for one order: the verdict on its quote (`gate`, as journals name it), and the collar from then on."""

    gate: QuoteVerdict
    collar: Decimal | None = None


def check_waiting_order(order: ParentOrder, quote: Quote | None, moment: Moment, settings: Settings) -> QuoteCheck:
    """Whether a waiting order's quote may be traded on. The first accepted quote fixes the order's collar."""
    verdict = check_market_quote(order, quote, moment.now, settings)
    if verdict is not QuoteVerdict.OK or quote is None or order.arrival is not None:
        return QuoteCheck(gate=verdict, collar=order.collar)
    day = moment.now.date()
    worst = collar(order.side, quote, settings.max_slippage_bps, day, settings.tick_size)
    return QuoteCheck(gate=verdict, collar=worst)


def hold_reason(verdict: QuoteVerdict, quote: Quote | None, now: datetime) -> HoldReason:
    """The hold that a verdict leads to; a quote that has not changed for minutes counts as a halt."""
    age = age_seconds(quote, now) if quote is not None else None
    if verdict is QuoteVerdict.STALE and age is not None and age >= HALT_AGE_SECONDS:
        return HoldReason.HALTED
    return HoldReason(verdict.value)
