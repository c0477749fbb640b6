"""The pegging rule: where an order rests, when it moves, and when it escalates."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from repeg.domain import tick
from repeg.domain.child_order import Child, Rung
from repeg.domain.control import CONTROL, at_market, is_control_due
from repeg.domain.decision import Action, Decision, book_in_words, hold
from repeg.domain.fallback import FALLBACK, fallback_rung, is_fallback_due
from repeg.domain.moment import Moment
from repeg.domain.parent_order import ParentOrder
from repeg.domain.pieces import is_patience_spent
from repeg.domain.policy import decide_look
from repeg.domain.pricing import affordable, inside, limit_for, worse_by
from repeg.domain.quote import Quote, QuoteVerdict, Side, age_seconds, check_quote, format_price, is_at_most
from repeg.domain.setting_types import Escalation
from repeg.domain.settings import Settings

MARKET_ORDERS = "market_orders"
# Why an order escalates.
EXHAUSTED = frozenset({"patience_spent", "moves_spent", "close_is_near"})

LADDERS: dict[Escalation, tuple[Rung, ...]] = {
    Escalation.NONE: (Rung.PASSIVE,),
    Escalation.MID: (Rung.PASSIVE, Rung.MID),
    Escalation.CROSS: (Rung.PASSIVE, Rung.MID, Rung.CROSS),
    Escalation.MARKET: (Rung.PASSIVE, Rung.MID, Rung.CROSS, Rung.MARKET),
}


def decide(order: ParentOrder, quote: Quote | None, moment: Moment, settings: Settings) -> Decision:
    """The next action for one order, from its fills, its quote, the time and the settings of its symbol.

    Nothing but its quote bounds the price of an order without a limit, so none is sent on a quote that is older than
    configured, whatever the feed.
    """
    decision = _on_any_quote(order, quote, moment, settings)
    if not decision.sends or decision.limit is not None or quote is None:
        return decision
    if is_at_most(quote, moment.now, settings.max_quote_age_seconds):
        return decision
    return hold(order, QuoteVerdict.STALE, describe(quote, QuoteVerdict.STALE, moment.now))


def _on_any_quote(order: ParentOrder, quote: Quote | None, moment: Moment, settings: Settings) -> Decision:
    if order.remaining <= 0:
        return Decision(verb=Action.FINISH, reason="filled", because="filled", rung=order.rung)
    answer = check_market_quote(order, quote, moment.now, settings)
    if quote is not None and answer is QuoteVerdict.OK:
        return _decide(order, quote, moment, settings)
    if quote is not None and answer is QuoteVerdict.THIN:
        pressed = _decide(order, quote, moment, settings)
        if is_escalation(pressed):
            return pressed
    seen = describe(quote, answer, moment.now)
    if order.collar is not None and is_fallback_due(order, quote, moment, settings):
        return _fall_back(order, fallback_rung(quote, moment.now, settings), seen, moment.now.date(), settings)
    return hold(order, answer, seen)


def is_escalation(decision: Decision) -> bool:
    """Whether a decision is for an order whose patience is exhausted, so that a thin near side does not hold it.

    Few shares on our own side make a poor place to rest. What an escalation pays is bounded by the collar and by the
    size on the far side.
    """
    if not decision.sends or decision.reason in {MARKET_ORDERS, CONTROL}:
        return False
    return decision.rung in {Rung.MID, Rung.CROSS, Rung.MARKET} or decision.reason in EXHAUSTED


def _decide(order: ParentOrder, quote: Quote, moment: Moment, settings: Settings) -> Decision:
    """The next action on a book that passes the check, or that only too few shares keep from passing."""
    if order.collar is None:
        return hold(order, "not_arrived", f"{book_in_words(quote)}, no arrival price yet")
    child, day = order.open_child, moment.now.date()
    if is_control_due(order, quote, moment.now, settings):
        return at_market(quote)
    if child is not None and child.is_control:
        return hold(order, "working", f"{child.rung}, {book_in_words(quote)}")
    if settings.looks and not moment.close_is_near:
        return decide_look(order, quote, moment, settings)
    rung, urgency = due_rung(order, quote, moment, settings)
    if child is None:
        return _start(order, quote, rung, urgency, day, settings)
    if rung is not child.rung and (urgency or child.rung is not Rung.TAKE):
        return _escalate(order, quote, rung, urgency, day, settings)
    return _keep_up(order, child, quote, day, settings)


def check_market_quote(order: ParentOrder, quote: Quote | None, now: datetime, settings: Settings) -> QuoteVerdict:
    """The quote check for an order that may itself be in the quote.

    While our own order is the best price, the quote does not show the size behind it, so it cannot be called thin.
    """
    answer = check_quote(quote, order.side, now, settings)
    if answer is not QuoteVerdict.THIN or quote is None:
        return answer
    child = order.open_child
    return QuoteVerdict.OK if child is not None and child.limit == quote.near(order.side) else answer


def due_rung(order: ParentOrder, quote: Quote, moment: Moment, settings: Settings) -> tuple[Rung, str]:
    """The rung to price at now, and what has exhausted the patience (empty if nothing has, or no rung would improve).

    A rung whose price is no better than the present one is skipped: at a one-tick spread the mid is no improvement.
    """
    if settings.trades_at_market:
        return Rung.MARKET, MARKET_ORDERS
    ladder = LADDERS[settings.escalation]
    is_anew = order.rung is Rung.TAKE or (order.child is not None and order.child.is_control)
    resting = Rung.PASSIVE if is_anew else order.rung
    if resting not in ladder:  # a fallback went further than the ladder does: it rests where it is
        return (order.rung if order.open_child is not None else _last_limit(ladder)), ""
    at = ladder.index(resting)
    urgency = _spent(order, quote, moment, settings)
    if not urgency:
        return ladder[at], ""
    first = max(at + 1, ladder.index(_last_limit(ladder))) if moment.close_is_near else at + 1
    gaining = (rung for rung in ladder[first:] if _gains(rung, order, quote, moment.now.date(), settings))
    rung = next(gaining, None)
    return (rung, urgency) if rung is not None else (ladder[at], "")


def describe(quote: Quote | None, answer: QuoteVerdict, now: datetime) -> str:
    """The quote in words, and what is wrong with it."""
    if quote is None:
        return "no quote"
    book = book_in_words(quote) + (f", impossible: {quote.impossible}" if quote.impossible else "")
    if answer is QuoteVerdict.STALE:
        return f"{book}, stale: {_age_in_words(age_seconds(quote, now))}"
    return book if answer is QuoteVerdict.OK else f"{book}, {answer.replace('_', ' ')}"


def _age_in_words(age: float | None) -> str:
    if age is None:
        return "no time stamp"
    return f"{age:.0f}s old" if age >= 0 else f"stamped {-age:.0f}s in the future"


def _spent(order: ParentOrder, quote: Quote, moment: Moment, settings: Settings) -> str:
    if moment.close_is_near:
        return "close_is_near"
    if order.first_placed_at is None:
        return ""
    if is_patience_spent(order.first_placed_at, timedelta(seconds=settings.patience_seconds), moment, settings):
        return "patience_spent"
    child = order.open_child
    if child is None or order.moves < settings.max_repegs:
        return ""
    return "moves_spent" if _left_behind(order.side, child, quote, moment.now.date(), settings) else ""


def _left_behind(side: Side, child: Child, quote: Quote, day: date, settings: Settings) -> Decimal:
    """Dollars by which the near side has moved away from a resting child, if that is enough to move it; else zero."""
    if child.limit is None or child.rung is Rung.CROSS:
        return Decimal(0)
    gap = worse_by(side, quote.near(side), child.limit)
    is_enough = gap >= tick.tick_at(child.limit, day, settings.tick_size)
    return gap if is_enough and gap * 100 > settings.repeg_threshold_pct * child.limit else Decimal(0)


def _last_limit(ladder: tuple[Rung, ...]) -> Rung:
    return next(rung for rung in reversed(ladder) if rung is not Rung.MARKET)


def _gains(rung: Rung, order: ParentOrder, quote: Quote, day: date, settings: Settings) -> bool:
    """Whether a rung's price is better than the one at which the order rests, or would rest."""
    limit, child = limit_for(rung, order, quote, day, settings), order.open_child
    resting = child.limit if child is not None and child.limit is not None else inside(order, quote.near(order.side))
    return limit is None or worse_by(order.side, limit, resting) > 0


