"""How many shares each sell may be placed for: never more than are held, so that no sell opens a short."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder
from repeg.workflow.quote_check import hold_order
from repeg.workflow.turn import Turn


def sellable_quantities(turn: Turn, sells: Sequence[ParentOrder]) -> dict[str, Decimal]:
    """Shares that each waiting sell may be placed for now, zero if none are held any more.

    The plan was checked against the account when the run opened; another run or a person may have sold since. The
    broker refuses a sell of more than is left, but accepts a sell of a symbol that is not held at all as a short sale.
    """
    held = holdings(turn)
    return {order.symbol: _sellable(turn, order, held.get(order.symbol, Decimal(0))) for order in sells}


def holdings(turn: Turn) -> dict[str, Decimal]:
    """Shares held by symbol, negative when short; shares reserved by open orders are included."""
    return {position.symbol: position.qty for position in turn.ports.broker.positions()}


def _sellable(turn: Turn, order: ParentOrder, held: Decimal) -> Decimal:
    qty = max(Decimal(0), min(order.remaining, held))
    if qty >= order.remaining:
        return qty
    if qty > 0:
        turn.journal(order.symbol, "scale", f"{order.remaining} → {qty}", f"only {held} are still held")
        return qty
    hold_order(turn, order, HoldReason.NOT_HELD, "no shares are held any more")
    return qty
