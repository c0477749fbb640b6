"""How many shares an order is sent for, decided again: all that may be sent, or the piece that its book takes."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from repeg.domain.decision import Decision
from repeg.domain.fallback import FALLBACK, priced_from
from repeg.domain.journal import Entry
from repeg.domain.pieces import makes_way, piece
from repeg.domain.quote import QuoteVerdict, Side

_Models = Mapping[str, Any]

_VERDICTS = frozenset(QuoteVerdict)


class Sent(NamedTuple):
    """What a placement was sent for, and the most that it could have been: the rest of its order, or what cash was
    granted for. `follows`: the rule makes the one of the other."""

    qty: Decimal
    most: Decimal
    follows: bool = True


def sent_of(entry: Entry, models: _Models, decision: Decision, granted: Decimal | None) -> Sent | None:
    """What an entry says was sent; None for one that placed no order of its own, such as a move, which takes over what
    its predecessor has left. `granted` are the shares of a buy that the last decision on the cash let go."""
    side, _, rest = entry.detail.partition(" ")
    if not decision.sends or side not in set(Side):
        return None
    qty, order = Decimal(rest.partition(" ")[0]), models["order"]
    most = granted if granted and order.side is Side.BUY else order.remaining
    return Sent(qty, most, follows=size_of(models, decision, most) == qty)


def size_of(models: _Models, decision: Decision, most: Decimal) -> Decimal:
    """The shares that a decision is sent for, at most so many."""
    order, quote = models["order"], priced_from(models["order"], models["quote"])
    if quote is None:
        return most
    return piece(order, quote, decision, most, models["moment"], models["settings"])


def makes_way_for_the_rest(models: _Models, decision: Decision) -> bool:
    """Whether an open piece is cancelled for the whole rest, which comes before what was decided on its price."""
    if decision.reason in _VERDICTS or decision.reason == FALLBACK:
        return False
    return makes_way(models["order"], models["moment"], models["settings"])
