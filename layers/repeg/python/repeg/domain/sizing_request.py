"""Sizing as one decision: everything that a plan is turned into orders from, and the orders."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from repeg.domain.frozen import Frozen
from repeg.domain.open_orders import OpenOrders
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import OrdersPlan, TargetsPlan
from repeg.domain.sizing import Holdings, parent_orders
from repeg.domain.sizing_price import SizingPrice

_HUNDRED = Decimal(100)


class SizingRequest(Frozen):
    """A run's plan, and the account, prices and open orders that it is sized from."""

    run_id: str
    plan: OrdersPlan | TargetsPlan
    holdings: Holdings
    prices: dict[str, SizingPrice]
    fractionable: tuple[str, ...] = ()
    open_orders: dict[str, OpenOrders] = Field(default_factory=dict)

    def weight_of(self, symbol: str) -> Decimal | None:
        """The part of the equity that a holding is, in percent; None without a price or without equity."""
        price = self.prices[symbol].best if symbol in self.prices else None
        if price is None or self.holdings.equity <= 0:
            return None
        return self.holdings.owned(symbol) * price / self.holdings.equity * _HUNDRED

    def target_of(self, symbol: str) -> Decimal | None:
        """The weight that the plan wants, in percent; None in a plan of orders, and for a symbol that it lacks."""
        if not isinstance(self.plan, TargetsPlan) or symbol not in self.plan.targets:
            return None
        return self.plan.targets[symbol] * _HUNDRED


class Sizing(Frozen):
    """The orders of a plan, one for each of its lines; those that are not traded have an outcome."""

    orders: tuple[ParentOrder, ...]


def size(request: SizingRequest) -> Sizing:
    """The plan's orders. Raises InvalidPlan naming what cannot be done."""
    orders = parent_orders(
        request.run_id,
        request.plan,
        request.holdings,
        request.prices,
        frozenset(request.fractionable),
        request.open_orders,
    )
    return Sizing(orders=tuple(orders))
