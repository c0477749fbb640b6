"""A journalled decision on an order, as models: what it was made from, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from repeg.adapters.journal.files import Journalled
from repeg.domain.child_order import Child
from repeg.domain.decision import Decision
from repeg.domain.journalled_rules import NEXT_ACTION, QUOTE_CHECK
from repeg.domain.look import usual_spread
from repeg.domain.moment import Moment
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, Side
from repeg.domain.quote_check import QuoteCheck
from repeg.domain.settings import Settings
from repeg.domain.symbol_settings import STORED
from repeg.domain.tick import increment

# The rules that decide on one order from its quote.
ON_A_QUOTE = frozenset({NEXT_ACTION, QUOTE_CHECK})


@dataclass(frozen=True)
class Decided:
    """One decision. `answer` is a Decision of the next action, or the QuoteCheck of a waiting order."""

    order: ParentOrder
    quote: Quote | None
    moment: Moment
    settings: Settings
    answer: Decision | QuoteCheck

    @property
    def side(self) -> Side:
        """The order's side."""
        return self.order.side

    @property
    def reason(self) -> str:
        """The answer's reason in one word: the verdict on the quote of a waiting order."""
        return str(self.answer.gate) if isinstance(self.answer, QuoteCheck) else self.answer.reason

    @property
    def near_name(self) -> str:
        """What our own side of the book is called."""
        return "bid" if self.side is Side.BUY else "ask"

    @property
    def far_name(self) -> str:
        """What the other side of the book is called."""
        return "ask" if self.side is Side.BUY else "bid"

    @property
    def child(self) -> Child | None:
        """The order's open child."""
        return self.order.open_child

    @property
    def has_book(self) -> bool:
        """Whether the quote has two sides, uncrossed."""
        return self.quote is not None and 0 < self.quote.bid < self.quote.ask

    @cached_property
    def ticks(self) -> int:
        """The spread in ticks; 0 without a book."""
        quote = self.quote
        if quote is None or not self.has_book:
            return 0
        return int(quote.spread / increment(quote.bid, self.moment.now.date()))

    @property
    def usual_ticks(self) -> int:
        """The symbol's usual spread in ticks, the present one without samples."""
        return usual_spread(self.order.spreads) or self.ticks

    @property
    def spread_pct(self) -> Decimal:
        """The spread in percent of the mid; 0 without a book."""
        return self.quote.spread / self.quote.mid * 100 if self.quote is not None and self.has_book else Decimal(0)

    @property
    def worked_for(self) -> timedelta:
        """The time since the order was first placed."""
        first = self.order.first_placed_at
        return timedelta(0) if first is None else self.moment.now - first


def decided_of(journalled: Journalled) -> Decided | None:
    """The decision of an entry; None for another entry, and for one whose inputs or answer this release cannot read."""
    if journalled.entry.rule not in ON_A_QUOTE or not isinstance(journalled.entry.answer, (Decision, QuoteCheck)):
        return None
    try:
        return _read(journalled.inputs, journalled.entry.answer)
    except (KeyError, TypeError, ValueError, ValidationError):
        return None


def _read(inputs: Mapping[str, Any], answer: Decision | QuoteCheck) -> Decided:
    return Decided(
        order=ParentOrder.model_validate(inputs["order"]),
        quote=None if inputs["quote"] is None else Quote.model_validate(inputs["quote"]),
        moment=Moment.model_validate(inputs["moment"]),
        settings=Settings.model_validate(inputs["settings"], context=STORED),
        answer=answer,
    )
