"""Whether a waiting order's book may be traded on, and what it looked like when it first could be."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from repeg.domain.parent_order import ParentOrder
from repeg.domain.peg import Moment, check_market_quote, describe
from repeg.domain.pricing import collar
from repeg.domain.quote import Quote, QuoteVerdict, age_seconds, format_price
from repeg.domain.settings import Settings
from repeg.workflow.turn import Turn

# A feed has no word for a halt. A quote this old in a session is the only hint it gives.
HALT_AGE_SECONDS = 300

HALTED = "halted"


class QuoteCheck(BaseModel):
    """What is to be said of an order's book: whether it may be traded on, and the collar that then holds."""

    model_config = ConfigDict(frozen=True)

    gate: QuoteVerdict
    collar: Decimal | None = None


def check_waiting_order(order: ParentOrder, quote: Quote | None, moment: Moment, settings: Settings) -> QuoteCheck:
    """Whether a waiting order's book may be traded on. The first that may fixes the order's collar, for good."""
    answer = check_market_quote(order, quote, moment.now, settings)
    if answer is not QuoteVerdict.OK or quote is None or order.arrival is not None:
        return QuoteCheck(gate=answer, collar=order.collar)
    day = moment.now.date()
    return QuoteCheck(gate=answer, collar=collar(order.side, quote, settings.max_slippage_bps, day, settings.tick_size))


def apply_quote_check(turn: Turn, order: ParentOrder, quote: Quote | None) -> ParentOrder:
    """The order after a look at its book: held with a reason, or free, with its arrival quote and its collar fixed."""
    moment, settings = turn.present, turn.settings(order.symbol)
    verdict = check_waiting_order(order, quote, moment, settings)
    why = Ruling("validation.judge", {"order": order, "quote": quote, "moment": moment, "settings": settings}, verdict)
    if verdict.gate is not QuoteVerdict.OK or quote is None:
        words = describe(quote, verdict.gate, moment.now)
        return hold_order(turn, order, hold_reason(turn, quote, verdict.gate), words, why)
    freed = order.model_copy(update={"held": ""}) if is_held_by_book(order) else order
    if freed.arrival is None:
        freed = freed.model_copy(update={"arrival": quote, "collar": verdict.collar})
        detail = "" if verdict.collar is None else f"collar {format_price(verdict.collar)}"
        turn.note(order.symbol, "accept", detail, describe(quote, verdict.gate, moment.now), *why)
    return turn.ports.store.save_order(freed) if freed != order else order


class Ruling(NamedTuple):
    """A rule, what it was asked and what it answered, as a journal's entry keeps them."""

    rule: str
    inputs: dict[str, BaseModel | None]
    answer: BaseModel


def hold_order(turn: Turn, order: ParentOrder, reason: str, because: str, why: Ruling | None = None) -> ParentOrder:
    """The order, held; a reason that is news is told and saved, the same reason again is neither."""
    if order.held == reason:
        return order
    turn.note(order.symbol, "hold", "", because, *(why or ()))
    return turn.ports.store.save_order(order.model_copy(update={"held": reason}))


def hold_reason(turn: Turn, quote: Quote | None, answer: QuoteVerdict) -> str:
    """The gate's reason; a quote that has stood still for minutes is called halted."""
    age = age_seconds(quote, turn.now) if quote is not None else None
    return HALTED if answer is QuoteVerdict.STALE and age is not None and age >= HALT_AGE_SECONDS else str(answer)


def is_held_by_book(order: ParentOrder) -> bool:
    """Whether the book is what holds the order, and not money or a refusal."""
    return order.held in set(QuoteVerdict) or order.held == HALTED
