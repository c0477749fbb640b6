"""What may be spent: limits on orders and runs, and which buys the cash is there for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from repeg.domain.child_order import Child
from repeg.domain.errors import RefusedRun
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, Side
from repeg.domain.settings import Settings


@dataclass(frozen=True)
class BudgetEntry:
    """An amount to commit against a shared budget row, and the most that the row may hold after it (None: no limit)."""

    key: str
    notional: Decimal
    orders: int
    max_notional: Decimal | None
    max_orders: int | None


class Need(BaseModel):
    """A buy that wants cash: shares, and the worst price that each may cost."""

    model_config = ConfigDict(frozen=True)

    symbol: str
    qty: Decimal
    worst_price: Decimal

    @property
    def cost(self) -> Decimal:
        """Dollars that the whole need may cost."""
        return self.qty * self.worst_price


class Funding(StrEnum):
    """Whether a buy may go: in full, in part, later when sells have paid for it, or not at all."""

    FUNDED = "funded"
    SCALED = "scaled"
    WAITS_FOR_SELLS = "waits_for_sells"
    UNFUNDED = "unfunded"


class Grant(BaseModel):
    """The shares that a buy may be placed for now."""

    model_config = ConfigDict(frozen=True)

    symbol: str
    funding: Funding
    qty: Decimal = Decimal(0)


def grant_cash(needs: Sequence[Need], spendable: Decimal, expected_from_sells: Decimal) -> list[Grant]:
    """Which buys may go now, biggest first, from the cash as read.

    A smaller buy may pass a bigger one that waits only where the cash that the open sells will bring covers both.
    With no sells left, what does not fit is cut to whole shares, or skipped; both are said.
    """
    grants: list[Grant] = []
    cash, waiting = spendable, Decimal(0)
    for need in sorted(needs, key=lambda n: (-n.cost, n.symbol)):
        grant = _grant(need, cash, expected_from_sells, waiting)
        if grant.funding is Funding.WAITS_FOR_SELLS:
            waiting += need.cost
        cash -= grant.qty * need.worst_price
        grants.append(grant)
    return grants


def _grant(need: Need, cash: Decimal, expected_from_sells: Decimal, waiting: Decimal) -> Grant:
    if need.cost <= min(cash, cash + expected_from_sells - waiting):
        return Grant(symbol=need.symbol, funding=Funding.FUNDED, qty=need.qty)
    if expected_from_sells > 0:
        return Grant(symbol=need.symbol, funding=Funding.WAITS_FOR_SELLS)
    qty = (max(cash, Decimal(0)) / need.worst_price).to_integral_value(ROUND_FLOOR)
    if qty <= 0:
        return Grant(symbol=need.symbol, funding=Funding.UNFUNDED)
    return Grant(symbol=need.symbol, funding=Funding.SCALED, qty=qty)


def worst_price(order: ParentOrder, quote: Quote | None) -> Decimal:
    """The most (buy) or least (sell) that a share may trade at: the collar, or the far side before there is one."""
    if order.collar is not None:
        return order.collar
    far = quote.far(order.side) if quote is not None else Decimal(0)
    return far if far > 0 else order.reference_price


def headroom(orders: Iterable[ParentOrder]) -> Decimal:
    """Dollars that open buys may need beyond what the broker holds for them: from their limits to their collars."""
    return sum((_headroom(order) for order in orders if order.side is Side.BUY), Decimal(0))


def expected_from_sells(orders: Iterable[ParentOrder]) -> Decimal:
    """Dollars that the run's unfinished sells will bring at the worst, at their collars."""
    unfinished = [order for order in orders if order.side is Side.SELL and order.outcome is None]
    return sum((order.remaining * worst_price(order, None) for order in unfinished), Decimal(0))


def notional_of(qty: Decimal, limit: Decimal | None, quote: Quote, side: Side) -> Decimal:
    """Dollars of a child order: at its limit, or at the far side for a market order."""
    return qty * (limit if limit is not None else quote.far(side))


def committed(children: Iterable[Child]) -> Decimal:
    """Dollars that children have taken: the filled part of a closed one, all of an open one.

    An open child and its replacement count once, as the dearer: only one of them can fill.
    """
    known = list(children)
    done = sum((child.notional * child.filled / child.qty for child in known if child.is_closed), Decimal(0))
    return done + max((child.notional for child in known if not child.is_closed), default=Decimal(0))


def require_within_limits(orders: Sequence[ParentOrder], settings: Settings) -> None:
    """Refuse a run whose orders are larger than its settings allow. Raises RefusedRun naming order and limit."""
    for order in orders:
        limit = settings.for_symbol(order.symbol).max_order_notional
        amount = order.target * order.reference_price
        if limit is not None and amount > limit:
            raise RefusedRun(f"{order.side} {order.symbol} is worth {amount:.2f}; max_order_notional is {limit}")
    total = sum((order.target * order.reference_price for order in orders), Decimal(0))
    if settings.max_run_notional is not None and total > settings.max_run_notional:
        raise RefusedRun(f"the run is worth {total:.2f}; max_run_notional is {settings.max_run_notional}")


def require_allowed(symbols: Iterable[str], settings: Settings) -> None:
    """Refuse a plan with a symbol that is not on the allow-list, where there is one. Raises RefusedRun naming it."""
    for symbol in symbols:
        if settings.allowed_symbols is not None and symbol not in settings.allowed_symbols:
            raise RefusedRun(f"{symbol} is not among allowed_symbols: {', '.join(settings.allowed_symbols)}")


def _headroom(order: ParentOrder) -> Decimal:
    """That of the open child that needs most: of an order and its replacement only one can fill."""
    return max((_needed(order, child) for child in order.open_children), default=Decimal(0))


def _needed(order: ParentOrder, child: Child) -> Decimal:
    if child.limit is None or order.collar is None:
        return Decimal(0)
    return max(Decimal(0), order.collar - child.limit) * child.remaining