def _start(order: ParentOrder, quote: Quote, rung: Rung, urgency: str, day: date, settings: Settings) -> Decision:
    limit = limit_for(rung, order, quote, day, settings)
    verb = Action.CROSS if rung in {Rung.CROSS, Rung.MARKET} else Action.PLACE
    reason = urgency or (_kind_of_place(order, quote, limit) if rung is Rung.PASSIVE else str(rung))
    return Decision(
        verb=verb, reason=reason, because=f"{book_in_words(quote)}, {_words(reason)}", rung=rung, limit=limit
    )


def _fall_back(order: ParentOrder, rung: Rung, seen: str, day: date, settings: Settings) -> Decision:
    limit, where = None, "to the market"
    if rung is not Rung.MARKET and order.collar is not None:
        limit, where = affordable(order, order.collar, day, settings), "to the collar"
    return Decision(verb=Action.CROSS, reason=FALLBACK, because=f"{seen}, fallback {where}", rung=rung, limit=limit)


def _kind_of_place(order: ParentOrder, quote: Quote, limit: Decimal | None) -> str:
    if limit == quote.near(order.side):
        return "join"
    if limit == order.collar:
        return "collar"
    is_behind = limit is not None and worse_by(order.side, quote.near(order.side), limit) > 0
    return "order_notional" if is_behind else "improve"


