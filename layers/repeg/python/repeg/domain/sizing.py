"""Sizing: a plan's parent orders, each checked against the account and the listing before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, ROUND_FLOOR, Decimal
from types import MappingProxyType

from repeg.domain.broker import Asset
from repeg.domain.dollar_orders import in_shares
from repeg.domain.drift import within_band
from repeg.domain.dust import MIN_NOTIONAL, is_dust
from repeg.domain.errors import InvalidPlan
from repeg.domain.frozen import Frozen
from repeg.domain.new_cash import buying_only
from repeg.domain.open_orders import NO_ORDERS, OpenOrders
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import EVERYTHING, OrdersPlan, Plan, PlanOrder, TargetsPlan
from repeg.domain.quote import Side, format_price
from repeg.domain.sizing_price import SizingPrice


class Holdings(Frozen):
    """The account at intake: equity and spendable cash in dollars, and per symbol the shares held (negative when short)
    and how many of them no open order has reserved.

    The distance to a weight is measured from the shares owned; how many can be sold depends on the free ones. A stop
    order reserves shares but does not reduce the holding.
    """

    equity: Decimal
    held: dict[str, Decimal]
    available: dict[str, Decimal]
    spendable: Decimal = Decimal(0)

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


def require_priced(plan: Plan, prices: Mapping[str, SizingPrice]) -> None:
    """Refuse a symbol for which the feed has neither a quote nor a trade of any age. Raises InvalidPlan naming it."""
    for field, symbol, _ in _lines(plan):
        _known(field, symbol, prices)


def parent_orders(
    run_id: str,
    plan: Plan,
    holdings: Holdings,
    prices: Mapping[str, SizingPrice],
    fractionable: frozenset[str],
    open_orders: Mapping[str, OpenOrders] = MappingProxyType({}),
) -> list[ParentOrder]:
    """A parent order for each line of the plan, sorted by symbol. Raises InvalidPlan naming what cannot be done.

    A line that is not traded is an order of no shares that is done from the start, with its reason. Long only: no more
    is sold than is held and free. A weight becomes whole shares, rounded so that its target is not overshot, and the
    exact holding for a full exit. Open orders count as if they were filled, where that leaves less to trade.
    """
    if isinstance(plan, OrdersPlan):
        orders = [
            _from_order(run_id, f"plan.orders[{index}]", order, holdings, prices)
            for index, order in enumerate(plan.orders)
        ]
    else:
        orders = [_from_weight(run_id, plan, symbol, holdings, prices, open_orders) for symbol in plan.targets]
        if plan.buy_only:
            orders = buying_only(orders, plan, holdings.equity, holdings.spendable)
    ready = [
        order.trading_in_fractions(fractionable=True) if order.symbol in fractionable else _in_whole_shares(order)
        for order in orders
    ]
    return sorted(ready, key=lambda order: order.symbol)


def _in_whole_shares(order: ParentOrder) -> ParentOrder:
    """The order of a symbol that does not trade in fractions. A split may have left a part of a share: it stays."""
    whole = order.target.to_integral_value(ROUND_FLOOR)
    if whole == order.target:
        return order
    rest = f"{(order.target - whole).normalize():f} of {order.target.normalize():f} cannot be sold: no fractions"
    note = "; ".join(filter(None, (order.note, rest)))
    after = order.cut_to(whole, note)
    return after if whole > 0 else after.done(Outcome.NO_TRADE, rest)


def _from_order(
    run_id: str, field: str, wanted: PlanOrder, holdings: Holdings, prices: Mapping[str, SizingPrice]
) -> ParentOrder:
    held, free = holdings.owned(wanted.symbol), holdings.free(wanted.symbol)
    if wanted.notional is not None:
        qty, note = in_shares(field, wanted, wanted.notional, free, prices[wanted.symbol].best)
    else:
        qty, note = free if wanted.qty == EVERYTHING else Decimal(wanted.qty or 0), ""
    if wanted.side is Side.SELL and (free <= 0 or qty > free):
        raise InvalidPlan(f"{field}.qty", wanted.qty, f"at most the {free} {wanted.symbol} held and free")
    if wanted.side is Side.BUY and held < 0:
        raise InvalidPlan(f"{field}.symbol", wanted.symbol, f"a symbol that is not held short ({held})")
    price, found = _known(f"{field}.symbol", wanted.symbol, prices), prices[wanted.symbol]
    line = _untraded(run_id, wanted.symbol, wanted.side, price)
    if wanted.notional is not None and found.price is None:
        return line.done(Outcome.HELD_STALE, found.reason)
    if qty == 0:  # of dollars: no order for shares is for none
        return line.done(Outcome.NO_TRADE, f"less than a share: {wanted.notional} dollars at {format_price(price)}")
    if is_dust(qty, price):
        return line.done(Outcome.NO_TRADE, _dust(qty, price))
    return ParentOrder(
        run_id=run_id,
        symbol=wanted.symbol,
        side=wanted.side,
        target=qty,
        reference_price=price,
        sized_at=price if wanted.notional is not None else None,
        note=note,
    )


def _from_weight(
    run_id: str,
    plan: TargetsPlan,
    symbol: str,
    holdings: Holdings,
    prices: Mapping[str, SizingPrice],
    open_orders: Mapping[str, OpenOrders],
) -> ParentOrder:
    """The order that takes a symbol to its weight; an exit needs no price."""
    field, weight, others = f"plan.targets.{symbol}", plan.targets[symbol], open_orders.get(symbol, NO_ORDERS)
    held, free, found = holdings.owned(symbol), holdings.free(symbol), prices[symbol]
    if held < 0:
        raise InvalidPlan(field, held, "a symbol that is not held short")
    if others.other_stacks and weight > 0:
        reason = f"another stack is trading it, and how far is not known: {others.words_of_other_stacks}"
        return _untraded(run_id, symbol, Side.BUY, Decimal(0), others).done(Outcome.NOT_SIZED, reason)
    if found.price is None and weight > 0:
        return _untraded(run_id, symbol, Side.BUY, Decimal(0), others).done(Outcome.HELD_STALE, found.reason)
    price = _known(field, symbol, prices)
    wanted = holdings.equity * weight / price
    change = _change(weight, wanted, held, others)
    side = Side.BUY if change > 0 or (change == 0 and wanted > held) else Side.SELL
    reason = _reason_not_to_trade(plan, symbol, change, wanted, held, price, others)
    reason = reason or within_band(plan, symbol, abs(_missing(wanted, held, others)) * price, holdings.equity)
    if reason:
        return _untraded(run_id, symbol, side, price, others).done(Outcome.NO_TRADE, reason)
    if -change > free and not plan.buy_only:
        raise InvalidPlan(field, weight, f"a weight that sells at most the {free} {symbol} held and free")
    return ParentOrder(
        run_id=run_id,
        symbol=symbol,
        side=side,
        target=abs(change),
        reference_price=price,
        sized_at=price if weight > 0 else None,
        note=_counted(others),
    )


def _change(weight: Decimal, wanted: Decimal, held: Decimal, others: OpenOrders) -> Decimal:
    """Shares to buy (positive) or sell (negative) to reach a weight; an exit sells the exact rest of the holding."""
    if weight == 0:
        return -max(held - others.selling, Decimal(0))
    return _missing(wanted, held, others).to_integral_value(ROUND_DOWN)


def _missing(wanted: Decimal, held: Decimal, others: OpenOrders) -> Decimal:
    """Shares from the holding to a weight, not rounded, as if the open orders that lead towards it were filled."""
    buys = wanted - held - others.buying
    return buys if buys > 0 else min(Decimal(0), wanted - held + others.selling)


def _reason_not_to_trade(
    plan: TargetsPlan,
    symbol: str,
    change: Decimal,
    wanted: Decimal,
    held: Decimal,
    price: Decimal,
    others: OpenOrders,
) -> str:
    """Why a weight is not traded, in words; empty if it is. A weight of zero is sold whatever the minimum."""
    weight, missing, worth = plan.targets[symbol], abs(wanted - held), abs(change) * price
    if change == 0 and _change(weight, wanted, held, NO_ORDERS) != 0:
        return f"already covered by open orders: {others.words}"
    if change == 0:
        return "on target" if missing == 0 else f"less than a share: {_rounded(missing)} of {format_price(price)}"
    if weight > 0 and worth < plan.min_trade_notional:
        return f"worth {worth:.2f}, below min_trade_notional={plan.min_trade_notional}"
    return _dust(abs(change), price) if is_dust(abs(change), price) else ""


def _untraded(run_id: str, symbol: str, side: Side, price: Decimal, others: OpenOrders = NO_ORDERS) -> ParentOrder:
    """The order of a line that is not traded: no shares."""
    return ParentOrder(
        run_id=run_id, symbol=symbol, side=side, target=Decimal(0), reference_price=price, note=_counted(others)
    )


def _dust(qty: Decimal, price: Decimal) -> str:
    return f"worth {qty * price:.2f}, less than the broker's smallest order of {MIN_NOTIONAL} dollar"


def _rounded(qty: Decimal) -> str:
    """A part of a share with three digits."""
    return f"{Decimal(f'{qty:.3g}').normalize():f}"


def _counted(others: OpenOrders) -> str:
    return f"counted as filled: {others.words}" if others.names else ""


def _known(field: str, symbol: str, prices: Mapping[str, SizingPrice]) -> Decimal:
    price = prices[symbol].best
    if price is None or price <= 0:
        raise InvalidPlan(field, symbol, "a symbol with a two-sided quote or a trade: the feed has neither")
    return price


def _lines(plan: Plan) -> list[tuple[str, str, Decimal | None]]:
    if isinstance(plan, OrdersPlan):
        return [
            (f"plan.orders[{index}].symbol", order.symbol, order.qty if isinstance(order.qty, Decimal) else None)
            for index, order in enumerate(plan.orders)
        ]
    return [(f"plan.targets.{symbol}", symbol, None) for symbol in plan.targets]
