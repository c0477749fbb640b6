"""Applying the quote check to waiting orders: hold them with a reason, or fix their arrival price and collar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from repeg.domain.decision_price import with_decision
from repeg.domain.errors import BrokerDenied, BrokerUnavailable
from repeg.domain.fallback import is_worth_keeping
from repeg.domain.journal import Ruling
from repeg.domain.journalled_rules import QUOTE_CHECK
from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import check_market_quote, describe
from repeg.domain.policy import SAMPLE_EVERY
from repeg.domain.quote import Quote, QuoteVerdict, format_price
from repeg.domain.quote_check import check_waiting_order, hold_reason, is_new_hold, is_repriced
from repeg.domain.seeding import SEEDED_BY, having_seeded
from repeg.workflow.saving import save_order
from repeg.workflow.turn import Turn


def past_quotes(turn: Turn, orders: Sequence[ParentOrder], quotes: Mapping[str, Quote]) -> dict[str, list[Quote]]:
    """The quotes of the last minutes for the orders that arrive now and are worked by looks, in one request.

    None if there is no such order, if the window has just opened, or if the feed does not give them: the usual spread
    is the present one then.
    """
    if turn.now - turn.window.opens < SAMPLE_EVERY:
        return {}
    arriving = [order.symbol for order in orders if order.arrival is None and _is_seeded(turn, order, quotes)]
    if not arriving:
        return {}
    try:
        return turn.ports.market.past_quotes(arriving, turn.now - SEEDED_BY, turn.now)
    except (BrokerUnavailable, BrokerDenied) as error:
        turn.warn("run", "unseeded", reason=str(error))
        return {}


def _is_seeded(turn: Turn, order: ParentOrder, quotes: Mapping[str, Quote]) -> bool:
    settings, quote = turn.settings(order.symbol), quotes.get(order.symbol)
    return settings.looks and check_market_quote(order, quote, turn.now, settings) is QuoteVerdict.OK


def apply_quote_check(turn: Turn, order: ParentOrder, quote: Quote | None, past: Sequence[Quote] = ()) -> ParentOrder:
    """The order after its quote check: held with a reason, or free to be placed, its arrival and collar fixed.

    `past` are the symbol's quotes of the last minutes, which an arriving order takes its usual spread from.
    """
    if order.held is HoldReason.OWNER:
        return order
    moment, settings = turn.present, turn.settings(order.symbol)
    check = check_waiting_order(order, quote, moment, settings)
    inputs = {"order": order, "quote": quote, "moment": moment, "settings": settings}
    ruling = Ruling(QUOTE_CHECK, inputs, check)
    book = describe(quote, check.gate, moment.now)
    arrival = check.arrival(order, quote, moment.now)
    if not check.frees or arrival is None:
        seen = with_decision(order, quote, moment.now)
        seen = seen.having_seen(quote) if is_worth_keeping(order, quote, moment.now, settings) and quote else seen
        held = hold_order(turn, seen, hold_reason(check.gate, quote, turn.now), book, ruling)
        if held is seen:
            turn.journal(order.symbol, "check", "", book, ruling)
        return save_order(turn, seen) if held is seen and seen is not order else held
    free = order.released() if is_held_by_book(order) else order
    free = free.held_by_book(order.held_by_book_since if check.is_fallback else None)
    if free.arrival is None and is_repriced(order, arrival):
        seen = with_decision(order, arrival, moment.now)
        return hold_order(turn, seen, HoldReason.REPRICED, f"{book}, sized at {order.sized_at}", ruling)
    if free.arrival is None:
        free = free.arrived(arrival, check.collar, check.arm)
        free = having_seeded(free, past, moment.now, turn.window.opens, settings)
        detail = "" if check.collar is None else f"collar {format_price(check.collar)}"
        detail += "" if check.arm is None else f", {check.arm} arm"
        turn.journal(order.symbol, "accept", detail, book, ruling)
    return save_order(turn, free) if free != order else order


def hold_order(
    turn: Turn, order: ParentOrder, reason: HoldReason, because: str, ruling: Ruling | None = None
) -> ParentOrder:
    """Put the order on hold, unless its owner has moved it. Journals and saves only if the reason has changed."""
    if order.held is HoldReason.OWNER or not is_new_hold(order, reason):
        return order
    turn.journal(order.symbol, "hold", "", because, ruling)
    return save_order(turn, order.on_hold(reason, turn.now))


def is_held_by_book(order: ParentOrder) -> bool:
    """Whether the order's quote is what holds it, rather than money or a refusal."""
    return order.held is not None and order.held.is_of_the_book
