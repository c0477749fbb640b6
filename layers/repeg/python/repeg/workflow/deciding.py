"""The decision of one order in one turn, as it is made, journalled, and kept when nothing is sent."""

from __future__ import annotations

from decimal import Decimal

from repeg.domain import peg
from repeg.domain.control import CONTROL, without_draw
from repeg.domain.decision import Action, Decision
from repeg.domain.funding import worst_price
from repeg.domain.journal import Ruling
from repeg.domain.journalled_rules import NEXT_ACTION
from repeg.domain.limits import notional_of
from repeg.domain.moment import Moment
from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder
from repeg.domain.policy import having_looked
from repeg.domain.price_format import format_limit
from repeg.domain.quote import Quote, QuoteVerdict, Side
from repeg.domain.quote_check import hold_reason, is_new_hold
from repeg.workflow.leftovers import has_excess
from repeg.workflow.saving import save_order
from repeg.workflow.turn import Turn

VERDICTS = frozenset(QuoteVerdict)
_HELD_BY_PRICE = {"collar": HoldReason.COLLAR, "order_notional": HoldReason.ORDER_NOTIONAL}


def note_spread(turn: Turn, order: ParentOrder, quote: Quote | None) -> ParentOrder:
    """The order with the spread of this look among its samples, where the policy needs them."""
    return order if quote is None else having_looked(order, quote, turn.present, turn.settings(order.symbol))


def wants_to_send(turn: Turn, order: ParentOrder, quote: Quote | None) -> bool:
    """Whether an order's next decision sends a child; nothing is journalled. One that is only cancelled sends none."""
    return not _is_only_cancelled(order) and _decision(turn, order, quote, turn.present).sends


def market_move_cost(turn: Turn, order: ParentOrder, quote: Quote | None) -> Decimal | None:
    """Dollars beyond its collar that a buy's next move may cost, if that move is to market; None if it is not."""
    child = order.open_child
    if child is None or quote is None or order.side is Side.SELL or _is_only_cancelled(order):
        return None
    decision = _decision(turn, order, quote, turn.present)
    if not decision.sends or decision.limit is not None:
        return None
    return market_notional(order, quote) - worst_price(order, quote) * child.remaining


def _is_only_cancelled(order: ParentOrder) -> bool:
    return order.sends_no_more or has_excess(order)


def market_notional(order: ParentOrder, quote: Quote) -> Decimal:
    """Dollars that an order's open child may cost at most, moved to market on this quote."""
    child = order.open_child
    return Decimal(0) if child is None else notional_of(child.remaining, None, quote, order.side)


def decide_next(turn: Turn, order: ParentOrder, quote: Quote | None) -> tuple[Decision, Ruling]:
    """The next action, and what the journal keeps of how it was decided."""
    moment = turn.present
    decision = _decision(turn, order, quote, moment)
    inputs = {"order": order, "quote": quote, "moment": moment, "settings": turn.settings_now(order)}
    return decision, Ruling(NEXT_ACTION, inputs, decision)


def decide_start(turn: Turn, order: ParentOrder, quote: Quote | None, qty: Decimal) -> tuple[Decision, Ruling]:
    """How `qty` shares of a waiting order are sent. A control order is for all that is left: a part is worked as usual,
    because its cost says nothing of the whole order's."""
    decided = decide_next(turn, order, quote)
    if decided[0].reason == CONTROL and qty < order.remaining:
        return decide_next(turn, without_draw(order), quote)
    return decided


def keep_order(turn: Turn, order: ParentOrder, decision: Decision, quote: Quote | None, ruling: Ruling) -> ParentOrder:
    """Hold, and save a changed hold reason: it decides the outcome if the window closes now."""
    turn.journal(order.symbol, str(decision.verb), tape_detail(order, decision, Decimal(0)), decision.because, ruling)
    held = _held_by(turn, decision, quote)
    is_kept_piece = held is None and order.held is HoldReason.BUDGET and _is_piece(order)
    if is_kept_piece or not is_new_hold(order, held):
        return order
    return save_order(turn, order.released().held_by_book(None) if held is None else order.on_hold(held, turn.now))


def _is_piece(order: ParentOrder) -> bool:
    """Whether a piece of the order rests: while a budget has no room for the whole rest, it stays until it moves."""
    return order.open_child is not None and order.open_child.is_piece


def _decision(turn: Turn, order: ParentOrder, quote: Quote | None, moment: Moment) -> Decision:
    """The next action. A second call for the same order, quote and moment returns the first call's decision."""
    known = turn.decided.get(order.symbol)
    if known is not None and known[0] is order and known[1] is quote and known[2] is moment:
        return known[3]
    decision = peg.decide(order, quote, moment, turn.settings_now(order))
    turn.decided[order.symbol] = order, quote, moment, decision
    return decision


def _held_by(turn: Turn, decision: Decision, quote: Quote | None) -> HoldReason | None:
    if decision.reason not in VERDICTS:
        return _HELD_BY_PRICE.get(decision.reason)
    return hold_reason(QuoteVerdict(decision.reason), quote, turn.now)


def tape_detail(order: ParentOrder, decision: Decision, qty: Decimal) -> str:
    price = format_limit(decision.limit)
    child = order.open_child
    if decision.verb is Action.HOLD:
        return price if child is not None else ""
    if child is None:
        return f"{order.side} {qty} @ {price}"
    return f"{format_limit(child.limit)} → {price}"