def _escalate(order: ParentOrder, quote: Quote, rung: Rung, urgency: str, day: date, settings: Settings) -> Decision:
    limit = limit_for(rung, order, quote, day, settings)
    verb = Action.MOVE if rung is Rung.MID else Action.CROSS
    because = f"{book_in_words(quote)}, {_words(urgency)}"
    return Decision(verb=verb, reason=urgency, because=because, rung=rung, limit=limit)


def _keep_up(order: ParentOrder, child: Child, quote: Quote, day: date, settings: Settings) -> Decision:
    """Follow the near side when it has moved away. Our own order at the near side is never followed."""
    if child.limit is None or child.rung is Rung.CROSS:
        is_beyond = child.limit is not None and worse_by(order.side, quote.far(order.side), child.limit) > 0
        if is_beyond and _gains(child.rung, order, quote, day, settings):
            # It was sent below its rung's price, since a budget had room for no more.
            return _escalate(order, quote, child.rung, str(child.rung), day, settings)
        end = "collar" if child.limit == order.collar else "order_notional"
        return hold(order, end if is_beyond else "working", f"{child.rung}, {book_in_words(quote)}")
    name, verb = ("bid", "rose") if order.side is Side.BUY else ("ask", "fell")
    near = quote.near(order.side)
    if worse_by(order.side, near, child.limit) <= 0:
        return hold(order, "near", f"{name} {format_price(near)}, we are on top")
    if child.limit == order.collar:
        return hold(order, "collar", f"{name} {format_price(near)} is past the collar {format_price(order.collar)}")
    if child.limit < near and affordable(order, near, day, settings) <= child.limit:
        return hold(order, "order_notional", f"{name} {format_price(near)}, past {_words('order_notional')}")
    is_far_enough = _left_behind(order.side, child, quote, day, settings)  # seldom, and cheaper to find than the limit
    limit = limit_for(child.rung, order, quote, day, settings) if is_far_enough else None
    if limit is None or worse_by(order.side, limit, child.limit) <= 0:
        return hold(order, "near", f"{name} {format_price(near)}, not far enough")
    if order.moves >= settings.max_repegs:
        return hold(order, "moves_spent", f"{name} {format_price(near)}, all {settings.max_repegs} moves made")
    because = f"{name} {verb} to {format_price(near)}, move {order.moves + 1} of {settings.max_repegs}"
    return Decision(verb=Action.MOVE, reason="near_moved", because=because, rung=child.rung, limit=limit)


def _words(reason: str) -> str:
    words = {
        "improve": "improve by a tick",
        "join": "join the near side",
        "collar": "no better than the collar",
        "close_is_near": "the close is near",
        "order_notional": "what max_order_notional allows",
    }
    return words.get(reason, reason.replace("_", " "))
