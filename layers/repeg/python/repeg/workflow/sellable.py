"""How much each sell may be placed for now: never more than is still held, so that no sale opens a short."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from repeg.domain.parent_order import ParentOrder
from repeg.workflow.quote_check import hold_order
from repeg.workflow.turn import Turn

NOT_HELD = "not_held"


def sellable_quantities(turn: Turn, sells: Sequence[ParentOrder]) -> dict[str, Decimal]:
    """Shares that each waiting sell may be placed for now, zero where none are held any more.

    The plan was held against the account when the run opened; since then another run or a person may have sold. The
    broker refuses a sell of more than is left, but takes one of nothing at all as a short sale.
    """
    held = holdings(turn)
    return {order.symbol: _supply(turn, order, held.get(order.symbol, Decimal(0))) for order in sells}


def holdings(turn: Turn) -> dict[str, Decimal]:
    """Shares held by symbol, negative when short, whoever's order has reserved them."""
    return {position.symbol: position.qty for position in turn.ports.broker.positions()}


def _supply(turn: Turn, order: ParentOrder, held: Decimal) -> Decimal:
    qty = max(Decimal(0), min(order.remaining, held))
    if qty >= order.remaining:
        return qty
    if qty > 0:
        turn.note(order.symbol, "scale", f"{order.remaining} → {qty}", f"only {held} are still held")
        return qty
    hold_order(turn, order, NOT_HELD, "none are held any more")
    return qty
