"""Control orders: which orders take part in the experiment, and when one is sent at the market."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from repeg.domain.arm import Arm, drawn
from repeg.domain.child_order import Rung
from repeg.domain.decision import Action, Decision, book_in_words
from repeg.domain.limits import notional_of
from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder
from repeg.domain.pieces import far_size
from repeg.domain.quote import Quote, is_at_most
from repeg.domain.settings import Settings

# The reason of a control order's decision, and of its intent.
CONTROL = "control"

# A market order under one share always pays the far side of the market's quote, so it would say nothing of others.
LEAST_SHARES = 1


def arm_of(order: ParentOrder, arrival: Quote, now: datetime, settings: Settings) -> Arm | None:
    """The arm of an order that arrives on a quote; None if it takes no part.

    An order that could not be sent at the market on this quote takes no part in either arm, so that the two differ by
    the draw alone. Where every order is a market order there is nothing to compare.
    """
    if settings.control_share <= 0 or settings.trades_at_market:
        return None
    return drawn(order.run_id, order.symbol, settings.control_share) if _fits(order, arrival, now, settings) else None


def is_control_due(order: ParentOrder, quote: Quote, now: datetime, settings: Settings) -> bool:
    """Whether an order is now sent as a control order: drawn, nothing sent for it yet, and small enough for this quote.

    One that a budget had no room for, or whose book shows less by the time of its cash, is worked as usual; it stays in
    its arm.
    """
    if order.arm is not Arm.CONTROL or order.held is HoldReason.BUDGET:
        return False
    return all(child.may_pass for child in order.children) and _fits(order, quote, now, settings)


def without_draw(order: ParentOrder) -> ParentOrder:
    """An order as one that takes no part, to decide how a part of it is worked as usual."""
    return order if order.arrival is None else order.arrived(order.arrival, order.collar)


def at_market(quote: Quote) -> Decision:
    """The decision for a control order."""
    because = f"{book_in_words(quote)}, a control order, to the market"
    return Decision(verb=Action.CROSS, reason=CONTROL, because=because, rung=Rung.MARKET)


def _fits(order: ParentOrder, quote: Quote, now: datetime, settings: Settings) -> bool:
    """Whether what is left may be sent at the market: no more than is displayed, nor than the dollars allowed, on a
    quote that is new enough for an order without a limit."""
    qty = order.remaining
    if not LEAST_SHARES <= qty <= far_size(quote, order.side):
        return False
    cost = notional_of(qty, None, quote, order.side)
    return cost <= _most(settings) and is_at_most(quote, now, settings.max_quote_age_seconds)


def _most(settings: Settings) -> Decimal:
    """Dollars that a control order may cost."""
    of_an_order = settings.max_order_notional
    return settings.control_max_notional if of_an_order is None else min(settings.control_max_notional, of_an_order)
