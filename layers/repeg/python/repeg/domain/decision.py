"""The decision of a look: what to do with an order now, and why."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from repeg.domain.child_order import Rung
from repeg.domain.frozen import Frozen
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, format_price

# Moves that do not go towards the far side, which are not counted: they use up no patience.
UNCOUNTED = frozenset({"retreat", "step_back", "stay"})


class Action(StrEnum):
    """What to do with an order now."""

    PLACE = "place"
    HOLD = "hold"
    MOVE = "move"
    CROSS = "cross"
    FINISH = "finish"


_SENDING = frozenset({Action.PLACE, Action.MOVE, Action.CROSS})


class Decision(Frozen):
    """What to do with an order, at which limit, at which rung, and why.

    `reason` is one word for statistics, `because` the sentence for the tape. `limit` is None for a market order.
    """

    verb: Action
    reason: str
    because: str
    rung: Rung
    limit: Decimal | None = None

    @property
    def sends(self) -> bool:
        """Whether acting on it sends a new child."""
        return self.verb in _SENDING

    def at(self, limit: Decimal) -> Decision:
        """The same decision at another limit; a market order becomes a limit order, one rung below."""
        rung = Rung.CROSS if self.rung is Rung.MARKET else self.rung
        return self.model_copy(update={"limit": limit, "rung": rung})

    def as_move(self, reason: str, limit: Decimal) -> Decision:
        """This decision as a move to a limit for a reason."""
        return self.model_copy(update={"verb": Action.MOVE, "reason": reason, "limit": limit})

    def in_place_of(self, first: Decision) -> Decision:
        """This decision, made again after the old child was cancelled for `first`: to place is then to move."""
        if self.verb is not Action.PLACE:
            return self
        reason = "retreat" if first.is_counted else first.reason
        return self.model_copy(update={"verb": first.verb, "reason": reason}) if first.is_move else self

    @property
    def is_move(self) -> bool:
        """Whether it moves a resting child without crossing."""
        return self.verb is Action.MOVE

    @property
    def is_counted(self) -> bool:
        """Whether it is a move that counts towards `max_repegs`."""
        return self.is_move and self.reason not in UNCOUNTED


def hold(order: ParentOrder, reason: str, because: str) -> Decision:
    """Leave the order as it is."""
    child = order.open_child
    limit = child.limit if child is not None else None
    return Decision(verb=Action.HOLD, reason=reason, because=because, rung=order.rung, limit=limit)


def book_in_words(quote: Quote) -> str:
    """The two prices of a quote."""
    bid = f"bid {format_price(quote.bid)}" if quote.bid else "no bid"
    ask = f"ask {format_price(quote.ask)}" if quote.ask else "no ask"
    return f"{bid} × {ask}"
