"""Limits: what orders and runs may cost, the allow-list, and the budgets that intents are committed against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from repeg.domain.child_order import Child, ChildState
from repeg.domain.errors import BudgetSpent, RefusedRun
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, Side
from repeg.domain.settings import Settings

_UNSEEN = frozenset({ChildState.NEVER_ARRIVED, ChildState.LOST})


@dataclass(frozen=True)
class BudgetEntry:
    """Dollars and orders to commit against a shared budget row, and the most that the row may then hold.

    A maximum of None means no limit.
    """

    key: str
    notional: Decimal
    orders: int
    max_notional: Decimal | None
    max_orders: int | None


def market_order_collar(price: Decimal) -> Decimal:
    """How far beyond the quote a market order may trade, as a share of the price.

    Alpaca collars market orders; its documents gave 2.5 %, and 4 % below 50 dollars, and later about 2 %: the larger.
    """
    return Decimal("0.04") if price < 50 else Decimal("0.025")


def notional_of(qty: Decimal, limit: Decimal | None, quote: Quote, side: Side) -> Decimal:
    """The most that a child buy can cost, or what a sell is priced at, in dollars: at its limit, or, for a market
    order, at the far side, and for a buy as far beyond it as the broker lets a market order trade."""
    if limit is not None:
        return qty * limit
    far = quote.far(side)
    return qty * far * (1 + market_order_collar(far)) if side is Side.BUY else qty * far


def committed(children: Iterable[Child]) -> Decimal:
    """Dollars that children hold in the budgets: the filled part of a closed child, all of an open one.

    An open child and its replacement count once, at the larger amount: only one of them can fill.
    """
    known = list(children)
    done = sum((child.notional * child.filled / child.qty for child in known if child.is_closed), Decimal(0))
    return done + max((child.notional for child in known if not child.is_closed), default=Decimal(0))


def settled(order: ParentOrder) -> ParentOrder:
    """An order that sends no more, with what it keeps of the budgets: what it filled and what may still fill.

    An order that was given up unseen may turn up at the broker after all, so its parent gives nothing back.
    """
    spent = committed(order.children)
    may_turn_up = any(child.state in _UNSEEN and child.replaces is None for child in order.children)
    return order.keeping(max(order.committed, spent) if may_turn_up else spent)


def require_room(order: ParentOrder, settings: Settings) -> None:
    """Refuse a child that would take its order over the largest order allowed. Raises BudgetSpent naming the limit.

    `order` has the child in it, and its `committed` is what all its children can really cost."""
    limit = settings.for_symbol(order.symbol).max_order_notional
    if limit is not None and order.committed > limit:
        raise BudgetSpent(f"{order.symbol} could cost {order.committed:.2f}; max_order_notional is {limit}")


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
    """Refuse a plan with a symbol that is not on the allow-list, if there is one. Raises RefusedRun naming it."""
    for symbol in symbols:
        if settings.allowed_symbols is not None and symbol not in settings.allowed_symbols:
            raise RefusedRun(f"{symbol} is not among allowed_symbols: {', '.join(settings.allowed_symbols)}")
