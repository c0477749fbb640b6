"""Applying the quote check to waiting orders: hold them with a reason, or fix their arrival price and collar."""

from __future__ import annotations

from repeg.domain.fallback import is_worth_keeping
from repeg.domain.journal import Ruling
from repeg.domain.journalled_rules import QUOTE_CHECK
from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import describe
from repeg.domain.quote import Quote, format_price
from repeg.domain.quote_check import check_waiting_order, hold_reason, is_repriced
from repeg.workflow.saving import save_order
from repeg.workflow.turn import Turn


def apply_quote_check(turn: Turn, order: ParentOrder, quote: Quote | None) -> ParentOrder:
    """The order after its quote check: held with a reason, or free to be placed, its arrival and collar fixed."""
    if order.held is HoldReason.OWNER:
        return order
    moment, settings = turn.present, turn.settings(order.symbol)
    check = check_waiting_order(order, quote, moment, settings)
    inputs = {"order": order, "quote": quote, "moment": moment, "settings": settings}
    ruling = Ruling(QUOTE_CHECK, inputs, check)
    book = describe(quote, check.gate, moment.now)
    arrival = check.arrival(order, quote, moment.now)
    if not check.frees or arrival is None:
        seen = order.having_seen(quote) if is_worth_keeping(order, quote, moment.now, settings) and quote else order
        held = hold_order(turn, seen, hold_reason(check.gate, quote, turn.now), book, ruling)
        return save_order(turn, seen) if held is seen and seen is not order else held
    free = order.released() if is_held_by_book(order) else order
    if free.arrival is None and is_repriced(order, arrival):
        return hold_order(turn, order, HoldReason.REPRICED, f"{book}, sized at {order.sized_at}", ruling)
    if free.arrival is None:
        free = free.arrived(arrival, check.collar)
        detail = "" if check.collar is None else f"collar {format_price(check.collar)}"
        turn.journal(order.symbol, "accept", detail, book, ruling)
    return save_order(turn, free) if free != order else order


def hold_order(
    turn: Turn, order: ParentOrder, reason: HoldReason, because: str, ruling: Ruling | None = None
) -> ParentOrder:
    """Put the order on hold, unless its owner has moved it. Journals and saves only if the reason has changed."""
    if order.held in {reason, HoldReason.OWNER}:
        return order
    turn.journal(order.symbol, "hold", "", because, ruling)
    return save_order(turn, order.on_hold(reason))


def is_held_by_book(order: ParentOrder) -> bool:
    """Whether the order's quote is what holds it, rather than money or a refusal."""
    return order.held is not None and order.held.is_of_the_book
