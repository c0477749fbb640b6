"""Sizing: a plan's parent orders, each checked against the account and the listing before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal

from repeg.domain.broker import Asset
from repeg.domain.errors import InvalidPlan
from repeg.domain.frozen import Frozen
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import EVERYTHING, OrdersPlan, Plan, PlanOrder, TargetsPlan
from repeg.domain.quote import Side


class Holdings(Frozen):
    """The account at intake: equity in dollars, and per symbol the shares held (negative when short) and how many of
    them no open order has reserved.

    The distance to a weight is measured from the shares owned; how many can be sold depends on the free ones. A stop
    order reserves shares but does not reduce the holding.
    """

    equity: Decimal
    held: dict[str, Decimal]
    available: dict[str, Decimal]

    def owned(self, symbol: str) -> Decimal:
        """Shares held, negative when short."""
        return self.held.get(symbol, Decimal(0))

    def free(self, symbol: str) -> Decimal:
        """Shares that can be sold: held long and not reserved by an open order."""
        return max(Decimal(0), min(self.owned(symbol), self.available.get(symbol, Decimal(0))))


def symbols_of(plan: Plan) -> list[str]:
    """The symbols of a plan, in the plan's order."""
    return [order.symbol for order in plan.orders] if isinstance(plan, OrdersPlan) else list(plan.targets)


def require_tradable(plan: Plan, assets: Mapping[str, Asset]) -> None:
    """Refuse a symbol that the broker does not list or trade, and a fraction of one that trades in whole shares only.

    Raises InvalidPlan naming the field."""
    for field, symbol, qty in _lines(plan):
        asset = assets.get(symbol)
        if asset is None:
            raise InvalidPlan(field, symbol, "a symbol that the broker lists")
        if not asset.is_tradable:
            raise InvalidPlan(field, symbol, "a symbol that is tradable at the broker")
        if qty is not None and qty != qty.to_integral_value() and not asset.is_fractionable:
            raise InvalidPlan(
                field.replace("symbol", "qty"), qty, f"whole shares: {symbol} does not trade in fractions"
            )


def parent_orders(
    run_id: str, plan: Plan, holdings: Holdings, prices: Mapping[str, Decimal], fractionable: frozenset[str]
) -> list[ParentOrder]:
    """The parent orders of a plan, sorted by symbol. Raises InvalidPlan naming what cannot be done.

    Long only: no more is sold than is held and free. A weight becomes whole shares for a buy (rounded down, so that it
    never costs more than its weight) and the exact holding for a full exit.
    """
    orders = (
        [
            _from_order(run_id, f"plan.orders[{index}]", order, holdings, prices)
            for index, order in enumerate(plan.orders)
        ]
        if isinstance(plan, OrdersPlan)
        else _from_targets(run_id, plan, holdings, prices)
    )
    ready = [order.trading_in_fractions(fractionable=order.symbol in fractionable) for order in orders]
    return sorted(ready, key=lambda order: order.symbol)


def _from_order(
    run_id: str, field: str, wanted: PlanOrder, holdings: Holdings, prices: Mapping[str, Decimal]
) -> ParentOrder:
    held, free = holdings.owned(wanted.symbol), holdings.free(wanted.symbol)
    qty = free if wanted.qty == EVERYTHING else Decimal(wanted.qty)
    if wanted.side is Side.SELL and (free <= 0 or qty > free):
        raise InvalidPlan(f"{field}.qty", wanted.qty, f"at most the {free} {wanted.symbol} held and free")
    if wanted.side is Side.BUY and held < 0:
        raise InvalidPlan(f"{field}.symbol", wanted.symbol, f"a symbol that is not held short ({held})")
    return ParentOrder(
        run_id=run_id,
        symbol=wanted.symbol,
        side=wanted.side,
        target=qty,
        reference_price=_price(f"{field}.symbol", wanted.symbol, prices),
    )


def _from_targets(
    run_id: str, plan: TargetsPlan, holdings: Holdings, prices: Mapping[str, Decimal]
) -> list[ParentOrder]:
    orders = []
    for symbol, weight in plan.targets.items():
        price = _price(f"plan.targets.{symbol}", symbol, prices)
        held, free = holdings.owned(symbol), holdings.free(symbol)
        if held < 0:
            raise InvalidPlan(f"plan.targets.{symbol}", held, "a symbol that is not held short")
        change = _change(weight, held, holdings.equity, price)
        if change == 0 or abs(change) * price < plan.min_trade_notional:
            continue
        if -change > free:
            raise InvalidPlan(
                f"plan.targets.{symbol}", weight, f"a weight that sells at most the {free} {symbol} held and free"
            )
        side = Side.BUY if change > 0 else Side.SELL
        orders.append(ParentOrder(run_id=run_id, symbol=symbol, side=side, target=abs(change), reference_price=price))
    return orders


def _change(weight: Decimal, held: Decimal, equity: Decimal, price: Decimal) -> Decimal:
    """Shares to buy (positive) or sell (negative) to reach a weight; a full exit sells the exact holding."""
    if weight == 0:
        return -held
    wanted = equity * weight / price
    if wanted >= held:
        return (wanted - held).to_integral_value(ROUND_FLOOR)
    return -(held - wanted).to_integral_value(ROUND_FLOOR)


def _price(field: str, symbol: str, prices: Mapping[str, Decimal]) -> Decimal:
    price = prices.get(symbol)
    if price is None or price <= 0:
        raise InvalidPlan(field, symbol, "a symbol with a price: the feed has neither quote nor trade for it")
    return price


def _lines(plan: Plan) -> list[tuple[str, str, Decimal | None]]:
    if isinstance(plan, OrdersPlan):
        return [
            (f"plan.orders[{index}].symbol", order.symbol, order.qty if isinstance(order.qty, Decimal) else None)
            for index, order in enumerate(plan.orders)
        ]
    return [(f"plan.targets.{symbol}", symbol, None) for symbol in plan.targets]
