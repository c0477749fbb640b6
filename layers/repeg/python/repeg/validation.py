"""Whether a waiting order's book may be traded on, and what it looked like when it first could be."""

from __future__ import annotations

from repeg.order import ParentOrder
from repeg.peg import collar, describe, look
from repeg.quote import Gate, Quote, age_seconds
from repeg.turn import Turn

# A feed has no word for a halt. A quote this old in a session is the only hint it gives.
HALT_AGE_SECONDS = 300

HALTED = "halted"


def accept(turn: Turn, order: ParentOrder, quote: Quote | None) -> ParentOrder:
    """The order after a look at its book: held with a reason, or free, with its arrival quote and its collar fixed."""
    now = turn.now
    settings = turn.settings(order.symbol)
    answer = look(order, quote, now, settings)
    if answer is not Gate.USE or quote is None:
        return hold(turn, order, held_word(turn, quote, answer), describe(quote, answer, now))
    freed = order.model_copy(update={"held": ""}) if is_held_by_book(order) else order
    if freed.arrival is None:
        worst = collar(order.side, quote, settings.max_slippage_bps, now.date(), settings.tick_size)
        freed = freed.model_copy(update={"arrival": quote, "collar": worst})
    return turn.ports.store.save_order(freed) if freed != order else order


def hold(turn: Turn, order: ParentOrder, reason: str, because: str) -> ParentOrder:
    """The order, held; a reason that is news is told and saved, the same reason again is neither."""
    if order.held == reason:
        return order
    turn.note(order.symbol, "hold", reason=because)
    return turn.ports.store.save_order(order.model_copy(update={"held": reason}))


def held_word(turn: Turn, quote: Quote | None, answer: Gate) -> str:
    """The gate's reason; a quote that has stood still for minutes is called halted."""
    age = age_seconds(quote, turn.now) if quote is not None else None
    return HALTED if answer is Gate.STALE and age is not None and age >= HALT_AGE_SECONDS else str(answer)


def is_held_by_book(order: ParentOrder) -> bool:
    """Whether the book is what holds the order, and not money or a refusal."""
    return order.held in set(Gate) or order.held == HALTED
