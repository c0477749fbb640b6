"""How many shares each sell may be placed for: never more than are held, so that no sell opens a short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal

from repeg.domain.outcome import HoldReason
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from repeg.domain.time_limits import HOLDINGS_AGE
from repeg.workflow.quote_check import hold_order
from repeg.workflow.turn import Turn


@dataclass(frozen=True)
class Holdings:
    """Shares held by symbol, negative when short, shares reserved by open orders included; read at `at`, our clock."""

    shares: Mapping[str, Decimal]
    at: datetime

    def of(self, symbol: str) -> Decimal:
        """Shares held of a symbol."""
        return self.shares.get(symbol, Decimal(0))


def read_holdings(turn: Turn) -> Holdings:
    """The account's holdings as the broker reports them now."""
    at = turn.ports.runtime.now()
    return Holdings({position.symbol: position.qty for position in turn.ports.broker.positions()}, at)


def current_holdings(turn: Turn, known: Holdings | None) -> Holdings:
    """Holdings that are fresh enough to sell on: those known, or a new read if they are too old."""
    if known is not None and turn.ports.runtime.now() - known.at <= HOLDINGS_AGE:
        return known
    return read_holdings(turn)


def sellable_quantities(turn: Turn, sells: Sequence[ParentOrder], held: Holdings) -> dict[str, Decimal]:
    """Shares that each waiting sell may be placed for now, zero if none are held any more."""
    return {order.symbol: _sellable(turn, order, held.of(order.symbol)) for order in sells}


def limit_to_holdings(turn: Turn, order: ParentOrder, qty: Decimal, known: Holdings | None) -> Decimal:
    """How much of `qty` may be sent: all of a buy, and of a sell no more than is still held.

    Another run or a person may have sold since the plan was checked. The broker refuses a sell of more than is left,
    but accepts a sell of a symbol that is not held at all as a short sale. So this comes before every sell is sent.
    """
    if order.side is Side.BUY:
        return qty
    return _at_most(order, qty, current_holdings(turn, known).of(order.symbol))


def _at_most(order: ParentOrder, qty: Decimal, held: Decimal) -> Decimal:
    """`qty` shares, or those that are held if they are fewer: whole ones, if the symbol does not trade in fractions."""
    if qty <= held:
        return qty
    left = max(Decimal(0), held)
    return left if order.fractionable else left.to_integral_value(ROUND_FLOOR)


def _sellable(turn: Turn, order: ParentOrder, held: Decimal) -> Decimal:
    qty = _at_most(order, order.remaining, held)
    if qty >= order.remaining:
        return qty
    if qty > 0:
        turn.journal(order.symbol, "scale", f"{order.remaining} → {qty}", f"only {held} are still held")
        return qty
    hold_order(turn, order, HoldReason.NOT_HELD, "no shares are held any more")
    return qty
